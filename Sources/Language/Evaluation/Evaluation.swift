import Learning

/// How a text is predicted: by a model as it is, by one that goes on learning from what it reads,
/// with or without a cache of what it has read.
public struct Evaluation: Sendable, Equatable, CustomStringConvertible {
  /// How the weights follow the text; nil leaves them alone.
  public var dynamic: DynamicEvaluation?
  /// What the recent text adds; nil for nothing.
  public var cache: ContinuousCache?

  public init(dynamic: DynamicEvaluation? = nil, cache: ContinuousCache? = nil) {
    self.dynamic = dynamic
    self.cache = cache
  }

  /// What makes it more than plain, such as "cache unigram:window=500,lambda=0.05".
  public var description: String {
    let parts = [dynamic.map { "dynamic \($0)" }, cache.map { "cache \($0)" }].compactMap { $0 }
    return parts.isEmpty ? "plain" : parts.joined(separator: ", ")
  }

  /// How well a model predicts `tokens`, each from all before it; the first is only context.
  ///
  /// - Parameter progress: gets the fraction that is done, from time to time.
  public func crossEntropy(
    of tokens: TokenSequence, by model: any LanguageModel, progress: (Double) -> Void = { _ in }
  ) -> CrossEntropy {
    var total = 0.0
    predict(tokens, by: model) { part in
      total -= part.logProbabilities.reduce(0, +)
      progress(Double(part.places.upperBound) / Double(tokens.count))
    }
    return CrossEntropy(totalNats: total, tokens: max(0, tokens.count - 1))
  }

  /// ln p of each token but the first, from all before it.
  public func logProbabilities(of tokens: TokenSequence, by model: any LanguageModel) -> [Double] {
    var all: [Double] = []
    all.reserveCapacity(tokens.count)
    predict(tokens, by: model) { all += $0.logProbabilities }
    return all
  }

  private func predict(
    _ tokens: TokenSequence, by model: any LanguageModel, visit: (PredictedPart) -> Void
  ) {
    guard let cache else { return model.predict(tokens, adapting: dynamic, visit: visit) }
    var reader = CacheReader([cache])
    model.predict(tokens, adapting: dynamic) { part in
      let cached = reader.probabilities(of: part, in: tokens)
      let mixed = part.logProbabilities.indices.map {
        cache.mixed(part.logProbabilities[$0], cached[0][$0])
      }
      visit(PredictedPart(places: part.places, logProbabilities: mixed, hidden: part.hidden))
    }
  }
}
