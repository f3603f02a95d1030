import Foundation
import Learning
import Tensors

/// Models over the same tokens that speak together: p(w | h) = Σ_k π_k·p_k(w | h), Σ_k π_k = 1.
///
/// - SeeAlso: F. Jelinek, R. Mercer, "Interpolated estimation of Markov source parameters from
///   sparse data" (1980).
public struct MixtureModel: Sendable {
  /// The first component's.
  public let vocabulary: Vocabulary
  /// π_k.
  public let weights: [Double]
  private let components: [Component]

  private struct Component: Sendable {
    let source: AnyModel
    let matching: TokenMatching

    var model: any LanguageModel { source.model }
  }

  /// - Parameters:
  ///   - models: at least one, each with the name that errors give it.
  ///   - weights: one a model, none negative, of which the sum isn't zero; they are scaled to sum to
  ///     one. Nil for equal ones.
  /// - Throws: ``MixtureError`` if a model gives no probabilities or has other tokens.
  public init(_ models: [(name: String, model: AnyModel)], weights: [Double]? = nil) throws {
    require(!models.isEmpty, "a mixture of no models")
    let given = weights ?? models.map { _ in 1 }
    let total = given.reduce(0, +)
    require(
      given.count == models.count && given.allSatisfy { $0 >= 0 } && total > 0 && total.isFinite,
      "weights \(given) for \(models.count) models")
    vocabulary = models[0].model.vocabulary
    self.weights = given.map { $0 / total }
    components = try models.map { name, model in
      guard model.isNormalised else { throw MixtureError.unnormalised(name) }
      let matching = try TokenMatching(
        of: models[0].model.vocabulary, in: model.vocabulary, names: (models[0].name, name))
      return Component(source: model, matching: matching)
    }
  }

  /// The same models with other weights.
  private init(_ mixture: MixtureModel, weights: [Double]) {
    (vocabulary, components) = (mixture.vocabulary, mixture.components)
    self.weights = weights
  }

  /// The component whose hidden states a cache compares: the first that has some.
  private var leader: Int {
    components.firstIndex { $0.model.hiddenSize != nil } ?? 0
  }
}

extension MixtureModel: LanguageModel {
  public var vocabularySize: Int { vocabulary.count }
  public var hiddenSize: Int? { components[leader].model.hiddenSize }

  public func crossEntropy(
    of tokens: TokenSequence, streams: Int, progress: (Double) -> Void
  ) -> CrossEntropy {
    Evaluation().crossEntropy(of: tokens, by: self, progress: progress)
  }

  public func predict(
    _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
    progress: (Double) -> Void, visit: (PredictedPart) -> Void
  ) {
    let leader = leader
    var begun = 0.0
    func show(_ fraction: Double) { progress((begun + fraction) / Double(components.count)) }
    // Four bytes a token and component: the text may be long, and weights aren't found by these.
    let all = components.enumerated().map { index, component in
      var found: [Float] = []
      if index != leader {
        predict(tokens, component, dynamic, keepingHidden: false, show) {
          found += $0.logProbabilities.map { Float($0) }
        }
        begun += 1
      }
      return found
    }
    predict(tokens, components[leader], dynamic, keepingHidden: keepingHidden, show) { part in
      let mixed = part.places.enumerated().map { index, place in
        logSum { $0 == leader ? part.logProbabilities[index] : Double(all[$0][place - 1]) }
      }
      visit(PredictedPart(places: part.places, logProbabilities: mixed, hidden: part.hidden))
    }
  }

  private func predict(
    _ tokens: TokenSequence, _ component: Component, _ dynamic: DynamicEvaluation?,
    keepingHidden: Bool, _ progress: (Double) -> Void, visit: (PredictedPart) -> Void
  ) {
    var dynamic = dynamic
    if let text = dynamic?.statisticsText {
      dynamic?.statisticsText = component.matching.tokens(text)
    }
    component.model.predict(
      component.matching.tokens(tokens), adapting: dynamic, keepingHidden: keepingHidden,
      progress: progress, visit: visit)
  }

  /// ln Σ_k π_k·exp(x_k).
  private func logSum(_ value: (Int) -> Double) -> Double {
    let terms = weights.indices.map { log(weights[$0]) + value($0) }
    let top = terms.max() ?? 0
    return top == -.infinity ? top : top + log(terms.reduce(0) { $0 + exp($1 - top) })
  }

  public func logProbabilities(
    ofEach texts: [[Int32]], progress: (Double) -> Void
  ) -> [[Double]] {
    let all = components.enumerated().map { index, component in
      component.model.logProbabilities(
        ofEach: texts.map { $0.map(component.matching.token) }
      ) {
        progress((Double(index) + $0) / Double(components.count))
      }
    }
    return texts.indices.map { text in
      all[0][text].indices.map { place in logSum { all[$0][text][place] } }
    }
  }

  public func predictor() -> any Predictor { mixturePredictor(texts: 1) }
  public func predictor(texts count: Int) -> any BatchPredictor { mixturePredictor(texts: count) }

  private func mixturePredictor(texts count: Int) -> MixturePredictor {
    MixturePredictor(
      parts: zip(components, weights).map { component, weight in
        MixturePredictor.Part(
          weight: Float(weight), matching: component.matching,
          predictor: component.model.predictor(texts: count))
      },
      size: vocabulary.count)
  }
}

private struct MixturePredictor: Predictor, BatchPredictor {
  struct Part {
    let weight: Float
    let matching: TokenMatching
    var predictor: any BatchPredictor
    /// What it says, `[B, V]`.
    var probabilities: [Float] = []

    mutating func read(_ tokens: [Int32], size: Int) {
      predictor.read(tokens.map(matching.token), logits: &probabilities)
      probabilities.withUnsafeMutableBufferPointer { probabilities in
        guard let base = probabilities.baseAddress else { return }
        for text in tokens.indices { _ = Compute.kernels.softmax(size, base + text * size) }
      }
    }

    func add(to sums: inout [Float], size: Int) {
      for row in stride(from: 0, to: sums.count, by: size) {
        for token in 0..<size {
          sums[row + token] += weight * probabilities[row + Int(matching.token(Int32(token)))]
        }
      }
    }
  }

  var parts: [Part]
  let size: Int

  mutating func logits(after token: Int32) -> [Float] {
    var logits: [Float] = []
    read([token], logits: &logits)
    return logits
  }

  mutating func read(_ token: Int32, logits: inout [Float]) { read([token], logits: &logits) }

  mutating func read(_ tokens: [Int32], logits: inout [Float]) {
    logits.removeAll(keepingCapacity: true)
    logits.append(contentsOf: repeatElement(0, count: tokens.count * size))
    for index in parts.indices {
      parts[index].read(tokens, size: size)
      parts[index].add(to: &logits, size: size)
    }
    for index in logits.indices { logits[index] = log(logits[index]) }
  }
}

extension MixtureModel {
  /// Weights that were tried, and how well they predict.
  public struct Iteration: Sendable {
    public let number: Int
    public let weights: [Double]
    public let result: CrossEntropy
    /// No other weights are better by more nats a token.
    public let gap: Double

    /// Whether that is less than anybody would notice, 10⁻⁷.
    public var isBest: Bool { gap <= MixtureTuning.largestGap }
  }

  /// The same models, with the weights under which they predict a text best, wherever they were
  /// before: those of the last iteration, which ``Iteration/isBest``, or else the search was given
  /// up.
  ///
  /// - Parameters:
  ///   - progress: gets the fraction of the models' readings that is done, from time to time.
  ///   - report: gets each iteration.
  /// - Throws: ``PredictionError`` if what one of the models says can't be true;
  ///   ``MixtureError/impossible`` if all say that a token is impossible.
  /// - Precondition: at least two tokens, the first being only context.
  /// - Complexity: eight bytes a token and component.
  public func tuned(
    on tokens: TokenSequence, progress: (Double) -> Void = { _ in },
    report: (Iteration) -> Void = { _ in }
  ) throws -> MixtureModel {
    require(tokens.count > 1, "a mixture can't be tuned on \(tokens.count) tokens")
    var tuning = MixtureTuning(tokens: tokens.count - 1, components: components.count)
    for (index, component) in components.enumerated() {
      var sum = PredictionSum()
      func show(_ fraction: Double) {
        progress((Double(index) + fraction) / Double(components.count))
      }
      predict(tokens, component, nil, keepingHidden: false, show) { part in
        tuning.add(part.logProbabilities, from: part.places.lowerBound - 1, of: index)
        // What is impossible to one model another may expect.
        sum.add(part.logProbabilities.filter { $0 != -.infinity })
      }
      try sum.check(component.source)
    }
    let best = tuning.best { number, point in
      report(
        Iteration(
          number: number, weights: point.weights,
          result: CrossEntropy(totalNats: point.nats, tokens: tokens.count - 1), gap: point.gap))
    }
    guard let best else { throw MixtureError.impossible }
    return MixtureModel(self, weights: best.weights)
  }
}
