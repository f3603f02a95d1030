import Foundation

/// Labels that a user has made for a text, read from a file of ranges.
///
///     # characters 120 to 134, counted from 0, are inside
///     120 135
///     # a graded label, and a range to which the question doesn't apply
///     135 200 2.5
///     200 210 ?
///
/// What no range covers has the label 0; later lines win. The question is graded if some label is
/// neither 0 nor 1. Characters are Unicode scalars, line ends among them.
public struct LabelFile: Sendable, Equatable {
  public let name: String
  public let kind: Probe.Kind
  let ranges: [LabelledRange]

  /// Products of larger ones have no room in Float32.
  private static let largestLabel: Float = 1e15

  struct LabelledRange: Sendable, Equatable {
    let range: Range<Int>
    let label: Float?
  }

  /// - Parameter source: the name that messages give the file.
  /// - Throws: ``ProbeError/invalidLabel(file:line:reason:)``.
  public init(_ text: String, name: String, source: String) throws(ProbeError) {
    self.name = name
    var ranges: [LabelledRange] = []
    // Some editors begin files with a byte-order mark.
    let lines = text.trimmingPrefix("\u{FEFF}")
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      func refuse(_ reason: String) -> ProbeError {
        .invalidLabel(file: source, line: index + 1, reason: reason)
      }
      guard (2...3).contains(words.count), let start = Int(words[0]), let end = Int(words[1]),
        start >= 0, end >= start
      else { throw refuse("“\(line.prefix(40))” gives no range") }
      var label: Float? = 1
      if words.count == 3, words[2] == "?" {
        label = nil
      } else if words.count == 3 {
        guard let number = Float(words[2]), abs(number) <= Self.largestLabel else {
          throw refuse(
            "the label “\(words[2].prefix(40))” is neither ? nor a number from −10¹⁵ to 10¹⁵")
        }
        label = number
      }
      ranges.append(LabelledRange(range: start..<end, label: label))
    }
    self.ranges = ranges
    kind = ranges.allSatisfy { $0.label.map { $0 == 0 || $0 == 1 } ?? true } ? .yesNo : .graded
  }

  /// The labels of some characters of the text.
  func labels(of characters: Range<Int>) -> [Float?] {
    var labels = [Float?](repeating: 0, count: characters.count)
    for part in ranges where part.range.overlaps(characters) {
      for index in part.range.clamped(to: characters) {
        labels[index - characters.lowerBound] = part.label
      }
    }
    return labels
  }
}
