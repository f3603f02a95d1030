import Foundation

/// The error of a network of one unit after many steps, as a function of its two weights.
///
///     x_t = w·σ(x_{t−1}) + b,   x₀ = 1/2,   E = (σ(x₅₀) − 0.7)²
///
/// Where the unit's fixed points appear or vanish, E has a cliff: its gradient there is some
/// hundreds of times what it is nearby, and a step of gradient descent that meets it goes far away.
///
/// - SeeAlso: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural
///   networks", ICML 2013, figure 6.
public struct ErrorSurface: Sendable {
  public var steps = 50
  public var start = 0.5
  public var target = 0.7

  public init() {}

  public struct Slope: Sendable, Equatable {
    public var error, dw, db: Double
    public var norm: Double { hypot(dw, db) }
  }

  /// The error and its gradient, by backpropagation through all steps.
  public func callAsFunction(w: Double, b: Double) -> Slope {
    var states = [start]
    for step in 0..<steps { states.append(w * logistic(states[step]) + b) }
    let y = logistic(states[steps])
    var slope = Slope(error: (y - target) * (y - target), dw: 0, db: 0)
    var dx = 2 * (y - target) * y * (1 - y)
    for step in (0..<steps).reversed() {
      let activation = logistic(states[step])
      slope.dw += dx * activation
      slope.db += dx
      dx *= w * activation * (1 - activation)
    }
    return slope
  }

  /// A place on a path of gradient descent, and how steep it is there.
  public struct Place: Sendable, Equatable, Encodable {
    public var w, b, error, gradientNorm: Double
  }

  /// Plain gradient descent.
  ///
  /// - Parameter clipNorm: the longest that a gradient may be; nil for any length.
  /// - Returns: `updates` + 1 places, the first being the start.
  public func descent(
    w: Double, b: Double, learningRate: Double, clipNorm: Double?, updates: Int
  ) -> [Place] {
    var (w, b) = (w, b)
    return (0...updates).map { _ in
      let slope = self(w: w, b: b)
      defer {
        let scale = clipNorm.map { min(1, $0 / (slope.norm + 1e-6)) } ?? 1
        w -= learningRate * scale * slope.dw
        b -= learningRate * scale * slope.db
      }
      return Place(w: w, b: b, error: slope.error, gradientNorm: slope.norm)
    }
  }
}
