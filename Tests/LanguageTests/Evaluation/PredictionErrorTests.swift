import Foundation
import Language
import Learning
import Testing

/// What a model says must be probabilities, or at least numbers.
@Suite struct PredictionErrorTests {
  /// Says the same of every token.
  private struct ConstantModel: LanguageModel {
    let logProbability: Double
    let vocabularySize = 256

    func crossEntropy(
      of tokens: TokenSequence, streams: Int, progress: (Double) -> Void
    ) -> CrossEntropy { CrossEntropy() }
    func predictor() -> any Predictor { FixedModel(fixed: []) }

    func predict(
      _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
      progress: (Double) -> Void, visit: (PredictedPart) -> Void
    ) {
      let places = 1..<tokens.count
      visit(
        PredictedPart(places: places, logProbabilities: places.map { _ in logProbability }))
    }
  }

  private func model(_ logProbability: Double, isNormalised: Bool = true) -> AnyModel {
    AnyModel(
      vocabulary: .bytes, model: ConstantModel(logProbability: logProbability),
      isNormalised: isNormalised, name: "m.arpa")
  }

  private func expectRefusal(by model: AnyModel, _ error: PredictionError) {
    let text: TokenSequence = [10, 97, 98, 10]
    var scorer = LineScorer(model)
    #expect(throws: error) { try scorer.scores(of: [Data("ab".utf8)]) }
    #expect(throws: error) { try Evaluation().crossEntropy(of: text, by: model) }
    #expect(throws: error) { try WordOrder(model, ordered: text, shuffled: text) }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func whatIsNoNumberIsRefused(logProbability: Double) {
    for isNormalised in [true, false] {
      expectRefusal(
        by: model(logProbability, isNormalised: isNormalised), .notNumbers(model: "m.arpa"))
    }
  }

  @Test func aProbabilityAboveOneIsRefused() throws {
    expectRefusal(by: model(0.5), .aboveOne(model: "m.arpa", logProbability: 0.5))
    let error = PredictionError.aboveOne(model: "m.arpa", logProbability: 0.5)
    #expect(
      error.description
        == "m.arpa can't be used: it gives a token ln p = 0.5, a probability above 1, so it can't "
        + "be whole; copy it again, or make it anew.")
    // Scores that are no probabilities may be anything, and sums of logarithms are rounded.
    for allowed in [model(0.5, isNormalised: false), model(1e-6)] {
      var scorer = LineScorer(allowed)
      #expect(try scorer.scores(of: [Data("ab".utf8)])[0].tokens == [97, 98, 10])
    }
  }

  @Test func aMixtureNamesTheModel() throws {
    let fine = AnyModel(
      vocabulary: .bytes, model: ConstantModel(logProbability: -1), name: "fine.arpa")
    let mixture = try MixtureModel([("fine.arpa", fine), ("m.arpa", model(0.5))])
    #expect(throws: PredictionError.aboveOne(model: "m.arpa", logProbability: 0.5)) {
      try mixture.tuned(on: [10, 97, 98, 10])
    }
  }
}
