import Foundation
import Learning

/// Finds the parameters of dynamic evaluation and of a cache, on a text kept for that.
///
/// Dynamic evaluation comes first, without a cache: its rate is tried at steps of a factor of 2, up
/// or down from where it stands for as long as that helps, then its decay at steps of a factor of
/// 3, then the rate once more; the segment stays as it is. The cache comes after it: all of some
/// windows and θ in one reading, and for each the best λ, by expectation maximisation.
public struct EvaluationTuning {
  public static let windows = [100, 200, 500, 1000, 2000]
  public static let thetas = [0.03, 0.1, 0.2, 0.3, 0.5, 0.8]

  /// What has been tried, for those who wait.
  public struct Trial: Sendable {
    public let evaluation: Evaluation
    public let result: CrossEntropy
  }

  private let model: any LanguageModel
  private let tokens: TokenSequence
  private let tokensForDynamic: Int
  private let progress: (Double) -> Void
  private let report: (Trial) -> Void

  /// - Parameters:
  ///   - tokens: the text to tune on, the first being only context.
  ///   - tokensForDynamic: how many of them dynamic evaluation is tuned on, from the beginning; it
  ///     takes long.
  ///   - progress: gets the fraction of the present trial that is done, from time to time.
  ///   - report: gets each trial when it is done.
  public init(
    _ model: any LanguageModel, on tokens: TokenSequence, tokensForDynamic: Int = 20_000,
    progress: @escaping (Double) -> Void = { _ in }, report: @escaping (Trial) -> Void = { _ in }
  ) {
    self.tokensForDynamic = tokensForDynamic
    self.progress = progress
    self.model = model
    self.tokens = tokens
    self.report = report
  }

  /// The best evaluation found, beginning with `start`; what that lacks isn't tuned.
  public func best(from start: Evaluation) -> Trial {
    var best = Trial(
      evaluation: Evaluation(dynamic: start.dynamic), result: CrossEntropy(totalNats: .infinity))
    if start.dynamic != nil {
      best = trial(best.evaluation)
      climb(&best, \.rate, factor: 2, upTo: 1000)
      climb(&best, \.decay, factor: 3, upTo: 1)
      climb(&best, \.rate, factor: 2, upTo: 1000)
    }
    return start.cache.map { tuned($0, beside: best.evaluation.dynamic) } ?? best
  }

  private func trial(_ evaluation: Evaluation) -> Trial {
    let result = evaluation.crossEntropy(
      of: TokenSequence(rebasing: tokens.prefix(tokensForDynamic)), by: model, progress: progress)
    let trial = Trial(evaluation: evaluation, result: result)
    report(trial)
    return trial
  }

  /// Moves one parameter up for as long as that helps, or else down.
  private func climb(
    _ best: inout Trial, _ parameter: WritableKeyPath<DynamicEvaluation, Double>, factor: Double,
    upTo limit: Double
  ) {
    for factor in [factor, 1 / factor] {
      var helped = false
      while let dynamic = best.evaluation.dynamic {
        var next = dynamic
        next[keyPath: parameter] = Self.rounded(next[keyPath: parameter] * factor)
        guard (1e-9...limit).contains(next[keyPath: parameter]) else { break }
        let found = trial(Evaluation(dynamic: next))
        guard found.result.totalNats < best.result.totalNats else { break }
        (best, helped) = (found, true)
      }
      if helped { return }
    }
  }

  /// To three digits, as a person would write it.
  private static func rounded(_ value: Double) -> Double {
    Double(String(format: "%.3g", value)) ?? value
  }

  private func tuned(_ cache: ContinuousCache, beside dynamic: DynamicEvaluation?) -> Trial {
    let thetas = cache.theta == 0 ? [0] : Self.thetas
    let caches = Self.windows.flatMap { window in
      thetas.map { ContinuousCache(window: window, theta: $0, lambda: cache.lambda) }
    }
    var reader = CacheReader(caches)
    var plain: [Double] = []
    var cached = caches.map { _ in [Double?]() }
    model.predict(tokens, adapting: dynamic, keepingHidden: true, progress: progress) { part in
      plain += part.logProbabilities
      for (index, found) in reader.probabilities(of: part, in: tokens).enumerated() {
        cached[index] += found
      }
    }
    let trials = zip(caches, cached).map { cache, probabilities in
      var cache = cache
      cache.lambda = Self.bestShare(of: probabilities, beside: plain)
      let nats = zip(plain, probabilities).reduce(0.0) { $0 - cache.mixed($1.0, $1.1) }
      let trial = Trial(
        evaluation: Evaluation(dynamic: dynamic, cache: cache),
        result: CrossEntropy(totalNats: nats, tokens: plain.count))
      report(trial)
      return trial
    }
    return trials.min { $0.result.totalNats < $1.result.totalNats } ?? trials[0]
  }

  /// λ by expectation maximisation: the share of the tokens that are the cache's own.
  private static func bestShare(of cached: [Double?], beside plain: [Double]) -> Double {
    let pairs = zip(cached, plain).compactMap { cached, plain in cached.map { ($0, exp(plain)) } }
    guard !pairs.isEmpty else { return 0 }
    var share = 0.1
    for _ in 0..<50 {
      let own = pairs.reduce(0.0) { sum, pair in
        let (cached, plain) = (share * pair.0, (1 - share) * pair.1)
        return sum + (cached > 0 ? cached / (cached + plain) : 0)
      }
      let next = own / Double(pairs.count)
      if abs(next - share) < 1e-6 { break }
      share = next
    }
    return (min(share, 0.999) * 1e4).rounded() / 1e4
  }
}
