import Foundation

extension Vocabulary {
  /// Collects the tokens of texts.
  ///
  /// - Parameters:
  ///   - minimumCount: words that occur less often become `<unk>`, byte pairs stay apart.
  ///   - maximumSize: as many tokens as there may be, `<unk>` and `</s>` or the 256 bytes included;
  ///     the most frequent words stay. Byte pairs have ``defaultBytePairCount`` if nothing is said.
  ///   - splitting: what a word is.
  /// - Throws: ``VocabularyError`` for invalid UTF-8, for fewer than two characters or no words,
  ///   and for limits on bytes and characters.
  /// - Complexity: O(bytes), and O(V log V) to order the words.
  public init(
    unit: TokenUnit, building texts: [SourceText], minimumCount: Int = 1, maximumSize: Int? = nil,
    splitting: WordSplitting = .whitespace
  ) throws {
    guard unit == .words || unit == .bpe || (minimumCount <= 1 && maximumSize == nil) else {
      throw VocabularyError.limitsWithoutWords(unit)
    }
    let spellings: [[UInt8]]
    switch unit {
    case .bytes:
      self = .bytes
      return
    case .bpe:
      var counts = PreTokenCounts()
      for text in texts {
        text.bytes.withUnsafeBytes { counts.read($0, isLast: true) { _ in } }
      }
      self = counts.vocabulary(size: maximumSize, minimumCount: minimumCount)
      return
    case .characters: spellings = try Self.characters(of: texts)
    case .words:
      spellings = try Self.words(
        of: texts, minimumCount: minimumCount, maximumSize: maximumSize, splitting)
    }
    guard spellings.count <= Self.largestCount else { throw VocabularyError.tooManyTokens }
    self.init(unit: unit, spellings: spellings, splitting: splitting)
  }

  /// Collects the tokens of one text.
  ///
  /// - Parameter source: the name that messages give the text.
  public init(
    unit: TokenUnit, building text: some ContiguousBytes, source: String,
    minimumCount: Int = 1, maximumSize: Int? = nil, splitting: WordSplitting = .whitespace
  ) throws {
    let texts = [SourceText(name: source, bytes: text.withUnsafeBytes { Data($0) })]
    try self.init(
      unit: unit, building: texts, minimumCount: minimumCount, maximumSize: maximumSize,
      splitting: splitting)
  }

  private static func characters(of texts: [SourceText]) throws -> [[UInt8]] {
    var occurs = [Bool](repeating: false, count: 0x11_0000)
    for text in texts {
      try text.bytes.withUnsafeBytes { bytes in
        try reportingInvalidUTF8(bytes, text.name) { () throws(UTF8Scanner.Invalid) in
          var scanner = UTF8Scanner(bytes)
          while let scalar = try scanner.next() { occurs[Int(scalar)] = true }
        }
      }
    }
    return try characters(occurs, source: name(of: texts))
  }

  /// - Parameter occurs: by scalar.
  static func characters(_ occurs: [Bool], source: String) throws -> [[UInt8]] {
    let found = occurs.indices.filter { occurs[$0] }.compactMap { Unicode.Scalar(UInt32($0)) }
    guard found.count >= 2 else {
      throw VocabularyError.tooFewCharacters(
        source: source, only: found.first.map { visible(Array(String($0).utf8)) })
    }
    return found.map { Array(String($0).utf8) }
  }

  private static func words(
    of texts: [SourceText], minimumCount: Int, maximumSize: Int?, _ splitting: WordSplitting
  ) throws -> [[UInt8]] {
    var table = WordTable()
    for special in specialWords { _ = special.withUnsafeBytes { table.insert($0) } }
    var counts = [0, 0]
    for text in texts {
      try text.bytes.withUnsafeBytes { bytes in
        try validate(bytes, source: text.name)
        forEachWord(in: bytes, splitting, closingLastLine: false) { word in
          guard let word else { return }
          let index = Int(table.insert(word))
          if index == counts.count { counts.append(0) }
          counts[index] += 1
        }
      }
    }
    guard counts.count > 2 || counts[0] > 0 else {
      throw VocabularyError.noWords(source: name(of: texts))
    }
    let kept = mostFrequent(table, counts, minimumCount: minimumCount, maximumSize: maximumSize)
    return specialWords + kept.map { Array(table[$0]) }
  }

  /// The words of a table but the first two, which are special, as a vocabulary has them.
  static func mostFrequent(
    _ table: WordTable, _ counts: [Int], minimumCount: Int, maximumSize: Int?
  ) -> ArraySlice<Int> {
    let ordered = (2..<counts.count).filter { counts[$0] >= minimumCount }.sorted { a, b in
      counts[a] != counts[b] ? counts[a] > counts[b] : table[a].lexicographicallyPrecedes(table[b])
    }
    return ordered.prefix(max(0, min(maximumSize ?? .max, largestCount + 1) - 2))
  }

  private static func name(of texts: [SourceText]) -> String {
    texts.count == 1 ? texts[0].name : "the text of \(texts.count) files"
  }

  /// - Throws: ``VocabularyError/invalidUTF8(source:byte:offset:line:)``.
  static func validate(_ bytes: UnsafeRawBufferPointer, source: String) throws {
    try reportingInvalidUTF8(bytes, source) { () throws(UTF8Scanner.Invalid) in
      var scanner = UTF8Scanner(bytes)
      repeat { scanner.skipASCII() } while try scanner.next() != nil
    }
  }

  /// Says where in which text a scanner stopped.
  static func reportingInvalidUTF8<Result>(
    _ bytes: UnsafeRawBufferPointer, _ source: String,
    _ body: () throws(UTF8Scanner.Invalid) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch {
      let line = bytes[..<error.offset].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
      throw VocabularyError.invalidUTF8(
        source: source, byte: bytes[error.offset], offset: error.offset, line: line)
    }
  }

  /// Calls `body` with each word, and with nil at each end of a line.
  ///
  /// - Parameter closingLastLine: whether words after the last line feed are a line too.
  static func forEachWord(
    in bytes: UnsafeRawBufferPointer, _ splitting: WordSplitting, closingLastLine: Bool,
    _ body: (UnsafeRawBufferPointer?) -> Void
  ) {
    var scanner = WordScanner(splitting)
    scanner.read(bytes, body)
    if closingLastLine { scanner.closeLastLine(body) }
  }
}
