/// Which optimiser, and its constants: names and defaults are PyTorch's.
///
/// The learning rate isn't here: it changes from step to step, see `Schedule`.
public struct OptimiserConfiguration: Codable, Sendable, Equatable {
  /// The update rules; `Optimiser` has the equations. Raw values are the command line's names.
  public enum Method: String, Codable, CaseIterable, Sendable {
    case sgd, momentum, adam, adamw, rmsprop, adagrad
  }

  public var method: Method
  /// μ of `momentum`, in [0, 1).
  public var momentum: Double = 0.9
  /// Whether `momentum` looks ahead. Needs μ > 0.
  public var nesterov = false
  /// β₁ of `adam` and `adamw`, in [0, 1).
  public var beta1: Double = 0.9
  /// β₂ of `adam` and `adamw`, in [0, 1).
  public var beta2: Double = 0.999
  /// α of `rmsprop`, in [0, 1).
  public var alpha: Double = 0.99
  /// ε, above 0: what keeps `adam`, `adamw`, `rmsprop` and `adagrad` from dividing by zero.
  public var eps: Double
  /// λ, from 0 up: decoupled from the gradient for `adamw`, λ·w added to it (L2) for the others.
  public var weightDecay: Double

  /// PyTorch's defaults for `method`; μ = 0.9 for `momentum`.
  public init(_ method: Method) {
    self.method = method
    eps = method == .adagrad ? 1e-10 : 1e-8
    weightDecay = method == .adamw ? 0.01 : 0
  }

  /// This configuration, if it is legal.
  ///
  /// - Throws: `SettingError` for the first value that is out of its range.
  public func validated() throws(SettingError) -> OptimiserConfiguration {
    let fractions = [
      ("momentum", momentum), ("beta1", beta1), ("beta2", beta2), ("alpha", alpha),
    ]
    for (name, value) in fractions {
      guard value >= 0, value < 1 else {
        throw .outOfRange(
          setting: name, legal: "at least 0 and less than 1", found: "\(value)")
      }
    }
    guard eps > 0, eps.isFinite else {
      throw .outOfRange(setting: "eps", legal: "positive and finite", found: "\(eps)")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw .outOfRange(
        setting: "weight decay", legal: "at least 0 and finite", found: "\(weightDecay)")
    }
    guard !nesterov || (method == .momentum && momentum > 0) else {
      throw .outOfRange(
        setting: "the method with nesterov", legal: "momentum, with a momentum above 0",
        found: "\(method.rawValue) with \(momentum)")
    }
    return self
  }
}
