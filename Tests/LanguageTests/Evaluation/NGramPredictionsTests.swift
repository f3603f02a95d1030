import Language
import Learning
import Testing

@Suite struct NGramPredictionsTests {
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
