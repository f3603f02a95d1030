import Foundation
import Learning
import Tensors

/// A cache of the recent text: words that have come lately, after states like the present one, come
/// again.
///
///     p_cache(w | h_t) ∝ Σ_{i = t−n}^{t−1} 1{x_{i+1} = w}·exp(θ·h_t·h_i)
///     p(w) = (1 − λ)·p_model(w) + λ·p_cache(w)
///
/// with h_t what the model's readout gets, and n the window. With θ = 0 it is the unigram cache,
/// for which no model needs hidden states: the share of w among the last n tokens. Where nothing
/// has been read yet, p is the model's.
///
/// - SeeAlso: E. Grave, A. Joulin, N. Usunier, "Improving Neural Language Models with a Continuous
///   Cache", ICLR 2017, equations 2 to 4; R. Kuhn, R. De Mori, "A Cache-Based Natural Language
///   Model for Speech Recognition", PAMI 12 (1990), for the unigram cache.
public struct ContinuousCache: Sendable, Equatable {
  /// n, as many tokens as are remembered.
  public var window: Int
  /// θ, how much likeness counts.
  public var theta: Double
  /// λ, the cache's share, from 0 and below 1.
  public var lambda: Double

  /// - Precondition: a window of at least 1; θ ≥ 0; 0 ≤ λ < 1.
  public init(window: Int = 500, theta: Double = 0.3, lambda: Double = 0.1) {
    require(window > 0, "a cache of \(window) tokens")
    require(theta >= 0 && theta.isFinite, "a cache with θ = \(theta)")
    require((0..<1).contains(lambda), "a cache with λ = \(lambda)")
    self.window = window
    self.theta = theta
    self.lambda = lambda
  }

  /// ln p of a token, from ln p_model and p_cache.
  ///
  /// - Parameter cached: nil where the cache is empty.
  func mixed(_ logProbability: Double, _ cached: Double?) -> Double {
    guard let cached else { return logProbability }
    let model = log(1 - lambda) + logProbability
    let other = log(lambda) + log(cached)
    let (high, low) = (max(model, other), min(model, other))
    return low == -.infinity ? high : high + log1p(exp(low - high))
  }
}

extension ContinuousCache: CustomStringConvertible {
  /// Reads `continuous:window=500,theta=0.3,lambda=0.1`, or `unigram:window=500,lambda=0.05`; what
  /// isn't said has these values.
  ///
  /// - Throws: `SettingError` for what isn't known or is out of range.
  public init(_ text: String) throws(SettingError) {
    var settings = try NamedSettings(text)
    let (isContinuous, isUnigram) = (settings.name == "continuous", settings.name == "unigram")
    guard isContinuous || isUnigram else {
      throw .unknown(kind: "cache", legal: ["continuous", "unigram"], found: settings.name)
    }
    let window = try settings.whole("window", 500, from: 1)
    let theta =
      isUnigram
      ? 0 : try settings.number("theta", 0.3, legal: "at least 0 and finite") { $0 >= 0 }
    let lambda = try settings.number("lambda", isUnigram ? 0.05 : 0.1, legal: "from 0 and below 1")
    {
      (0..<1).contains($0)
    }
    try settings.finish()
    self.init(window: window, theta: theta, lambda: lambda)
  }

  /// The text that `init(_:)` reads as this cache.
  public var description: String {
    theta == 0
      ? "unigram:window=\(window),lambda=\(lambda)"
      : "continuous:window=\(window),theta=\(theta),lambda=\(lambda)"
  }
}
