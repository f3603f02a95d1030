import Foundation

/// From the numbers of an axis to places on the paper.
struct Projection {
  let axis: Axis
  let domain: ClosedRange<Double>
  /// Where the domain begins and ends, in pixels.
  let from, to: Double

  /// The place of a number, which may be outside of the axis, but never far; nil if it has none.
  func callAsFunction(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    let fraction: Double
    if axis.scale == .logarithmic {
      guard value > 0 else { return nil }
      let low = log10(domain.lowerBound)
      fraction = (log10(value) - low) / (log10(domain.upperBound) - low)
    } else {
      fraction = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    }
    guard fraction.isFinite else { return nil }
    return from + (to - from) * min(max(fraction, -20), 20)
  }

  /// The place of zero, or of the axis' beginning where zero has none: what bars stand on.
  var foot: Double {
    guard axis.scale == .linear else { return from }
    return self(min(max(0, domain.lowerBound), domain.upperBound)) ?? from
  }

  /// The length of a unit, in pixels: on a linear axis.
  var unit: Double { abs(to - from) / (domain.upperBound - domain.lowerBound) }
}
