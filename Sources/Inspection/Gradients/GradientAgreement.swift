import Plots

/// How far the gradients that backpropagation finds agree with the product of exact Jacobians.
///
///     d_k = ‖g_k − p_k‖ / ‖p_k‖,   g_k = ∂L_N/∂s_{N−k},   p_k = g_1 · J_{N−1} · … · J_{N−k+1}
///
/// with g in Float32, p in Double. d_k is relative to the norm that is left k steps back. Each step of
/// backpropagation rounds, by about 10⁻⁷ of the norm that it starts with, and carries the roundings
/// of all steps on; where these fade less than the gradient itself does, d_k grows, however exact
/// every step is. So each step is held to its Jacobian by itself, too:
///
///     ‖g_{k+1} − g_k · J_{N−k}‖ / ‖g_k · J_{N−k}‖
///
/// which no rounding of the steps before can reach.
public struct GradientAgreement: Sendable, Equatable, Encodable {
  /// What counts as agreement.
  public static let limit = 1e-4
  /// Norms at which Float32 has all its digits.
  private static let comparable = 1e-30...1e37

  /// N.
  public let lags: Int
  /// The largest k up to which ‖p_k‖ is one that Float32 can hold with all its digits.
  public let compared: Int
  /// The largest k up to which no d_k is above the limit.
  public let agreeing: Int
  /// The largest d_k among those compared.
  public let largest: Double
  /// The largest difference of a step by itself among those compared.
  public let largestOfOneStep: Double

  /// - Parameters:
  ///   - sizes: ‖p_k‖, the first number that of k = 1.
  ///   - differences: d_k.
  ///   - ofOneStep: the difference of the step to k by itself; 0 for k = 1.
  package init(sizes: [Double], differences: [Double], ofOneStep: [Double]) {
    lags = sizes.count
    compared = sizes.firstIndex { !Self.comparable.contains($0) } ?? sizes.count
    let shown = differences.prefix(compared)
    agreeing = shown.firstIndex { !($0 <= Self.limit) } ?? shown.count
    largest = shown.max() ?? 0
    largestOfOneStep = ofOneStep.prefix(compared).max() ?? 0
  }

  /// What was found, as a sentence or two.
  public var finding: String {
    guard compared > 1 else {
      return "No gradient is left that could be compared with the product of exact Jacobians."
    }
    let both = "Backpropagation and the product of exact Jacobians differ by"
    guard agreeing < compared else {
      let range =
        compared == lags
        ? "over all \(lags) steps"
        : "up to \(compared) steps back; farther back Float32 has no digits left"
      return "\(both) at most \(largest.brief) of the norm that is left, \(range)."
    }
    let step =
      largestOfOneStep <= Self.limit
      ? "That is Float32’s rounding: it is small beside the norms on the way, but not beside what "
        + "is left of them. Each step by itself agrees within \(largestOfOneStep.brief)."
      : "Even a step by itself differs by up to \(largestOfOneStep.brief)."
    return "\(both) less than 10⁻⁴ of the norm that is left up to \(agreeing) steps back, and by "
      + "up to \(largest.brief) farther back. \(step)"
  }

  private enum CodingKeys: CodingKey {
    case limit, lags, compared, agreeing, largest, largestOfOneStep, finding
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.limit, forKey: .limit)
    try container.encode(lags, forKey: .lags)
    try container.encode(compared, forKey: .compared)
    try container.encode(agreeing, forKey: .agreeing)
    try container.encode(largest, forKey: .largest)
    try container.encode(largestOfOneStep, forKey: .largestOfOneStep)
    try container.encode(finding, forKey: .finding)
  }
}

extension GradientTrace {
  /// The gradients of one sequence, measured and as products of exact Jacobians, and how far they
  /// agree.
  ///
  /// - Parameter progress: gets the number of steps that are done.
  /// - Returns: the norms of both for k = 1 … N, and their agreement.
  public func comparison(
    sequence: Int, progress: (_ step: Int) -> Void = { _ in }
  ) -> (measured: [Double], product: [Double], agreement: GradientAgreement) {
    let measured = measured(sequence: sequence)
    var product = measured.first ?? []
    var sizes = measured.prefix(1).map { norm($0) }
    var (differences, ofOneStep) = (sizes.map { _ in 0.0 }, sizes.map { _ in 0.0 })
    for (index, jacobian) in jacobians(sequence: sequence).enumerated() {
      let next = measured[index + 1]
      product = jacobian.pulledBack(product)
      sizes.append(norm(product))
      differences.append(relativeDifference(next, product))
      ofOneStep.append(relativeDifference(next, jacobian.pulledBack(measured[index])))
      progress(sizes.count)
    }
    return (
      measured.map { norm($0) }, sizes,
      GradientAgreement(sizes: sizes, differences: differences, ofOneStep: ofOneStep)
    )
  }
}

/// ‖a − b‖ / ‖b‖; infinite where a difference is no number.
private func relativeDifference(_ a: [Double], _ b: [Double]) -> Double {
  let difference = norm(zip(a, b).map { $0 - $1 })
  return difference == 0 ? 0 : difference.isFinite ? difference / norm(b) : .infinity
}
