import Foundation

extension Vocabulary {
  /// A text as tokens.
  public struct Encoded: Sendable, Equatable {
    public var tokens: [Int32]
    /// Characters left out, or words read as `<unk>`, because the vocabulary lacks them. A
    /// literal `<unk>` in the text isn't counted.
    public var outOfVocabulary: Int
    /// Bytes of the text.
    public var bytes: Int
  }

  /// Turns a text into tokens; what the vocabulary lacks is left out (characters) or becomes
  /// `<unk>` (words), and is counted.
  ///
  /// - Parameter source: the name that messages give the text.
  /// - Throws: ``VocabularyError/invalidUTF8(source:byte:offset:line:)``, unless the tokens are
  ///   bytes or pairs of them; ``VocabularyError/wordTooLong(source:line:)``,
  ///   ``VocabularyError/lineEndAsWord(source:line:)``.
  /// - Complexity: O(bytes).
  public func encode(_ text: some ContiguousBytes, source: String) throws -> Encoded {
    try encode(text, source: source, closingLastLine: true)
  }

  private func encode(
    _ text: some ContiguousBytes, source: String, closingLastLine: Bool
  ) throws -> Encoded {
    try text.withUnsafeBytes { bytes in
      var encoder = TokenEncoder(self, source: source)
      var tokens: [Int32] = []
      try encoder.encode(bytes, into: &tokens)
      try encoder.finish(into: &tokens, closingLastLine: closingLastLine)
      return Encoded(
        tokens: tokens, outOfVocabulary: encoder.outOfVocabulary, bytes: bytes.count)
    }
  }

  /// Turns a prompt into tokens. Unlike a corpus it must be known wholly, and its last line isn't
  /// ended unless it says so.
  ///
  /// - Throws: ``VocabularyError/unknown(_:_:)``, naming every character or word unknown.
  public func encode(prompt: String) throws -> [Int32] {
    let bytes = Array(prompt.utf8)
    let encoded = try encode(bytes, source: "the prompt", closingLastLine: false)
    guard encoded.outOfVocabulary == 0 else {
      throw VocabularyError.unknown(unit, try unknownTokens(in: bytes))
    }
    return encoded.tokens
  }

  /// Visible forms of what the vocabulary lacks, each once, in order of appearance.
  private func unknownTokens(in bytes: [UInt8]) throws -> [String] {
    var unknown: [String] = []
    func note(_ spelling: [UInt8]) {
      let label = Self.visible(spelling)
      if !unknown.contains(label) { unknown.append(label) }
    }
    switch lookup {
    case .bytes, .bytePairs: break
    case .characters(let ids):
      for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars
      where scalar.value >= ids.count || ids[Int(scalar.value)] < 0 {
        note(Array(String(scalar).utf8))
      }
    case .words(let table):
      var scanner = WordScanner(splitting)
      try bytes.withUnsafeBytes {
        try scanner.read($0) { word in
          if let word, table.index(of: word) == nil { note(Array(word)) }
        }
      }
    }
    return unknown
  }
}
