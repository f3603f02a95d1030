import Foundation
import Language
import Learning
import Testing

@Suite struct WordOrderTests {
  private let text = SourceText(
    "one two three  four\n\n a\tb é日\r\nlast words here\n", name: "text")

  private func encoded(
    _ text: SourceText, _ unit: TokenUnit, splitting: WordSplitting = .whitespace
  ) throws -> (Vocabulary, TokenSequence) {
    let vocabulary = try Vocabulary(unit: unit, building: [text], splitting: splitting)
    return (vocabulary, try Corpus([text], vocabulary: vocabulary).tokens)
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private func words(_ bytes: some Sequence<UInt8>) -> [String] {
    bytes.split(whereSeparator: isSpace).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: TokenUnit.allCases)
  func wordsStayInTheirLinesAndSpaceInItsPlace(unit: TokenUnit) throws {
    let (vocabulary, tokens) = try encoded(text, unit)
    let before = vocabulary.decode(tokens)
    if unit != .words { #expect(Data(before) == text.bytes) }
    var orders: Set<[UInt8]> = []
    for seed in 0..<20 as Range<UInt64> {
      let shuffled = try tokens.shufflingWords(of: vocabulary, seed: seed)
      #expect(try shuffled == tokens.shufflingWords(of: vocabulary, seed: seed))
      #expect(shuffled.sorted() == tokens.sorted())
      let after = vocabulary.decode(shuffled)
      orders.insert(after)
      #expect(after.filter(isSpace) == before.filter(isSpace))
      let lines = [before, after].map {
        $0.split(separator: 0x0A, omittingEmptySubsequences: false).map { words($0).sorted() }
      }
      #expect(lines[0] == lines[1])
    }
    #expect(orders.count > 3)
  }

  /// Not only the text, which other tokens could stand for too.
  @Test(arguments: TokenUnit.allCases)
  func tokensAreThoseOfTheShuffledText(unit: TokenUnit) throws {
    for source in try [text, NGramFixtures.toyText()] {
      let (vocabulary, tokens) = try encoded(source, unit)
      for seed in 0..<5 as Range<UInt64> {
        let shuffled = try tokens.shufflingWords(of: vocabulary, seed: seed)
        let decoded = SourceText(name: "shuffled", bytes: Data(vocabulary.decode(shuffled)))
        #expect(try Corpus([decoded], vocabulary: vocabulary).tokens == shuffled)
      }
    }
  }

  /// To have no space to move with is what sets it apart.
  @Test func ofBytePairsAWordWithoutItsSpaceStays() throws {
    let text = SourceText("one two three four five\n six seven eight nine ten\n", name: "text")
    let (vocabulary, tokens) = try encoded(text, .bpe)
    var (first, second): (Set<String>, Set<String>) = ([], [])
    for seed in 0..<50 as Range<UInt64> {
      let after = words(vocabulary.decode(try tokens.shufflingWords(of: vocabulary, seed: seed)))
      first.insert(after[0])
      second.insert(after[5])
    }
    #expect(first == ["one"])
    #expect(second == ["six", "seven", "eight", "nine", "ten"])
  }

  @Test func punctuationMovesWithItsWord() throws {
    let text = SourceText("so, said (she) to him: go.\n", name: "text")
    let (vocabulary, tokens) = try encoded(text, .words, splitting: .punctuation)
    #expect(tokens.count == 12)
    for seed in 0..<20 as Range<UInt64> {
      let shuffled = try tokens.shufflingWords(of: vocabulary, seed: seed)
      #expect(words(vocabulary.decode(shuffled)).sorted() == words(text.bytes).sorted())
    }
  }

  @Test(arguments: TokenUnit.allCases)
  func orderIsNothingToAUnigram(unit: TokenUnit) throws {
    let (vocabulary, whole) = try encoded(NGramFixtures.toyText(), unit)
    // As a part of a text begins and ends: within a line.
    for tokens in [whole, TokenSequence(rebasing: whole[7..<whole.count - 7])] {
      let shuffled = try tokens.shufflingWords(of: vocabulary, seed: 3)
      #expect(tokens != shuffled)
      let order = WordOrder(
        unigramOf: tokens, shuffled: shuffled, vocabularySize: vocabulary.count)
      #expect(order.ordered.totalNats > 0)
      #expect(order.shuffled == order.ordered)
    }
  }

  @Test func aUnigramCostsTheEntropyOfTheShares() throws {
    let (vocabulary, tokens) = try encoded(text, .words)
    let order = WordOrder(
      unigramOf: tokens, shuffled: tokens, vocabularySize: vocabulary.count)
    // Ten different words once each and four line ends.
    let entropy = -(10 * log(1.0 / 14) + 4 * log(4.0 / 14)) / 14
    #expect(abs(order.ordered.nats - entropy) < 1e-12)
  }

  @Test func orderIsMuchToATrigram() throws {
    let model = try NGramFixtures.toyModel()
    let ordered = model.vocabulary.withContext(
      try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens)
    let order = try WordOrder(
      AnyModel(vocabulary: model.vocabulary, model: model), ordered: ordered,
      shuffled: ordered.shufflingWords(of: model.vocabulary, seed: 1))
    #expect(order.ratio > 2)
  }

  @Test func aPartIsWhatTrainingCuts() throws {
    let text = SourceText(String(repeating: "a b c\n", count: 50), name: "text")
    for unit in TokenUnit.allCases {
      let vocabulary = try Vocabulary(unit: unit, building: [text])
      let corpus = try Corpus([text], vocabulary: vocabulary)
      let split = try Split(parsing: "80,10,10")
      let parts = try corpus.split(split)
      #expect(try corpus.part(.train, of: split) == parts.train)
      #expect(try corpus.part(.valid, of: split) == parts.validation)
      #expect(try corpus.part(.test, of: split) == parts.test)
      #expect(throws: CorpusError.emptyPart("test", split: "90,10,0")) {
        try corpus.part(.test, of: Split(parsing: "90,10"))
      }
    }
  }

  @Test func aTextOfUnknownWordsIsNoText() throws {
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    func corpus(_ text: String) throws -> Corpus {
      try Corpus([SourceText(text, name: "t")], vocabulary: vocabulary)
        .withKnownWords(in: vocabulary)
    }
    #expect(throws: CorpusError.onlyUnknown("t", words: 3)) { try corpus("x y\nz\n") }
    #expect(throws: CorpusError.onlyUnknown("t", words: 3)) { try corpus("<unk> x\n\n<unk>\n") }
    #expect(throws: VocabularyError.noWords(source: "t")) { try corpus(" \n\t\n\n") }
    #expect(try corpus("x one\n").outOfVocabulary == 1)
    #expect(try corpus("\n<unk> one\n").outOfVocabulary == 0)
  }
}
