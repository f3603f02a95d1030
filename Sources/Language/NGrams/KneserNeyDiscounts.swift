/// What modified Kneser–Ney takes off each count of one order.
///
///     Y = n₁ / (n₁ + 2·n₂),   D₁ = 1 − 2·Y·n₂/n₁,   D₂ = 2 − 3·Y·n₃/n₂,   D₃₊ = 3 − 4·Y·n₄/n₃
///
/// where nᵢ is how many n-grams of the order have the count i. On little text some nᵢ is 0, or a
/// discount falls outside 0 … i; then the order's discounts are 0.5, 1 and 1.5, as in KenLM.
///
/// - SeeAlso: S. Chen, J. Goodman, TR-10-98 (1998), equation 26.
public struct KneserNeyDiscounts: Sendable, Equatable {
  /// D₁, D₂, D₃₊.
  public let amounts: [Double]
  /// Whether there was too little text for the closed form.
  public let isFallback: Bool

  /// - Parameter numbers: n₁ to n₄.
  init(countsOfCounts numbers: [Int]) {
    let n = [0] + numbers.map(Double.init)
    let y = n[1] / (n[1] + 2 * n[2])
    let closed = (1...3).map { Double($0) - Double($0 + 1) * y * n[$0 + 1] / n[$0] }
    isFallback =
      n[1...3].contains(0) || zip(1..., closed).contains { !(0...Double($0)).contains($1) }
    amounts = isFallback ? [0.5, 1, 1.5] : closed
  }

  /// D(c).
  func amount(for count: UInt32) -> Double {
    count == 0 ? 0 : amounts[Int(min(count, 3)) - 1]
  }
}
