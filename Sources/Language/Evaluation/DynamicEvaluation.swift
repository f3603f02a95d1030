import Foundation
import Learning
import Tensors

/// How a model goes on learning from the text that it is evaluated on: after each segment of n
/// tokens has been predicted, the weights take a step down its gradient g, and a step back to where
/// training left them, w₀.
///
///     sgd   w ← w − η·g + λ·(w₀ − w)
///     rms   w ← w − η·g / (r + ε) + min(λ·r / r̄, 1)·(w₀ − w)
///
/// g is that of the segment's mean cross-entropy in nats; r = √mean(g²) of each weight over a text
/// like the training text, r̄ its mean over all weights. No token is predicted with weights that have
/// seen it.
///
/// - SeeAlso: B. Krause, E. Kahembwe, I. Murray, S. Renals, "Dynamic Evaluation of Neural Sequence
///   Models", ICML 2018, sections 4 and 5; T. Mikolov et al., INTERSPEECH 2010, for the first form.
public struct DynamicEvaluation: Sendable, Equatable {
  public enum Method: String, Sendable, CaseIterable {
    case sgd, rms
  }

  public var method: Method
  /// η.
  public var rate: Double
  /// λ, the pull towards the trained weights, from 0 to 1.
  public var decay: Double
  /// n, the tokens from one update to the next; gradients flow back no further.
  public var segment: Int
  /// ε of `rms`: below it a weight's gradients are no measure of the step that it can take.
  public var epsilon: Double
  /// For `rms`: the text that the gradients' sizes are taken from, with what stands before it.
  public var statisticsText: TokenSequence = []

  /// - Precondition: 0 ≤ η, finite; 0 ≤ λ ≤ 1; a segment of at least 1 token; ε > 0.
  public init(
    _ method: Method, rate: Double? = nil, decay: Double? = nil, segment: Int? = nil,
    epsilon: Double = 0.002
  ) {
    self.method = method
    self.rate = rate ?? (method == .sgd ? 0.3 : 0.0005)
    self.decay = decay ?? (method == .sgd ? 0.0003 : 0.003)
    self.segment = segment ?? 10
    self.epsilon = epsilon
    require(self.rate >= 0 && self.rate.isFinite, "a rate of \(self.rate)")
    require((0...1).contains(self.decay), "a decay of \(self.decay)")
    require(self.segment > 0, "segments of \(self.segment) tokens")
    require(epsilon > 0 && epsilon.isFinite, "ε = \(epsilon)")
  }
}

extension DynamicEvaluation: CustomStringConvertible {
  /// Reads `sgd:rate=0.3,decay=0.0003,segment=10` or
  /// `rms:rate=0.0005,decay=0.003,segment=10,epsilon=0.002`; what isn't said has these values.
  ///
  /// - Throws: `SettingError` for what isn't known or is out of range.
  public init(_ text: String) throws(SettingError) {
    var settings = try NamedSettings(text)
    guard let method = Method(rawValue: settings.name) else {
      throw .unknown(
        kind: "dynamic evaluation", legal: Method.allCases.map(\.rawValue), found: settings.name)
    }
    let standard = DynamicEvaluation(method)
    let rate = try settings.number("rate", standard.rate, legal: "at least 0 and finite") {
      $0 >= 0
    }
    let decay = try settings.fraction("decay", standard.decay, .fromZero)
    let segment = try settings.whole("segment", standard.segment, from: 1)
    let epsilon =
      method == .sgd
      ? standard.epsilon
      : try settings.number("epsilon", standard.epsilon, legal: "above 0 and finite") { $0 > 0 }
    try settings.finish()
    self.init(method, rate: rate, decay: decay, segment: segment, epsilon: epsilon)
  }

  /// The text that `init(_:)` reads as these settings.
  public var description: String {
    "\(method.rawValue):rate=\(rate),decay=\(decay),segment=\(segment)"
      + (method == .rms ? ",epsilon=\(epsilon)" : "")
  }
}
