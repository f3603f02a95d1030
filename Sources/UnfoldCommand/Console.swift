import Foundation

/// Messages and progress on standard error. Standard output is for results.
enum Console {
  /// Writes a line to standard error.
  static func say(_ line: String) { write(toError: line + "\n") }

  /// Writes to standard error; if that can't be written, there is nobody to tell.
  static func write(toError text: String) {
    try? write(Array(text.utf8), to: STDERR_FILENO)
  }

  /// Writes to standard output, at once.
  ///
  /// - Throws: ``OutputError``.
  static func print(_ text: String, terminator: String = "\n") throws(OutputError) {
    try write(Array((text + terminator).utf8), to: STDOUT_FILENO)
  }

  /// The same for text that is bytes already.
  static func print(_ bytes: [UInt8]) throws(OutputError) {
    try write(bytes, to: STDOUT_FILENO)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(OutputError) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno != EINTR { throw OutputError(code: errno) }
      done += max(count, 0)
    }
  }

  /// Whether standard error is a terminal that can rewrite a line.
  static var isAnimated: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(STDERR_FILENO) != 0 && environment["TERM"] != "dumb"
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
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// Standard output can't be written.
struct OutputError: Error, CustomStringConvertible {
  let code: Int32

  /// Whether the program that read it has ended, as `head` does when it has seen enough.
  var readerHasLeft: Bool { code == EPIPE }

  var description: String {
    let reason =
      switch code {
      case ENOSPC: "the disk is full; free some space"
      case EFBIG: "the file would be larger than the limit; raise the limit (ulimit -f)"
      case EBADF: "it is closed; leave it open, or send it to a file"
      default: String(cString: strerror(code))
      }
    return "Standard output can't be written: \(reason)."
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
      Console.write(toError: "\r\u{1B}[K\(line())")
      isOnScreen = true
    } else {
      Console.say(line())
    }
  }

  /// Takes the line away, before something else is written.
  mutating func clear() {
    guard isOnScreen else { return }
    Console.write(toError: "\r\u{1B}[K")
    isOnScreen = false
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
