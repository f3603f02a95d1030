/// Questions about source code. Prose has none of what they ask for.
extension Probe {
  /// After the `/*` or `//` that opens a comment, up to its `*/` or line feed. Signs in literals
  /// open nothing.
  public static let insideComment = Probe.whether(
    "inside comment", "In a /* */ or // comment."
  ) { text in text.regions.map { $0 == .blockComment || $0 == .lineComment } }

  /// Between the brackets of `if (…)`, which may be nested and may go on for lines; brackets in
  /// comments and literals don't count. Not in `#if`, and not in what follows the condition.
  public static let insideIf = Probe.whether(
    "inside if (…)", "Between the brackets of an if statement's condition."
  ) { text in text.conditions }
}

extension ProbedText {
  /// See `Probe.insideIf`.
  fileprivate var conditions: [Bool] {
    var inside = [Bool](repeating: false, count: count)
    guard syntax == .c else { return inside }
    var word: [Unicode.Scalar] = []
    var lastWord: [Unicode.Scalar] = []  // If nothing but white space followed it.
    var isDirective = false  // The word follows a #.
    var depth = 0
    for (index, character) in characters.enumerated() {
      defer { inside[index] = depth > 0 }
      guard regions[index] == .code else { continue }
      if depth > 0 {
        depth += character == "(" ? 1 : character == ")" ? -1 : 0
        if character == "}", index == 0 || characters[index - 1] == "\n" { depth = 0 }
        continue
      }
      if character.isWordPart {
        word.append(character)
        continue
      }
      if !word.isEmpty {
        lastWord = isDirective ? [] : word
        (word, isDirective) = ([], false)
      }
      // The signs that open and close a comment are code, and no more than white space.
      if character.properties.isWhitespace || isCommentSign(at: index) { continue }
      if character == "(", lastWord == ["i", "f"] { depth = 1 }
      isDirective = character == "#"
      lastWord = []
    }
    return inside
  }

  /// Whether a character of the code is the first of the two that open a comment, or the last of
  /// those that close one.
  private func isCommentSign(at index: Int) -> Bool {
    guard characters[index] == "/" else { return false }
    return index + 1 < count && regions[index + 1].isComment
      || index > 0 && regions[index - 1].isComment
  }
}

extension CRegion {
  fileprivate var isComment: Bool { self == .lineComment || self == .blockComment }
}
