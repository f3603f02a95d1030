import Foundation
import Language

/// Whether gradients vanish or explode on their way back, in plain words, with the numbers that led
/// to it.
///
/// With g_k = ‖∂L_N/∂s_{N−k}‖ / ‖∂L_N/∂s_{N−1}‖ for k = 1 … N:
///
///     exploding   g_k ≥ 100 for some k, or a gradient or a state isn't finite
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
  /// The largest g_k, and its k. Infinite where a gradient or a state isn't finite.
  public let largestGrowth: Double
  public let largestGrowthAt: Int
  /// By which factor the norm changed a step, on average over the lags at which Float could hold it;
  /// nil without two such norms.
  public let factorPerStep: Double?
  /// Over how many steps that was measured: up to where nothing is left.
  private let measuredSteps: Int
  /// What the gradients flow through, if it is one of Unfold's cells.
  public let cell: CellKind?
  /// As ``GradientTrace/overflow``.
  public let overflow: Int?

  static let lostFraction = 0.01
  static let explodedGrowth = 100.0
  static let wantedReach = 20

  /// - Parameters:
  ///   - norms: ‖∂L_N/∂s_{N−k}‖ for k = 1 … N; from fewer than 20 no verdict of vanishing can come but
  ///     of what is lost within them.
  ///   - cell: what the gradients flow through; nil for a cell of one's own. Advice depends on it.
  ///   - overflow: the first t for which the state s_t isn't finite, as ``GradientTrace/overflow``
  ///     has it: what looks like gradients from there on isn't any.
  public init(
    subject: String, norms: [Double], cell: CellKind? = nil, overflow: Int? = nil
  ) {
    self.subject = subject
    (self.cell, self.overflow) = (cell, overflow)
    steps = max(0, norms.count - 1)
    let first = norms.first ?? 0
    let growth = norms.map { first > 0 ? $0 / first : 0 }
    reach = growth.lastIndex { $0 >= Self.lostFraction || !$0.isFinite }.map { $0 + 1 } ?? 0
    let lost = norms.firstIndex { !$0.isFinite }
    let beyond = lost ?? overflow.map { max(0, norms.count - $0 - 1) }
    let peak = growth.indices.max { growth[$0] < growth[$1] } ?? 0
    largestGrowth = beyond == nil ? growth.max() ?? 0 : .infinity
    largestGrowthAt = (beyond ?? peak) + 1
    let last = growth.lastIndex { $0 > 1e-30 && $0.isFinite } ?? 0
    let hasFallenAtOnce = first > 0 && norms.count > 1 && lost == nil
    measuredSteps = last
    factorPerStep = last > 0 ? exp(log(growth[last]) / Double(last)) : hasFallenAtOnce ? 0 : nil
    kind =
      largestGrowth >= Self.explodedGrowth
      ? .exploding : reach < min(Self.wantedReach, norms.count) ? .vanishing : .healthy
  }

  /// What was found, with its numbers, as a sentence.
  public var finding: String {
    let pace = factorPerStep.map { String(format: ", a factor of %.2f a step", $0) } ?? ""
    switch kind {
    case .exploding:
      if let overflow {
        return "Gradients explode: after \(Self.counted(overflow)) of \(steps + 1) the state itself"
          + " is beyond the range of Float32, and no gradient through it means anything."
      }
      let place = "Gradients explode: \(Self.counted(largestGrowthAt)) back their norm is"
      return largestGrowth.isFinite
        ? "\(place) \(Self.readable(largestGrowth)) times what it is after one step."
        : "\(place) no longer finite."
    case .vanishing where reach == 0:
      return "Gradients vanish at once: the loss doesn’t depend on the state even one step back, "
        + "so that nothing can be learned from what came before."
    case .vanishing:
      return "Gradients vanish: beyond \(Self.counted(reach)) back less than 1 % of their norm is "
        + "left\(pace) over \(Self.counted(measuredSteps)). What lies farther back can hardly be learned."
    case .healthy:
      let range =
        reach > steps ? "all \(steps) steps that were followed" : "\(Self.counted(reach)) back"
      let growth =
        largestGrowth < 1.05 ? "never grows" : "grows \(Self.readable(largestGrowth))-fold at most"
      return "Gradients are healthy: more than 1 % of their norm reaches \(range)\(pace), and it "
        + "\(growth)."
    }
  }

  /// "1 step", "2 steps".
  private static func counted(_ steps: Int) -> String { "\(steps) step\(steps == 1 ? "" : "s")" }

  /// A growth with the digits that matter: "1.7", "276", "3e+07", "∞".
  package static func readable(_ number: Double) -> String {
    guard number.isFinite else { return "∞" }
    return number < 10
      ? String(format: "%.1f", number)
      : number < 1e4 ? String(format: "%.0f", number) : String(format: "%.0e", number)
  }

  private enum CodingKeys: CodingKey {
    case subject, kind, steps, reach, largestGrowth, largestGrowthAt, factorPerStep, overflow
    case finding, advice
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
    try container.encode(overflow, forKey: .overflow)
    try container.encode(finding, forKey: .finding)
    try container.encode(advice, forKey: .advice)
  }
}
