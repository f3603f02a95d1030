import Foundation

extension Probe {
  /// A question of the user's own: the character belongs to a match of a regular expression.
  ///
  /// `^` and `$` match at the lines' beginnings and ends; otherwise the rules are those of
  /// `NSRegularExpression` (ICU).
  ///
  /// - Throws: ``ProbeError/invalidExpression(name:pattern:)``.
  public static func matches(of pattern: String, name: String) throws(ProbeError) -> Probe {
    guard
      let expression = try? NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
    else { throw .invalidExpression(name: name, pattern: pattern) }
    let matcher = Matcher(expression: expression)
    return whether(name, "The character belongs to a match of \(pattern).", matcher.labels)
  }
}

/// Unchecked: an expression is immutable, and documented to be safe from any thread.
private struct Matcher: @unchecked Sendable {
  let expression: NSRegularExpression

  func labels(_ text: ProbedText) -> [Bool] {
    var string = ""
    string.unicodeScalars.append(contentsOf: text.characters)
    var inside = [Bool](repeating: false, count: text.count)
    let whole = NSRange(location: 0, length: string.utf16.count)
    // Matches come in order, so one walk finds the characters behind the UTF-16 places.
    var (character, place) = (0, 0)
    func walk(to end: Int, marking isMatch: Bool) {
      while character < text.count, place < end {
        inside[character] = isMatch
        place += UTF16.width(text.characters[character])
        character += 1
      }
    }
    expression.enumerateMatches(in: string, range: whole) { match, _, _ in
      guard let range = match?.range, range.length > 0 else { return }
      walk(to: range.location, marking: false)
      walk(to: range.location + range.length, marking: true)
    }
    return inside
  }
}

/// Why a user's own probe can't be asked.
public enum ProbeError: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidExpression(name: String, pattern: String)
  case repeatedName(String)
  case invalidLabel(file: String, line: Int, reason: String)
  /// Label files count the characters of the text; here they can't be counted.
  case uncountable(file: String, reason: String)

  public var description: String {
    switch self {
    case .invalidExpression(let name, let pattern):
      "The probe \(name) can't be asked: “\(pattern)” is no regular expression; "
        + "check its brackets and backslashes."
    case .repeatedName(let name):
      "There are two probes named \(name); give one of them another name."
    case .invalidLabel(let file, let line, let reason):
      "\(file), line \(line): \(reason); a line is “START END”, or “START END LABEL”, "
        + "counted in characters from 0, END not included."
    case .uncountable(let file, let reason):
      "The labels in \(file) can't be used: \(reason)."
    }
  }
}
