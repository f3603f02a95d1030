import Foundation
import Language
import Learning
import Testing

@Suite struct WordOrderTests {
  private let text = SourceText(
    "one two three  four\n\n a\tb é日\r\nlast words here\n", name: "text")

  @Test func wordsStayInTheirLinesAndSpaceInItsPlace() {
    var orders: Set<Data> = []
    for seed in 0..<20 as Range<UInt64> {
      let shuffled = text.shufflingWords(seed: seed)
      #expect(shuffled == text.shufflingWords(seed: seed))
      orders.insert(shuffled.bytes)
      #expect(shuffled.bytes.count == text.bytes.count)
      for (before, after) in zip(text.lines, shuffled.lines) {
        func words(_ line: Data) -> [String] {
          String(decoding: line, as: UTF8.self).unicodeScalars
            .split { $0.properties.isWhitespace }.map(String.init)
        }
        func spaces(_ line: Data) -> String {
          String(
            String.UnicodeScalarView(
              String(decoding: line, as: UTF8.self).unicodeScalars
                .filter(\.properties.isWhitespace)))
        }
        #expect(words(before).sorted() == words(after).sorted())
        #expect(spaces(before) == spaces(after))
      }
    }
    #expect(orders.count > 10)
  }

  @Test func orderIsNothingToAUnigram() throws {
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    let shuffled = try Corpus([text.shufflingWords(seed: 3)], vocabulary: vocabulary).tokens
    #expect(tokens != shuffled)
    let order = WordOrder(
      unigramOf: tokens, shuffled: shuffled, vocabularySize: vocabulary.count)
    #expect(abs(order.ratio - 1) < 1e-12)
    // Ten different words once each and four line ends.
    let entropy = -(10 * log(1.0 / 14) + 4 * log(4.0 / 14)) / 14
    #expect(abs(order.ordered.nats - entropy) < 1e-12)
  }

  @Test func orderIsMuchToATrigram() throws {
    let model = try NGramFixtures.toyModel()
    let toy = try NGramFixtures.toyText()
    func tokens(_ text: SourceText) throws -> TokenSequence {
      model.vocabulary.withContext(try Corpus([text], vocabulary: model.vocabulary).tokens)
    }
    let order = try WordOrder(
      AnyModel(vocabulary: model.vocabulary, model: model), ordered: tokens(toy),
      shuffled: tokens(toy.shufflingWords(seed: 1)))
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
