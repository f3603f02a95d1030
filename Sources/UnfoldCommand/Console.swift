import Foundation

/// Messages and progress on standard error. Standard output is for results.
enum Console {
  /// Writes a line to standard error.
  static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Writes to standard output, at once.
  static func print(_ text: String, terminator: String = "\n") throws {
    try FileHandle.standardOutput.write(contentsOf: Data((text + terminator).utf8))
  }

  /// Whether standard error is a terminal that can rewrite a line.
  static var isAnimated: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(FileHandle.standardError.fileDescriptor) != 0 && environment["TERM"] != "dumb"
  }

  /// Whether colours are welcome there.
  static var isColoured: Bool {
    isAnimated && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
  }

  /// Text that recedes, on a terminal with colours.
  static func dim(_ text: String) -> String { isColoured ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  /// A value as one line of JSON, with `snake_case` keys.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A line that shows how far long work has come: rewritten in place on a terminal, or else a plain
/// line now and then.
struct ProgressLine {
  private let clock = ContinuousClock()
  private var shown: ContinuousClock.Instant?
  private var isOnScreen = false

  /// Shows the line, if it is time to.
  mutating func show(_ line: @autoclosure () -> String) {
    let interval: Duration = Console.isAnimated ? .milliseconds(100) : .seconds(10)
    if let shown, shown.duration(to: clock.now) < interval { return }
    if shown == nil, !Console.isAnimated {
      shown = clock.now
      return
    }
    shown = clock.now
    if Console.isAnimated {
      FileHandle.standardError.write(Data("\r\u{1B}[K\(line())".utf8))
      isOnScreen = true
    } else {
      Console.say(line())
    }
  }

  /// Takes the line away, before something else is written.
  mutating func clear() {
    guard isOnScreen else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    isOnScreen = false
  }
}

extension Int {
  /// 1234567 as "1,234,567".
  var grouped: String {
    var text = ""
    for (index, digit) in String(magnitude).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (self < 0 ? "-" : "") + String(text.reversed())
  }
}

extension Double {
  /// With a fixed number of digits after the point.
  func text(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

  /// Seconds as "45 s", "2 min 05 s" or "1 h 20 min".
  var durationText: String {
    guard isFinite, self < 1e9 else { return "a long time" }
    let seconds = Int(rounded())
    return seconds < 60
      ? "\(seconds) s"
      : seconds < 3600
        ? "\(seconds / 60) min \(String(format: "%02d", seconds % 60)) s"
        : "\(seconds / 3600) h \(String(format: "%02d", seconds / 60 % 60)) min"
  }
}

/// A table of text: the first column to the left, the others to the right.
func table(_ rows: [[String]]) -> String {
  guard let columns = rows.first?.count else { return "" }
  let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { column, cell in
      let space = String(repeating: " ", count: widths[column] - cell.count)
      return column == 0 ? cell + space : space + cell
    }.joined(separator: "   ")
  }.joined(separator: "\n")
}
