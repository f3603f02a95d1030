import Foundation
import Language
import Learning
import Tensors
import Testing

@Suite struct ContinuousCacheTests {
  /// The equations by brute force, in double precision.
  private func reference(
    _ cache: ContinuousCache, _ model: any LanguageModel, _ tokens: [Int32]
  ) -> [Double] {
    var plain: [Double] = []
    var states: [[Double]] = []
    model.predict(TokenSequence(tokens), keepingHidden: true) { part in
      plain += part.logProbabilities
      for row in 0..<part.places.count {
        states.append(part.hidden?[row].values.map(Double.init) ?? [])
      }
    }
    return plain.indices.map { t in
      let past = max(0, t - cache.window)..<t
      guard !past.isEmpty else { return plain[t] }
      let weights = past.map { i in
        exp(cache.theta * zip(states[t], states[i]).reduce(0) { $0 + $1.0 * $1.1 })
      }
      let same = zip(past, weights).filter { tokens[$0.0 + 1] == tokens[t + 1] }.map(\.1)
      let cached = same.reduce(0, +) / weights.reduce(0, +)
      return log((1 - cache.lambda) * exp(plain[t]) + cache.lambda * cached)
    }
  }

  @Test(arguments: [1, 7, 300], [0, 0.5, 20])
  func equalsTheEquations(window: Int, theta: Double) {
    let model = smallModel(vocabularySize: 11)
    let tokens = randomTokens(700, classes: 11, seed: 2)
    let cache = ContinuousCache(window: window, theta: theta, lambda: 0.3)
    let found = Evaluation(cache: cache).logProbabilities(of: tokens, by: model)
    let expected = reference(cache, model, tokens)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(found.count == expected.count)
  }

  /// "a a b": the first is the model's own, then one a, then a's share of two tokens is none of b.
  @Test func aUnigramCacheCounts() {
    let model = FixedModel(fixed: [0, 0])
    let cache = ContinuousCache(window: 2, theta: 0, lambda: 0.5)
    let found = Evaluation(cache: cache).logProbabilities(of: [1, 0, 0, 1, 0, 1], by: model)
    let expected = [0.5, 0.5 * 0.5 + 0.5, 0.25, 0.25 + 0.25, 0.25 + 0.25].map(log)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  @Test func withoutAShareNothingChanges() {
    let model = smallModel(vocabularySize: 11)
    let tokens = randomTokens(500, classes: 11, seed: 2)
    let cached = Evaluation(cache: ContinuousCache(lambda: 0))
    #expect(
      cached.logProbabilities(of: tokens, by: model) == model.logProbabilities(of: tokens))
  }

  @Test(arguments: [0, 0.4]) func probabilitiesSumToOne(theta: Double) {
    let model = smallModel(vocabularySize: 11)
    let past = randomTokens(400, classes: 11, seed: 5)
    let evaluation = Evaluation(cache: ContinuousCache(window: 100, theta: theta, lambda: 0.2))
    let sum = (0..<11).reduce(0.0) { sum, token in
      sum + exp(evaluation.logProbabilities(of: past + [token], by: model).last ?? 0)
    }
    #expect(abs(sum - 1) < 1e-5)
  }

  @Test func aTextThatRepeatsItselfBecomesEasier() {
    let model = smallModel(vocabularySize: 50)
    let tokens = (0..<10).flatMap { _ in randomTokens(30, classes: 50, seed: 9) }
    let plain = Evaluation().crossEntropy(of: tokens, by: model)
    let cache = ContinuousCache(window: 100, theta: 0, lambda: 0.5)
    let cached = Evaluation(cache: cache).crossEntropy(of: tokens, by: model)
    #expect(cached.nats < plain.nats - 0.2)
  }

  @Test func settingsAreRead() throws {
    for cache in [ContinuousCache(), ContinuousCache(window: 3, theta: 0, lambda: 0.25)] {
      #expect(try ContinuousCache(cache.description) == cache)
    }
    #expect(try ContinuousCache("continuous:theta=2").theta == 2)
    for text in [
      "", "cache", "continuous:window=0", "continuous:lambda=1", "continuous:theta=-1",
      "unigram:theta=1", "continuous:window", "continuous:theta=nan",
    ] {
      #expect(throws: SettingError.self) { try ContinuousCache(text) }
    }
  }
}
