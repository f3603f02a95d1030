import Foundation

/// Whether gradients vanish or explode on their way back, in plain words, with the numbers that led
/// to it.
///
/// With g_k = ‖∂L_N/∂s_{N−k}‖ / ‖∂L_N/∂s_{N−1}‖ for k = 1 … N:
///
///     exploding   g_k ≥ 100 for some k, or a gradient isn't finite
///     vanishing   else, if g_k < 1/100 from some k ≤ 20 on
///     healthy     else
///
/// The bounds are conventions: what happened 20 steps ago should have a hundredth at least of the
/// say that the last step has.
public struct GradientVerdict: Sendable, Equatable, Encodable {
  public enum Kind: String, Sendable, Encodable { case vanishing, exploding, healthy }

  /// Whose gradients these are.
  public let subject: String
  public let kind: Kind
  /// N − 1, over how many steps the gradients were followed.
  public let steps: Int
  /// The largest k up to which g_k stays at a hundredth or more.
  public let reach: Int
  /// The largest g_k, and its k.
  public let largestGrowth: Double
  public let largestGrowthAt: Int
  /// By which factor the norm changed a step, on average over the lags at which Float could hold it.
  public let factorPerStep: Double

  static let lostFraction = 0.01
  static let explodedGrowth = 100.0
  static let wantedReach = 20

  /// - Parameter norms: ‖∂L_N/∂s_{N−k}‖ for k = 1 … N; from fewer than 20 no verdict of vanishing can
  ///   come but of what is lost within them.
  public init(subject: String, norms: [Double]) {
    self.subject = subject
    steps = max(0, norms.count - 1)
    let first = norms.first ?? 0
    let growth = norms.map { first > 0 ? $0 / first : 0 }
    reach = growth.lastIndex { $0 >= Self.lostFraction || !$0.isFinite }.map { $0 + 1 } ?? 0
    let isFinite = norms.allSatisfy(\.isFinite)
    let peak = growth.indices.max { growth[$0] < growth[$1] } ?? 0
    largestGrowth = isFinite ? growth.max() ?? 0 : .infinity
    largestGrowthAt = (isFinite ? peak : norms.firstIndex { !$0.isFinite } ?? 0) + 1
    let last = growth.lastIndex { $0 > 1e-30 && $0.isFinite } ?? 0
    factorPerStep = last > 0 ? exp(log(growth[last]) / Double(last)) : first > 0 ? 0 : .nan
    kind =
      largestGrowth >= Self.explodedGrowth
      ? .exploding : reach < min(Self.wantedReach, norms.count) ? .vanishing : .healthy
  }

  /// What was found, with its numbers, as a sentence.
  public var finding: String {
    let factor = String(format: "%.2f", factorPerStep)
    switch kind {
    case .exploding where !largestGrowth.isFinite:
      return "Gradients explode: \(largestGrowthAt) steps back their norm is no longer finite."
    case .exploding:
      return "Gradients explode: \(largestGrowthAt) steps back their norm is "
        + "\(Self.readable(largestGrowth)) times what it is after one step."
    case .vanishing:
      return "Gradients vanish: beyond \(reach) \(reach == 1 ? "step" : "steps") back less than "
        + "1 % of their norm is left, a factor of \(factor) a step over \(steps) steps. What lies "
        + "farther back can hardly be learned."
    case .healthy:
      let range =
        reach > steps ? "all \(steps) steps that were followed" : "\(reach) steps back"
      let growth =
        largestGrowth < 1.05 ? "never grows" : "grows \(Self.readable(largestGrowth))-fold at most"
      return "Gradients are healthy: more than 1 % of their norm reaches \(range), a factor of "
        + "\(factor) a step, and it \(growth)."
    }
  }

  /// What to try, most promising first.
  public var advice: [String] {
    switch kind {
    case .healthy: []
    case .exploding:
      [
        "limit the gradients' norm (--clip-norm 1)",
        "start the recurrent matrices orthogonal, or with a smaller spectral radius",
        "lower the learning rate",
        "use an LSTM or a GRU, whose gates hold the state within bounds",
      ]
    case .vanishing:
      [
        "use an LSTM or a GRU, whose state can pass a step unchanged",
        "start an LSTM with its forget gates open (a forget bias of 1 or more)",
        "start the recurrent matrices orthogonal, or as the identity with ReLU",
        "don’t lengthen the window of truncated BPTT beyond what gradients reach: it costs time "
          + "and brings nothing",
      ]
    }
  }

  static func readable(_ number: Double) -> String {
    number < 10
      ? String(format: "%.1f", number)
      : number < 1e4 ? String(format: "%.0f", number) : String(format: "%.0e", number)
  }

  private enum CodingKeys: CodingKey {
    case subject, kind, steps, reach, largestGrowth, largestGrowthAt, factorPerStep, finding, advice
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(subject, forKey: .subject)
    try container.encode(kind, forKey: .kind)
    try container.encode(steps, forKey: .steps)
    try container.encode(reach, forKey: .reach)
    try container.encode(largestGrowth, forKey: .largestGrowth)
    try container.encode(largestGrowthAt, forKey: .largestGrowthAt)
    try container.encode(factorPerStep, forKey: .factorPerStep)
    try container.encode(finding, forKey: .finding)
    try container.encode(advice, forKey: .advice)
  }
}
