import Foundation

extension NGramModel {
  /// As for any model. From one that isn't normalised, scores that are no probabilities.
  public func predict(
    _ tokens: [Int32], adapting dynamic: DynamicEvaluation?, visit: (PredictedPart) -> Void
  ) {
    guard tokens.count > 1 else { return }
    let logProbabilities = scores(of: tokens).map { Double($0) * log(10) }
    visit(PredictedPart(places: 1..<tokens.count, logProbabilities: logProbabilities))
  }
}
