import Foundation
import Language
import Learning
import Testing

@Suite struct TokenEncoderTests {
  /// Multi-byte characters, all line ends, empty lines, words at the end and none.
  static let texts = [
    "\u{FEFF}Война и мир\r\ne\u{301} é 😀\t\u{10FFFF}\n\n last", "a\n", "ab c", " \n\n x \n",
    "\u{FEFF}",
    "日本語 日本\r\n\r\n🦊", "one two  three\u{A0}\u{2028}four \n five\t\n",
  ]

  /// Tokens of a text in blocks of `size` bytes, or of the whole.
  private func encode(
    _ bytes: [UInt8], _ vocabulary: Vocabulary, size: Int
  ) throws -> (tokens: [Int32], unknown: Int) {
    var encoder = TokenEncoder(vocabulary, source: "text")
    var tokens: [Int32] = []
    for begin in stride(from: 0, to: bytes.count, by: size) {
      try bytes[begin..<min(begin + size, bytes.count)].withUnsafeBytes {
        try encoder.encode($0, into: &tokens)
      }
    }
    try encoder.finish(into: &tokens)
    return (tokens, encoder.outOfVocabulary)
  }

  /// What the tokens of a text spell, by other means than the encoder's; nil for byte pairs, of which
  /// only the encoder knows.
  private func spelled(_ text: String, _ unit: TokenUnit) -> [String]? {
    switch unit {
    case .bpe: return nil
    case .bytes: return text.utf8.map { String($0) }
    case .characters: return text.unicodeScalars.map { String($0) }
    case .words:
      let bare =
        text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
      let lines = bare.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.enumerated().flatMap { index, line in
        let words = line.split { " \t\r\u{B}\u{C}".unicodeScalars.contains($0) }.map { String($0) }
        let isLine = index < lines.count - 1 || !words.isEmpty
        return words + (isLine ? ["</s>"] : [])
      }
    }
  }

  private func spelling(_ token: Int32, _ vocabulary: Vocabulary) -> String {
    if vocabulary.unit == .bytes { return String(token) }
    if vocabulary.unit == .words, token < 2 { return token == 0 ? "<unk>" : "</s>" }
    return String(decoding: vocabulary.decode([token]), as: UTF8.self)
  }

  @Test(arguments: texts, TokenUnit.allCases)
  func blocksOfEverySizeGiveTheTokensOfTheWhole(text: String, unit: TokenUnit) throws {
    let bytes = Array(text.utf8)
    let vocabulary = try Vocabulary(
      unit: unit, building: Array(Self.texts.joined(separator: " ").utf8), source: "texts")
    let whole = try encode(bytes, vocabulary, size: bytes.count).tokens
    let expected = spelled(text, unit) ?? whole.map { spelling($0, vocabulary) }
    for size in 1...bytes.count + 1 {
      let (tokens, unknown) = try encode(bytes, vocabulary, size: size)
      #expect(tokens.map { spelling($0, vocabulary) } == expected, "blocks of \(size)")
      #expect(unknown == 0)
    }
  }

  @Test func whatIsUnknownIsCountedInBlocksToo() throws {
    let bytes = Array("zebra a é b\nzebra 😀".utf8)
    for (unit, unknown) in [(TokenUnit.words, 4), (.characters, 8), (.bytes, 0)] {
      let vocabulary = try Vocabulary(unit: unit, building: Array("a b\n".utf8), source: "t")
      for size in 1...bytes.count {
        #expect(try encode(bytes, vocabulary, size: size).unknown == unknown, "\(unit) \(size)")
      }
    }
  }

  /// The byte, its offset and its line, wherever blocks meet.
  @Test(arguments: [
    (Array("é\nab ".utf8) + [0xFF, 0x20, 0x61], 6, 2),
    (Array("a\n\n b ".utf8) + [0xE2, 0x82], 6, 3),
    ([0x61, 0x20, 0xE2, 0x82, 0x41], 2, 1), ([0xED, 0xA0, 0x80], 0, 1), ([0x0A, 0x80], 1, 2),
  ])
  func invalidUTF8IsFoundWhereItBegins(bytes: [UInt8], offset: Int, line: Int) throws {
    let expected = VocabularyError.invalidUTF8(
      source: "text", byte: bytes[offset], offset: offset, line: line)
    for unit in [TokenUnit.words, .characters] {
      let vocabulary = try Vocabulary(unit: unit, building: Array("é ab\n".utf8), source: "t")
      for size in 1...bytes.count {
        #expect(throws: expected) { try encode(bytes, vocabulary, size: size) }
      }
    }
  }

  @Test(arguments: WordSplitting.allCases)
  func whatEndsLinesIsNoWord(splitting: WordSplitting) throws {
    let bytes = Array("a </s>b\nb </s>\na".utf8)
    let vocabulary = try Vocabulary(
      unit: .words, building: Array("a b\n".utf8), source: "t", splitting: splitting)
    let expected = VocabularyError.lineEndAsWord(source: "text", line: 2)
    for size in 1...bytes.count {
      #expect(throws: expected) { try encode(bytes, vocabulary, size: size) }
    }
    #expect(throws: VocabularyError.lineEndAsWord(source: "t", line: 2)) {
      try Vocabulary(unit: .words, building: bytes, source: "t", splitting: splitting)
    }
  }

  @Test(arguments: [1 << 16, 1 << 20, 1 << 22])
  func aWordMayHaveAMegabyteAndNoMore(size: Int) throws {
    let vocabulary = try Vocabulary(unit: .words, building: Array("a b".utf8), source: "t")
    let begin = Array("a\nb ".utf8)
    let word = [UInt8](repeating: 0x61, count: 1 << 20)
    #expect(try encode(begin + word + [0x20], vocabulary, size: size).tokens == [2, 1, 3, 0, 1])
    #expect(throws: VocabularyError.wordTooLong(source: "text", line: 2)) {
      try encode(begin + word + word + [0x20], vocabulary, size: size)
    }
    #expect(throws: VocabularyError.wordTooLong(source: "text", line: 2)) {
      try encode(begin + word + [0x61], vocabulary, size: size)
    }
  }
}

/// Texts of files that are longer than what is kept in memory.
@Suite struct LongTextTests {
  /// Two and a half million bytes: characters of several of them, and words across all blocks.
  private func text() -> [UInt8] {
    var generator = SeededGenerator(3)
    let pieces = ["a", "über", "日本", "🦊", "\n", " ", " the ", "of\r\n"].map { Array($0.utf8) }
    var bytes: [UInt8] = []
    while bytes.count < 2_500_000 { bytes += pieces[Int(generator.next() % 8)] }
    return bytes
  }

  @Test(arguments: TokenUnit.allCases)
  func aFileHasTheTokensOfItsBytes(unit: TokenUnit) throws {
    try withTemporaryFolder { folder in
      let (file, bytes) = (folder.appending(path: "text"), text())
      try Data(bytes).write(to: file)
      let source = try SourceText(contentsOf: file)
      #expect(source == SourceText(name: file.relativePath, bytes: Data(bytes)))
      var readings: [ReadingProgress] = []
      let vocabulary = try Vocabulary(unit: unit, building: [source]) { readings.append($0) }
      #expect(try vocabulary == Vocabulary(unit: unit, building: bytes, source: "bytes"))
      let corpus = try Corpus([source, source], vocabulary: vocabulary) { readings.append($0) }
      let expected = try vocabulary.encode(bytes, source: "bytes").tokens
      #expect(Array(corpus.tokens) == expected + expected)
      #expect(corpus.bytes == 2 * bytes.count)
      let encoding = readings.filter { $0.work == .tokens }
      #expect(encoding.map(\.done) == encoding.map(\.done).sorted())
      #expect(encoding.last?.done == 2 * bytes.count && encoding.last?.total == 2 * bytes.count)
      let collecting = readings.filter { $0.work == .vocabulary }
      #expect(unit == .bytes || collecting.last?.done == bytes.count)
    }
  }

  /// SHA-256 of the bytes themselves, by coreutils' sha256sum: 500,000 times "ab\n", then "ab é".
  @Test func theFingerprintIsThatOfTheBytes() throws {
    try withTemporaryFolder { folder in
      let (file, held) = (folder.appending(path: "text"), folder.appending(path: "held"))
      try Data(String(repeating: "ab\n", count: 500_000).utf8).write(to: file)
      try Data("ab é".utf8).write(to: held)
      let settings = TextSettings(
        files: [file.path], validationFile: held.path, vocabulary: .init(unit: .characters))
      let text = try TrainingText(settings, seed: 1)
      #expect(
        text.fingerprint["text"]
          == "b4fde913e5b3320d00b2f5804288d192a2cc73fa5ffe42e9d546dd61b02da0af")
      #expect(text.training.count == 1_500_000 && text.validation.count == 2)
    }
  }

  /// Longer than the parts that threads share, and than several of them.
  @Test func anNGramModelReadsALongTextInParts() throws {
    let model = try NGramFixtures.toyModel()
    let tokens = randomTokens(300_000, classes: model.vocabularySize, seed: 5)
    let expected = model.scores(of: tokens).map { Double($0) * log(10) }
    var (found, places): ([Double], [Range<Int>]) = ([], [])
    model.predict(TokenSequence(tokens), keepingHidden: false) { part in
      found += part.logProbabilities
      places.append(part.places)
    }
    #expect(found == expected)
    #expect(places.count > 1 && places.flatMap { $0 } == Array(1..<300_000))
  }
}
