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
    sum(of: tokens, by: model, progress).crossEntropy
  }

  /// As above, by a model that comes from outside.
  ///
  /// - Throws: ``PredictionError`` if what the model says can't be true;
  ///   ``EvaluationError/diverged(_:)`` if it has learned nonsense from the text.
  public func crossEntropy(
    of tokens: TokenSequence, by model: AnyModel, progress: (Double) -> Void = { _ in }
  ) throws -> CrossEntropy {
    let sum = sum(of: tokens, by: model.model, progress)
    if let dynamic, !sum.crossEntropy.perplexity.isFinite {
      throw EvaluationError.diverged("\(dynamic)")
    }
    try sum.check(model)
    return sum.crossEntropy
  }

  private func sum(
    of tokens: TokenSequence, by model: any LanguageModel, _ progress: (Double) -> Void
  ) -> PredictionSum {
    var sum = PredictionSum()
    predict(tokens, by: model, progress) { sum.add($0.logProbabilities) }
    return sum
  }

  /// ln p of each token but the first, from all before it.
  public func logProbabilities(of tokens: TokenSequence, by model: any LanguageModel) -> [Double] {
    var all: [Double] = []
    all.reserveCapacity(tokens.count)
    predict(tokens, by: model) { all += $0.logProbabilities }
    return all
  }

  private func predict(
    _ tokens: TokenSequence, by model: any LanguageModel,
    _ progress: (Double) -> Void = { _ in }, visit: (PredictedPart) -> Void
  ) {
    guard let cache else {
      return model.predict(
        tokens, adapting: dynamic, keepingHidden: false, progress: progress, visit: visit)
    }
    var reader = CacheReader([cache])
    model.predict(tokens, adapting: dynamic, keepingHidden: true, progress: progress) { part in
      let cached = reader.probabilities(of: part, in: tokens)
      let mixed = part.logProbabilities.indices.map {
        cache.mixed(part.logProbabilities[$0], cached[0][$0])
      }
      visit(PredictedPart(places: part.places, logProbabilities: mixed, hidden: part.hidden))
    }
  }
}
