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
  ///   bytes or pairs of them.
  /// - Complexity: O(bytes).
  public func encode(_ text: some ContiguousBytes, source: String) throws -> Encoded {
    try text.withUnsafeBytes { bytes in
      switch lookup {
      case .bytes:
        return Encoded(tokens: bytes.map(Int32.init), outOfVocabulary: 0, bytes: bytes.count)
      case .characters(let ids):
        return try Self.reportingInvalidUTF8(bytes, source) { () throws(UTF8Scanner.Invalid) in
          try Self.encodeCharacters(bytes, ids)
        }
      case .words(let table):
        try Self.validate(bytes, source: source)
        let (encoded, tooLong) = encodeWords(bytes, table, closingLastLine: true)
        if let tooLong {
          let line = bytes[..<tooLong.lowerBound].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
          throw VocabularyError.wordTooLong(source: source, bytes: tooLong.count, line: line)
        }
        return encoded
      case .bytePairs(let encoding): return Self.encodeBytePairs(bytes, encoding)
      }
    }
  }

  /// Turns a prompt into tokens. Unlike a corpus it must be known wholly, and its last line isn't
  /// ended unless it says so.
  ///
  /// - Throws: ``VocabularyError/unknown(_:_:)``, naming every character or word unknown.
  public func encode(prompt: String) throws -> [Int32] {
    let bytes = Array(prompt.utf8)
    let encoded: Encoded
    if case .words(let table) = lookup {
      encoded = bytes.withUnsafeBytes {
        encodeWords($0, table, closingLastLine: false).encoded
      }
    } else {
      encoded = try encode(bytes, source: "the prompt")
    }
    guard encoded.outOfVocabulary == 0 else {
      throw VocabularyError.unknown(unit, unknownTokens(in: bytes))
    }
    return encoded.tokens
  }

  private static func encodeCharacters(
    _ bytes: UnsafeRawBufferPointer, _ ids: [Int32]
  ) throws(UTF8Scanner.Invalid) -> Encoded {
    var encoded = Encoded(tokens: [], outOfVocabulary: 0, bytes: bytes.count)
    encoded.tokens.reserveCapacity(bytes.count)
    var scanner = UTF8Scanner(bytes)
    while let scalar = try scanner.next() {
      let id = scalar < ids.count ? ids[Int(scalar)] : -1
      if id >= 0 {
        encoded.tokens.append(id)
      } else {
        encoded.outOfVocabulary += 1
      }
    }
    return encoded
  }

  /// - Returns: the tokens, and where the first word is that is too long to be one.
  private func encodeWords(
    _ bytes: UnsafeRawBufferPointer, _ table: WordTable, closingLastLine: Bool
  ) -> (encoded: Encoded, tooLong: Range<Int>?) {
    var encoded = Encoded(tokens: [], outOfVocabulary: 0, bytes: bytes.count)
    var tooLong: Range<Int>?
    Self.forEachWord(in: bytes, splitting, closingLastLine: closingLastLine) { word in
      guard let word else { return encoded.tokens.append(Self.lineEndWord) }
      if word.count > Self.longestWord, tooLong == nil, let base = bytes.baseAddress,
        let start = word.baseAddress
      {
        tooLong = start - base..<start - base + word.count
      }
      let id = table.index(of: word)
      encoded.tokens.append(id ?? Self.unknownWord)
      encoded.outOfVocabulary += id == nil ? 1 : 0
    }
    return (encoded, tooLong)
  }

  private static func encodeBytePairs(
    _ bytes: UnsafeRawBufferPointer, _ encoding: BytePairEncoding
  ) -> Encoded {
    var encoded = Encoded(tokens: [], outOfVocabulary: 0, bytes: bytes.count)
    encoded.tokens.reserveCapacity(bytes.count / 3)
    var encoder = BytePairEncoder(encoding)
    encoder.read(bytes, isLast: true) { encoded.tokens.append(contentsOf: $0) }
    return encoded
  }

  /// Visible forms of what the vocabulary lacks, each once, in order of appearance.
  private func unknownTokens(in bytes: [UInt8]) -> [String] {
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
      bytes.withUnsafeBytes {
        Self.forEachWord(in: $0, splitting, closingLastLine: false) { word in
          if let word, table.index(of: word) == nil { note(Array(word)) }
        }
      }
    }
    return unknown
  }
}
