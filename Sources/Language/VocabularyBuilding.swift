import Foundation

extension Vocabulary {
  /// Collects the tokens of texts.
  ///
  /// - Parameters:
  ///   - minimumCount: words that occur less often become `<unk>`, byte pairs stay apart.
  ///   - maximumSize: as many tokens as there may be, `<unk>` and `</s>` or the 256 bytes included;
  ///     the most frequent words stay. Byte pairs have ``defaultBytePairCount`` if nothing is said.
  ///   - splitting: what a word is.
  ///   - progress: gets how far the reading has come, from time to time.
  /// - Throws: ``VocabularyError`` for invalid UTF-8, for fewer than two characters or no words,
  ///   and for limits on bytes and characters.
  /// - Complexity: O(bytes), and O(V log V) to order the words.
  public init(
    unit: TokenUnit, building texts: [SourceText], minimumCount: Int = 1, maximumSize: Int? = nil,
    splitting: WordSplitting = .whitespace, progress: (ReadingProgress) -> Void = { _ in }
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
      self = try Self.bytePairs(
        of: texts, minimumCount: minimumCount, maximumSize: maximumSize, progress)
      return
    case .characters: spellings = try Self.characters(of: texts, progress)
    case .words:
      spellings = try Self.words(
        of: texts, minimumCount: minimumCount, maximumSize: maximumSize, splitting, progress)
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

  private static func characters(
    of texts: [SourceText], _ progress: (ReadingProgress) -> Void
  ) throws -> [[UInt8]] {
    var occurs = [Bool](repeating: false, count: 0x11_0000)
    var reading = ReadingProgress(.vocabulary, of: texts)
    for text in texts {
      try text.forEachPiece(of: .characters, &reading, progress) { piece in
        var scanner = UTF8Scanner(piece)
        while let scalar = try scanner.next() { occurs[Int(scalar)] = true }
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
    of texts: [SourceText], minimumCount: Int, maximumSize: Int?, _ splitting: WordSplitting,
    _ progress: (ReadingProgress) -> Void
  ) throws -> [[UInt8]] {
    var table = WordTable()
    for special in specialWords { _ = special.withUnsafeBytes { table.insert($0) } }
    var counts = [0, 0]
    var reading = ReadingProgress(.vocabulary, of: texts)
    for text in texts {
      var scanner = WordScanner(splitting)
      try text.forEachPiece(of: .words, &reading, progress) { piece in
        try UTF8Scanner.check(piece)
        try scanner.read(piece) { word in
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
    guard !kept.isEmpty || minimumCount < 2 else {
      throw VocabularyError.noFrequentWord(source: name(of: texts), minimumCount: minimumCount)
    }
    return specialWords + kept.map { Array(table[$0]) }
  }

  private static func bytePairs(
    of texts: [SourceText], minimumCount: Int, maximumSize: Int?,
    _ progress: (ReadingProgress) -> Void
  ) throws -> Vocabulary {
    var counts = PreTokenCounts()
    var reading = ReadingProgress(.vocabulary, of: texts)
    for text in texts {
      text.forEachBlock { block in
        counts.read(block, isLast: false) { _ in }
        reading.done += block.count
        progress(reading)
      }
      counts.read(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { _ in }
    }
    return counts.vocabulary(size: maximumSize, minimumCount: minimumCount)
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

  /// How messages call some texts.
  static func name(of texts: [SourceText]) -> String {
    texts.count == 1 ? texts[0].name : "the text of \(texts.count) files"
  }
}
