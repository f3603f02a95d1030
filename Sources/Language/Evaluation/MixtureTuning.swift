import Foundation

/// Finds the weights π of a mixture under which a text of N tokens is likeliest.
///
///     f(π) = 1/N Σ_n ln p(n),   p(n) = Σ_k π_k·p_k(n),   g_k = ∂f/∂π_k = 1/N Σ_n p_k(n) / p(n)
///
/// f is concave, so that no other weights are better than π by more than max_k g_k − 1 nats a token.
/// The search ends when that is small. Each of its steps goes to where Newton's parabola is highest
/// on the simplex, or half as far for as long as the text isn't likelier there. Expectation
/// maximisation, π_k ← π_k·g_k, is simpler, but takes thousands of steps where models are nearly
/// equal.
///
/// - SeeAlso: Y. Kim, P. Carbonetto, M. Stephens, M. Anitescu, "A Fast Algorithm for Maximum
///   Likelihood Estimation of Mixture Proportions Using Sequential Quadratic Programming", Journal
///   of Computational and Graphical Statistics 29 (2020).
struct MixtureTuning {
  /// By how many nats a token other weights may be better than the best ones.
  static let largestGap = 1e-7
  /// Ten are usual.
  private static let mostIterations = 1000

  /// K.
  private let components: Int
  /// ln p_k of each token; from `scale` on p_k / max_j p_j, `[N, K]`.
  private var shares: [Double]
  /// Σ_n ln max_k p_k(n).
  private var tops = 0.0

  init(tokens: Int, components: Int) {
    self.components = components
    shares = [Double](repeating: 0, count: tokens * components)
  }

  /// Takes what a component says of some tokens, the first of which is number `first` of the text;
  /// ln p may be −∞.
  mutating func add(_ logProbabilities: [Double], from first: Int, of component: Int) {
    for (index, value) in logProbabilities.enumerated() {
      shares[(first + index) * components + component] = value
    }
  }

  /// The best weights; nil if a token is impossible to all components.
  ///
  /// - Parameter report: gets the points that the search comes to, numbered from 1; the last is the
  ///   best.
  /// - Precondition: there is a token, each component has said all, and this wasn't asked before.
  /// - Complexity: O(N·K²) a point.
  mutating func best(report: (Int, Point) -> Void = { _, _ in }) -> Point? {
    scale()
    guard tops > -.infinity else { return nil }
    // With all components, so that no token is impossible.
    var here = point([Double](repeating: 1 / Double(components), count: components))
    var number = 1
    report(number, here)
    while here.gap > Self.largestGap, number < Self.mostIterations, let next = step(from: here) {
      here = next
      number += 1
      report(number, here)
    }
    return here
  }

  /// Divides what is said of a token by the largest of it, so that nothing overflows.
  private mutating func scale() {
    for row in stride(from: 0, to: shares.count, by: components) {
      var top = -Double.infinity
      for index in row..<row + components { top = max(top, shares[index]) }
      tops += top
      for index in row..<row + components {
        shares[index] = top > -.infinity ? exp(shares[index] - top) : 0
      }
    }
  }

  private func point(_ weights: [Double]) -> Point {
    var logs = 0.0
    var gradient = [Double](repeating: 0, count: components)
    var curvature = [Double](repeating: 0, count: components * components)
    for row in stride(from: 0, to: shares.count, by: components) {
      var sum = 0.0
      for k in 0..<components { sum += weights[k] * shares[row + k] }
      logs += log(sum)
      let inverse = 1 / sum
      for j in 0..<components {
        let ratio = shares[row + j] * inverse
        gradient[j] += ratio
        for k in 0..<components {
          curvature[j * components + k] += ratio * (shares[row + k] * inverse)
        }
      }
    }
    let tokens = Double(shares.count / components)
    return Point(
      weights: weights, nats: -(tops + logs), gradient: gradient.map { $0 / tokens },
      curvature: curvature.map { $0 / tokens })
  }

  /// A better point; nil if rounding hides that there is one.
  private func step(from here: Point) -> Point? {
    var weights = here.peak
    for _ in 0..<40 {
      let next = point(weights)
      if next.nats < here.nats || next.gap <= Self.largestGap { return next }
      weights = zip(weights, here.weights).map { ($0 + $1) / 2 }
    }
    return nil
  }
}

extension MixtureTuning {
  /// Some weights, and f around them.
  struct Point {
    let weights: [Double]
    /// −N·f.
    let nats: Double
    /// g.
    let gradient: [Double]
    /// −∂²f/∂π_j∂π_k = 1/N Σ_n p_j·p_k / p², `[K, K]`.
    let curvature: [Double]

    /// No other weights are better by more nats a token.
    var gap: Double { (gradient.max() ?? 1) - 1 }

    /// The weights for which the parabola that has this gradient and curvature is highest.
    ///
    /// Weight goes from the component that deserves it least to the one that deserves it most, as
    /// much as is best for those two, until all that have some deserve it alike.
    fileprivate var peak: [Double] {
      var weights = self.weights
      var slopes = gradient
      for _ in 0..<10_000 {
        let givers = weights.indices.filter { weights[$0] > 0 }
        guard let to = slopes.indices.max(by: { slopes[$0] < slopes[$1] }),
          let from = givers.min(by: { slopes[$0] < slopes[$1] }),
          slopes[to] - slopes[from] > MixtureTuning.largestGap / 1000
        else { break }
        let changes = slopes.indices.map {
          curvature[to * slopes.count + $0] - curvature[from * slopes.count + $0]
        }
        let bend = max(changes[to] - changes[from], .leastNormalMagnitude)
        let amount = min((slopes[to] - slopes[from]) / bend, weights[from])
        weights[from] -= amount
        weights[to] += amount
        for k in slopes.indices { slopes[k] -= amount * changes[k] }
      }
      // Rounded sums mustn't leave a weight above one.
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
  }
}
