/// What a word is, in a text of words.
public enum WordSplitting: String, Codable, Sendable, CaseIterable {
  /// What stands between ASCII white space, as it is: for texts that were cut into words before.
  case whitespace
  /// Of that, punctuation is split off:
  ///
  /// - Letters, marks, numbers and connectors such as `_` stand together.
  /// - So does an apostrophe, a hyphen or a full stop between two of them, and a comma or a colon
  ///   between two numbers: `don't`, `well-known`, `3.14`, `1,000`, `U.S` and its last full stop.
  /// - Any other character is a word of its own, together with repetitions of it: `...`, `--`.
  ///
  /// `<unk>` stays whole. As text again, there is no space before a closing bracket or quote or one
  /// of `. , ; : ! ? … %`, and none after an opening one, a currency sign, `¿` or `¡`.
  case punctuation

  /// Calls `body` with the words in what stands between white space; nothing of it is left out.
  @inline(__always)
  func forEachWord(
    in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    guard self == .punctuation, !text.allSatisfy(Self.isASCIILetterOrNumber),
      !text.elementsEqual(Vocabulary.unknownSpelling)
    else { return try body(text) }
    try Self.split(text, body)
  }

  private static func split(
    _ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    let scalars = ScalarsOfWord(text)
    var begin = 0
    while begin < scalars.count {
      var end = begin + 1
      if scalars.isInWord(begin) {
        while end < scalars.count, scalars.isInWord(end) || scalars.joins(end) { end += 1 }
      } else {
        while end < scalars.count, scalars[end] == scalars[begin] { end += 1 }
      }
      try body(UnsafeRawBufferPointer(rebasing: text[scalars.offset(begin)..<scalars.offset(end)]))
      begin = end
    }
  }

  @inline(__always)
  private static func isASCIILetterOrNumber(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
  }

  /// Whether there is a space between two words, in text.
  func isSpace(between first: [UInt8], and second: [UInt8]) -> Bool {
    self == .whitespace || !(Self.clings(second, .toTheLeft) || Self.clings(first, .toTheRight))
  }

  private enum Side { case toTheLeft, toTheRight }

  private static func clings(_ word: [UInt8], _ side: Side) -> Bool {
    guard let byte = word.first, !isASCIILetterOrNumber(byte),
      let scalar = String(decoding: word, as: UTF8.self).unicodeScalars.first
    else { return false }
    return switch (side, scalar.properties.generalCategory) {
    case (.toTheLeft, .closePunctuation), (.toTheLeft, .finalPunctuation): true
    case (.toTheLeft, .otherPunctuation): ".,;:!?…%".unicodeScalars.contains(scalar)
    case (.toTheRight, .openPunctuation), (.toTheRight, .initialPunctuation),
      (.toTheRight, .currencySymbol):
      true
    case (.toTheRight, .otherPunctuation): "¿¡".unicodeScalars.contains(scalar)
    default: false
    }
  }
}

/// The characters of what stands between white space.
private struct ScalarsOfWord {
  private var scalars: [UInt32] = []
  private var offsets: [Int] = []

  /// - Parameter text: UTF-8; what isn't is one character.
  init(_ text: UnsafeRawBufferPointer) {
    var scanner = UTF8Scanner(text)
    offsets.append(0)
    while let scalar = try? scanner.next() {
      scalars.append(scalar)
      offsets.append(scanner.offset)
    }
    if scanner.offset < text.count {
      scalars.append(0xFFFD)
      offsets.append(text.count)
    }
  }

  var count: Int { scalars.count }
  subscript(index: Int) -> UInt32 { scalars[index] }
  /// Where a character begins, in bytes, or where all of them end.
  func offset(_ index: Int) -> Int { offsets[index] }

  /// Whether it is a letter, a mark, a number or a connector.
  func isInWord(_ index: Int) -> Bool {
    switch category(index) {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber,
      .connectorPunctuation:
      true
    default: false
    }
  }

  /// Whether it belongs to a word because of what stands on both sides of it.
  func joins(_ index: Int) -> Bool {
    guard index > 0, index + 1 < count, isInWord(index - 1), isInWord(index + 1) else {
      return false
    }
    switch Unicode.Scalar(scalars[index]) {
    case "'", "\u{2019}", "-", "\u{2010}", "\u{2011}", ".": return true
    case ",", ":":
      return [index - 1, index + 1].allSatisfy { category($0) == .decimalNumber }
    default: return false
    }
  }

  private func category(_ index: Int) -> Unicode.GeneralCategory {
    Unicode.Scalar(scalars[index])?.properties.generalCategory ?? .unassigned
  }
}
