/// A question about a text that has an answer after every character: a pure function of the text.
///
/// A unit of a network is read just after a character, so that is what a label describes: after the
/// quotation mark that opens, a text is inside quotes; after the one that closes, it isn't.
public struct Probe: Sendable {
  public enum Kind: String, Sendable, Codable {
    /// How far, how deep: any number.
    case graded
    /// 1 for yes, 0 for no.
    case yesNo = "yes_no"
  }

  public let name: String
  public let kind: Kind
  /// One sentence that says what is labelled how.
  public let explanation: String
  /// A label for each character of the text; nil where the question doesn't apply.
  public let labels: @Sendable (ProbedText) -> [Float?]

  public init(
    _ name: String, _ kind: Kind, _ explanation: String,
    labels: @escaping @Sendable (ProbedText) -> [Float?]
  ) {
    self.name = name
    self.kind = kind
    self.explanation = explanation
    self.labels = labels
  }

  /// A yes/no question that applies to every character.
  static func whether(
    _ name: String, _ explanation: String, _ labels: @escaping @Sendable (ProbedText) -> [Bool]
  ) -> Probe {
    Probe(name, .yesNo, explanation) { text in labels(text).map { $0 ? 1 : 0 } }
  }

  /// The probes that every inspection asks.
  public static let builtIn: [Probe] =
    [
      positionInLine, distanceToLineEnd, indentation, insideQuotes, insideBrackets, bracketDepth,
      insideComment, insideIf, insideWord, wordBoundary, capitalised, digit, url,
    ] + [ahead("\n"), ahead("\"")]
}

/// A text as probes see it: its characters (Unicode scalars), and what they are by the rules of C if
/// it is source code.
public struct ProbedText: Sendable {
  public let characters: [Unicode.Scalar]
  public let syntax: TextSyntax
  /// What each character belongs to; in prose all are plain.
  let regions: [CRegion]

  public init(_ characters: [Unicode.Scalar], syntax: TextSyntax) {
    self.characters = characters
    self.syntax = syntax
    regions =
      syntax == .c
      ? CScanner.regions(of: characters) : Array(repeating: .code, count: characters.count)
  }

  public init(_ text: String, syntax: TextSyntax = .prose) {
    self.init(Array(text.unicodeScalars), syntax: syntax)
  }

  public var count: Int { characters.count }

  /// The lines, each with the line feed that ends it; the last may have none.
  var lines: [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for (index, character) in characters.enumerated() where character == "\n" {
      lines.append(start..<index + 1)
      start = index + 1
    }
    if start < count { lines.append(start..<count) }
    return lines
  }

  /// Whether a line has nothing but white space.
  func isBlank(_ line: Range<Int>) -> Bool {
    characters[line].allSatisfy(\.properties.isWhitespace)
  }
}

/// The rules by which quotes, brackets and comments are found.
public enum TextSyntax: String, Sendable, Codable, CaseIterable {
  /// Natural language.
  case prose
  /// C and its relatives: C++, Java, JavaScript, Swift and others whose comments and strings look
  /// the same.
  case c

  /// Source code, if at least a fifth of the lines that aren't blank look like it: they end in `;`,
  /// `{`, `}` or `*/`, or begin with `//`, `/*`, `*` or `#include`.
  public init(guessing characters: some Sequence<Unicode.Scalar>) {
    var (lines, code) = (0, 0)
    var line: [Unicode.Scalar] = []
    func finish() {
      let text = String(String.UnicodeScalarView(line)).trimmed
      line = []
      guard !text.isEmpty else { return }
      lines += 1
      let ends = [";", "{", "}", "*/"].contains { text.hasSuffix($0) }
      let begins = ["//", "/*", "* ", "#include"].contains { text.hasPrefix($0) }
      if ends || begins { code += 1 }
    }
    for character in characters {
      if character == "\n" { finish() } else { line.append(character) }
    }
    finish()
    self = lines > 0 && 5 * code >= lines ? .c : .prose
  }
}

extension String {
  fileprivate var trimmed: Substring {
    let first = unicodeScalars.firstIndex { !$0.properties.isWhitespace } ?? endIndex
    let last = unicodeScalars.lastIndex { !$0.properties.isWhitespace }
    return self[first..<(last.map(unicodeScalars.index(after:)) ?? first)]
  }
}
