import Foundation
import Language
import Learning
import Testing

@Suite struct NGramPredictionsTests {
  /// A text is asked about in parts by turns; texts of all lengths have the scores of reading them
  /// from beginning to end, token by token.
  @Test func partsByTurnsGiveTheScoresOfTheWhole() throws {
    let model = try NGramFixtures.toyModel()
    for count in Array(2...20) + [16_384, 16_385, 40_000] {
      let tokens = randomTokens(count, classes: model.vocabulary.count, seed: UInt64(count))
      let expected = model.scores(of: tokens).map { Double($0) * log(10) }
      #expect(model.logProbabilities(of: tokens) == expected, "\(count)")
    }
  }

  /// More texts than are read at once, some of them empty or too short to predict anything.
  @Test func manyTextsAreScoredAsEachAlone() throws {
    let model = try NGramFixtures.toyModel()
    let texts = (0..<5000).map {
      randomTokens($0 % 7, classes: model.vocabulary.count, seed: UInt64($0))
    }
    var fractions: [Double] = []
    let found = model.logProbabilities(ofEach: texts) { fractions.append($0) }
    #expect(found == texts.map { model.logProbabilities(of: $0) })
    #expect(fractions.count == 2 && fractions == fractions.sorted() && fractions.last == 1)
    #expect(model.logProbabilities(ofEach: []) { _ in }.isEmpty)
  }
}
