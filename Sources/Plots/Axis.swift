import Foundation

/// One direction of a chart: what it measures, in which unit, and how.
public struct Axis: Sendable {
  public enum Scale: Sendable, Equatable {
    case linear
    /// Equal factors are equal lengths; numbers that aren't positive have no place on it.
    case logarithmic
    /// The numbers 0, 1, 2 … are these names, from left to right, or from top to bottom.
    case categories([String])
  }

  /// With the unit: "nats per token".
  public var label: String
  public var scale: Scale
  /// What is shown; nil for all data.
  public var domain: ClosedRange<Double>?
  /// Whether zero is shown even if no data are near it.
  public var includesZero: Bool
  /// The numbers that are labelled, such as the powers of two that were tried; nil for round ones.
  public var ticks: [Double]?

  public init(
    _ label: String, scale: Scale = .linear, domain: ClosedRange<Double>? = nil,
    includesZero: Bool = false, ticks: [Double]? = nil
  ) {
    self.label = label
    self.scale = scale
    self.domain = domain
    self.includesZero = includesZero
    self.ticks = ticks
  }

  var isCategorical: Bool {
    if case .categories = scale { true } else { false }
  }

  /// The range to show for data in this extent, with a little room at both sides.
  func domain(for extent: Extent, margin: Double) -> ClosedRange<Double> {
    if let domain, domain.lowerBound < domain.upperBound { return domain }
    switch scale {
    case .categories(let names): return -0.5...Double(max(names.count, 1)) - 0.5
    case .logarithmic:
      guard let low = extent.lowPositive, let high = extent.high, high >= low else {
        return 0.1...1
      }
      if low == high { return low / 2...high * 2 }
      let room = (log10(high) - log10(low)) * margin
      return pow(10, log10(low) - room)...pow(10, log10(high) + room)
    case .linear:
      guard var low = extent.low, var high = extent.high else { return 0...1 }
      let touchesZero = extent.standsOnZero || includesZero
      if touchesZero { (low, high) = (min(low, 0), max(high, 0)) }
      if low == high {
        let room = low == 0 ? 1 : abs(low) / 10
        return low - room...high + room
      }
      let room = (high - low) * margin
      return
        (touchesZero && low == 0 ? 0 : low - room)...(touchesZero && high == 0 ? 0 : high + room)
    }
  }
}

/// The smallest and the largest of the numbers that can be shown.
struct Extent {
  private(set) var low, high: Double?
  /// The smallest above zero.
  private(set) var lowPositive: Double?
  /// Whether something is drawn up from zero, such as bars.
  var standsOnZero = false

  mutating func add(_ values: some Sequence<Double>) {
    for value in values where value.isFinite {
      low = min(low ?? value, value)
      high = max(high ?? value, value)
      if value > 0 { lowPositive = min(lowPositive ?? value, value) }
    }
  }
}
