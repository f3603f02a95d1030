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
  /// One step of expectation maximisation, and how well the weights before it predict.
  public struct Iteration: Sendable {
    public let number: Int
    public let weights: [Double]
    public let result: CrossEntropy
  }

  /// The same models, with the weights under which they predict a text best.
  ///
  ///     π_k ← mean over the text of π_k·p_k / Σ_j π_j·p_j
  ///
  /// until the perplexity changes by less than one part in 10⁷, at most 200 times. The likelihood
  /// has one maximum, so that it doesn't matter where the weights begin.
  ///
  /// - Parameter report: gets each iteration.
  /// - Throws: ``PredictionError`` if what one of the models says can't be true.
  /// - Precondition: at least two tokens, the first being only context.
  public func tuned(
    on tokens: TokenSequence, report: (Iteration) -> Void = { _ in }
  ) throws -> MixtureModel {
    let all = try components.map { component in
      var (found, sum): ([Double], PredictionSum) = ([], PredictionSum())
      component.model.predict(component.matching.tokens(tokens)) { part in
        found += part.logProbabilities
        sum.add(part.logProbabilities)
      }
      try sum.check(component.source)
      return found
    }
    require(!all[0].isEmpty, "a mixture can't be tuned on \(tokens.count) tokens")
    var mixture = self
    var last = Double.infinity
    for number in 1...200 {
      var shares = weights.map { _ in 0.0 }
      var nats = 0.0
      for place in all[0].indices {
        let sum = mixture.logSum { all[$0][place] }
        nats -= sum
        for index in shares.indices where mixture.weights[index] > 0 {
          shares[index] += mixture.weights[index] * exp(all[index][place] - sum)
        }
      }
      let result = CrossEntropy(totalNats: nats, tokens: all[0].count)
      report(Iteration(number: number, weights: mixture.weights, result: result))
      if last - result.nats < 1e-7 { break }
      last = result.nats
      let total = shares.reduce(0, +)
      guard total > 0, total.isFinite else { break }
      mixture = MixtureModel(mixture, weights: shares.map { $0 / total })
    }
    return mixture
  }
}
