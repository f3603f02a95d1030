import Foundation
import Learning

/// Finds the parameters of dynamic evaluation and of a cache, on a text kept for that.
///
/// Dynamic evaluation comes first, without a cache: its rate is tried at steps of a factor of 2, up
/// or down from where it stands for as long as that helps, then its decay at steps of a factor of
/// 3, then the rate once more; the segment stays as it is. The cache comes after it: all of some
/// windows and θ in one reading, and for each the likeliest λ.
public struct EvaluationTuning {
  /// From too little to too much, so that the best lies between.
  public static let windows = [100, 200, 500, 1000, 2000, 4000]
  public static let thetas = [0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8, 2.7]
  /// On as many tokens a cache is tuned at most; four bytes are kept for each and each cache.
  public static let tokensForCache = 200_000

  /// What has been tried, for those who wait.
  public struct Trial: Sendable {
    public let evaluation: Evaluation
    public let result: CrossEntropy
  }

  private let model: any LanguageModel
  private let tokens: TokenSequence
  private let tokensForDynamic, tokensForCache: Int
  private let progress: (Double) -> Void
  private let report: (Trial) -> Void

  /// - Parameters:
  ///   - tokens: the text to tune on, the first being only context.
  ///   - tokensForDynamic: how many of them dynamic evaluation is tuned on, from the beginning; it
  ///     takes long.
  ///   - tokensForCache: the same for the cache.
  ///   - progress: gets the fraction of the present trial that is done, from time to time.
  ///   - report: gets each trial when it is done.
  public init(
    _ model: any LanguageModel, on tokens: TokenSequence, tokensForDynamic: Int = 20_000,
    tokensForCache: Int = EvaluationTuning.tokensForCache,
    progress: @escaping (Double) -> Void = { _ in }, report: @escaping (Trial) -> Void = { _ in }
  ) {
    self.tokensForDynamic = tokensForDynamic
    self.tokensForCache = tokensForCache
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
    let tokens = TokenSequence(rebasing: tokens.prefix(tokensForCache))
    var reader = CacheReader(caches)
    var plain: [Double] = []
    // NaN where the cache is empty.
    var cached = caches.map { _ in [Float]() }
    model.predict(tokens, adapting: dynamic, keepingHidden: true, progress: progress) { part in
      plain += part.logProbabilities
      for (index, found) in reader.probabilities(of: part, in: tokens).enumerated() {
        cached[index] += found.map { Float($0 ?? .nan) }
      }
    }
    let trials = zip(caches, cached).map { cache, probabilities in
      var cache = cache
      cache.lambda = Self.bestShare(of: probabilities, beside: plain)
      let nats = zip(plain, probabilities).reduce(0.0) {
        $0 - cache.mixed($1.0, $1.1.isNaN ? nil : Double($1.1))
      }
      let trial = Trial(
        evaluation: Evaluation(dynamic: dynamic, cache: cache),
        result: CrossEntropy(totalNats: nats, tokens: plain.count))
      report(trial)
      return trial
    }
    return trials.min { $0.result.totalNats < $1.result.totalNats } ?? trials[0]
  }

  /// λ under which the text is likeliest: the cache's weight in a mixture of two.
  private static func bestShare(of cached: [Float], beside plain: [Double]) -> Double {
    let places = cached.indices.filter { !cached[$0].isNaN }
    guard !places.isEmpty else { return 0 }
    var tuning = MixtureTuning(tokens: places.count, components: 2)
    tuning.add(places.map { plain[$0] }, from: 0, of: 0)
    tuning.add(places.map { log(Double(cached[$0])) }, from: 0, of: 1)
    let share = tuning.best()?.weights[1] ?? 0
    return (min(share, 0.999) * 1e4).rounded() / 1e4
  }
}
