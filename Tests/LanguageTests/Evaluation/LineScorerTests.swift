import Foundation
import Language
import Learning
import Tensors
import Testing

@Suite struct LineScorerTests {
  /// KenLM's own scores, the end of the sentence counted, an empty line among them.
  @Test func scoresEqualKenLM() throws {
    let model = try NGramFixtures.toyModel()
    var scorer = LineScorer(AnyModel(vocabulary: model.vocabulary, model: model))
    let sentences = try NGramFixtures.scores().sentences
    let scores = try scorer.scores(of: sentences.map { Data($0.sentence.utf8) })
    #expect(scores.count == sentences.count)
    for (score, sentence) in zip(scores, sentences) {
      let expected = sentence.words.map { $0.log10 * log(10) }
      #expect(score.tokens.count == expected.count)
      #expect(zip(score.logProbabilities, expected).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(abs(score.logProbability - expected.reduce(0, +)) < 1e-4)
    }
    #expect(sentences.contains { $0.words.count == 1 })
  }

  @Test(arguments: TokenUnit.allCases)
  func aLineStandsBetweenLineEnds(unit: TokenUnit) throws {
    let text = SourceText("b a\na b\n", name: "text")
    let vocabulary = try Vocabulary(unit: unit, building: [text])
    let model = smallModel(vocabularySize: vocabulary.count)
    var scorer = LineScorer(AnyModel(vocabulary: vocabulary, model: model))
    let end = try #require(vocabulary.lineEnd)
    let scores = try scorer.scores(of: ["a b", "", "b zzz"].map { Data($0.utf8) })
    let line = try vocabulary.encode(prompt: "a b")
    #expect(scores[0].tokens == line + [end])
    let expected = model.logProbabilities(of: [end] + line + [end])
    #expect(zip(scores[0].logProbabilities, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(scores[1].tokens == [end])
    #expect(scores[0].outOfVocabulary == 0)
    #expect(scores[2].outOfVocabulary == [.words: 1, .characters: 3, .bytes: 0, .bpe: 0][unit])
  }

  /// Lines begin and end with a space, as in the Penn Treebank: in the text a line's last space and
  /// its line feed are one token.
  @Test func bytePairsOfLinesAreThoseOfTheText() throws {
    let text = SourceText(String(repeating: " a b \n b a \n", count: 5), name: "text")
    let vocabulary = try Vocabulary(unit: .bpe, building: [text])
    let model = smallModel(vocabularySize: vocabulary.count)
    var scorer = LineScorer(AnyModel(vocabulary: vocabulary, model: model))
    let scores = try scorer.scores(of: text.lines)
    #expect(scores.map(\.tokens.count) == [Int](repeating: 3, count: 10))
    let tokens = try vocabulary.encode(text.bytes, source: "text").tokens
    #expect(scores.flatMap(\.tokens) == tokens)
    let end = try #require(vocabulary.lineEnd)
    let expected = model.logProbabilities(of: [end] + tokens[..<3])
    #expect(zip(scores[0].logProbabilities, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  /// What begins a line is context where it is one token with the line feed before.
  @Test func whiteSpaceMayBelongToTheLineFeedBefore() throws {
    let text = Array(String(repeating: "a\n    b\n\n\n", count: 5).utf8)
    let vocabulary = try Vocabulary(unit: .bpe, building: text, source: "text")
    let model = smallModel(vocabularySize: vocabulary.count)
    var scorer = LineScorer(AnyModel(vocabulary: vocabulary, model: model))
    let scores = try scorer.scores(of: ["    b", "", "b"].map { Data($0.utf8) })
    func tokens(_ text: String) throws -> [Int32] {
      try vocabulary.encode(Array(text.utf8), source: "text").tokens
    }
    func expect(_ score: LineScorer.Score, _ tokens: [Int32]) {
      #expect(score.tokens == Array(tokens.dropFirst()))
      let expected = model.logProbabilities(of: tokens)
      #expect(score.logProbabilities.count == expected.count)
      #expect(zip(score.logProbabilities, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    let indented = try tokens("\n    b\n")
    try #require(vocabulary.decode(indented[..<1]) == Array("\n   ".utf8))
    expect(scores[0], indented)
    // Two line feeds are one token, but there is nothing to predict in it.
    try #require(try tokens("\n\n").count == 1)
    let end = try #require(vocabulary.lineEnd)
    expect(scores[1], [end, end])
    expect(scores[2], try [end] + tokens("b") + [end])
  }

  /// Without a line feed among the characters the first is only context.
  @Test func aVocabularyMayLackTheLineFeed() throws {
    let text = SourceText("ab", name: "text")
    let vocabulary = try Vocabulary(unit: .characters, building: [text])
    let model = AnyModel(vocabulary: vocabulary, model: smallModel(vocabularySize: 2))
    var scorer = LineScorer(model)
    let scores = try scorer.scores(of: [Data("abb".utf8), Data(), Data("a".utf8)])
    #expect(scores.map(\.tokens) == [[1, 1], [], []])
    #expect(scores[1].logProbability == 0)
  }

  @Test func linesAreWhatLineFeedsEnd() {
    func lines(_ text: String) -> [String] {
      let all = SourceText(text, name: "text").lines.map { String(decoding: $0, as: UTF8.self) }
      var (some, last) = ([String](), 0.0)
      SourceText(text, name: "text").forEachLines(ofBytes: 2) { lines, done in
        some += lines.map { String(decoding: $0, as: UTF8.self) }
        last = done
      }
      #expect(some == all && last == 1)
      return all
    }
    #expect(lines("a\n\nb") == ["a", "", "b"])
    #expect(lines("a\n\nb\n") == ["a", "", "b"])
    #expect(lines("\n") == [""])
  }

  @Test func pairsNeedOneTabAndTwoSentences() throws {
    func pairs(_ text: String) throws -> [[String]] {
      try SourceText(text, name: "p").sentencePairs().map {
        [String(decoding: $0.first, as: UTF8.self), String(decoding: $0.second, as: UTF8.self)]
      }
    }
    #expect(try pairs("a b\tb a\nc\td") == [["a b", "b a"], ["c", "d"]])
    #expect(throws: ScoringError.noTab(file: "p", line: 2)) { try pairs("a\tb\nab\n") }
    #expect(throws: ScoringError.noTab(file: "p", line: 2)) { try pairs("a\tb\n\nc\td\n") }
    #expect(throws: ScoringError.manyTabs(file: "p", line: 1, tabs: 2)) { try pairs("a\tb\tc\n") }
    #expect(throws: ScoringError.emptySentence(file: "p", line: 1, isFirst: true)) {
      try pairs("\tb\n")
    }
    #expect(throws: ScoringError.emptySentence(file: "p", line: 3, isFirst: false)) {
      try pairs("a\tb\na\tb\na\t \n")
    }
  }

  @Test func aWordHasAMegabyteAtMost() throws {
    let vocabulary = try Vocabulary(unit: .words, building: [SourceText("a b", name: "text")])
    let word = String(repeating: "x", count: 1 << 20)
    #expect(try vocabulary.encode(Data("a\n\(word)".utf8), source: "t").outOfVocabulary == 1)
    #expect(throws: VocabularyError.wordTooLong(source: "t", line: 3)) {
      try vocabulary.encode(Data("a\nb\na \(word)x b".utf8), source: "t")
    }
  }
}
