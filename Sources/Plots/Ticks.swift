import Foundation

/// A number that an axis shows.
package struct Tick: Equatable, Sendable {
  package let value: Double
  /// Empty for a minor one.
  package let label: String
}

/// Round numbers for axes.
package enum Ticks {
  static func of(_ projection: Projection, atMost count: Int) -> [Tick] {
    if let chosen = projection.axis.ticks { return ticks(chosen, in: projection.domain) }
    return switch projection.axis.scale {
    case .linear: linear(projection.domain, atMost: count)
    case .logarithmic: logarithmic(projection.domain, atMost: count)
    case .categories(let names):
      names.enumerated().map { Tick(value: Double($0), label: $1) }
    }
  }

  /// Those of the chosen numbers that can be seen, each with its label.
  private static func ticks(_ chosen: [Double], in domain: ClosedRange<Double>) -> [Tick] {
    let slack = 1e-9 * (domain.upperBound - domain.lowerBound)
    let seen = domain.lowerBound - slack...domain.upperBound + slack
    return chosen.filter { seen.contains($0) }.map { Tick(value: $0, label: text($0)) }
  }

  /// A number that somebody has chosen, with the digits that it has: "1,024", "0.05".
  static func text(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9
      ? plain(value, decimals: 0) : "\(value)".replacing("-", with: "−")
  }

  /// Multiples of 1, 2 or 5 times a power of ten: two at least.
  package static func linear(_ domain: ClosedRange<Double>, atMost count: Int) -> [Tick] {
    let (low, high) = (domain.lowerBound, domain.upperBound)
    let span = high - low
    guard span > 0, span.isFinite, count > 0 else { return [] }
    let step = self.step(span: span, atMost: count)
    let slack = 1e-9 * span
    let first = ((low - slack) / step).rounded(.up)
    let last = ((high + slack) / step).rounded(.down)
    // A wide step can miss a domain that doesn't begin at a round number.
    if first >= last, count < 10 { return linear(domain, atMost: count + 1) }
    guard first <= last, last - first < 1000 else { return [] }
    let largest = max(abs(first), abs(last)) * step
    return stride(from: first, through: last, by: 1).map { multiple in
      let value = multiple * step
      return Tick(value: value, label: label(value, step: step, largest: largest))
    }
  }

  private static func step(span: Double, atMost count: Int) -> Double {
    var power = pow(10, floor(log10(span / Double(count))))
    while true {
      for factor in [1.0, 2, 5] where span / (factor * power) <= Double(count) {
        return factor * power
      }
      power *= 10
    }
  }

  /// Powers of ten; with less than two of them in sight, 2 and 5 between them too.
  package static func logarithmic(_ domain: ClosedRange<Double>, atMost count: Int) -> [Tick] {
    let (low, high) = (log10(domain.lowerBound) - 1e-9, log10(domain.upperBound) + 1e-9)
    guard low.isFinite, high.isFinite, count > 0 else { return [] }
    let decades = Int(floor(low))...Int(floor(high))
    let whole = decades.filter { low <= Double($0) && Double($0) <= high }
    let every = max(1, (whole.count + count - 1) / count)
    let factors: [Double] = whole.count < 2 ? [1, 2, 5] : [1]
    var ticks: [Tick] = []
    for decade in decades {
      for factor in stride(from: 1.0, through: 9, by: 1) {
        let place = Double(decade) + log10(factor)
        guard low <= place, place <= high else { continue }
        let isMajor = factors.contains(factor) && decade.isMultiple(of: every)
        if !isMajor, factor > 1, whole.count > 8 { continue }
        let value = factor * pow(10, Double(decade))
        ticks.append(
          Tick(value: value, label: isMajor ? label(factor, decade, of: decades) : ""))
      }
    }
    // A narrow domain, such as 3.1 to 3.9, has no round number of that kind.
    return ticks.filter { !$0.label.isEmpty }.count < 2 ? linear(domain, atMost: count) : ticks
  }

  private static func label(_ factor: Double, _ decade: Int, of decades: ClosedRange<Int>)
    -> String
  {
    if decades.lowerBound >= -3, decades.upperBound <= 4 {
      let value = factor * pow(10, Double(decade))
      return plain(value, decimals: max(0, -decade))
    }
    return factor == 1
      ? "10" + superscript(decade) : "\(Int(factor))·10" + superscript(decade)
  }

  private static func label(_ value: Double, step: Double, largest: Double) -> String {
    if value == 0 { return "0" }
    if largest >= 1e9 || largest < 1e-3 {
      let power = Int(floor(log10(largest) + 1e-9))
      let scale = pow(10, Double(power))
      return plain(value / scale, decimals: decimals(step / scale)) + "·10" + superscript(power)
    }
    if largest >= 1e6 { return plain(value / 1e6, decimals: decimals(step / 1e6)) + " M" }
    return plain(value, decimals: decimals(step))
  }

  private static func decimals(_ step: Double) -> Int { max(0, Int(-floor(log10(step) + 1e-9))) }

  /// With a true minus sign, and thousands set apart.
  static func plain(_ value: Double, decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", abs(value))
    let parts = text.split(separator: ".", maxSplits: 1)
    let whole = parts.first.flatMap { Int($0) }?.grouped ?? ""
    let sign = value < 0 && text.contains { $0 != "0" && $0 != "." } ? "−" : ""
    return sign + whole + (parts.count > 1 ? ".\(parts[1])" : "")
  }

  static func superscript(_ power: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let text = String(power.magnitude).compactMap(\.wholeNumberValue).map { String(digits[$0]) }
    return (power < 0 ? "⁻" : "") + text.joined()
  }
}
