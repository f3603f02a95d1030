import Plots
import Testing

@Suite struct TicksTests {
  private func labels(_ domain: ClosedRange<Double>, _ count: Int) -> [String] {
    Ticks.linear(domain, atMost: count).map(\.label)
  }

  @Test func areRoundNumbersInTheDomain() {
    #expect(labels(0...1, 5) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(-3.2...6.9, 6) == ["−2", "0", "2", "4", "6"])
    #expect(labels(1_000...31_000, 4) == ["10,000", "20,000", "30,000"])
    #expect(labels(0.0012...0.0018, 4) == ["0.0012", "0.0014", "0.0016", "0.0018"])
    #expect(labels(0...2.5e6, 5) == ["0", "0.5 M", "1.0 M", "1.5 M", "2.0 M", "2.5 M"])
    #expect(labels(0...3e-5, 3) == ["0", "1·10⁻⁵", "2·10⁻⁵", "3·10⁻⁵"])
  }

  /// Two at least, for which a wide step makes way for one that may give five.
  @Test func thereAreAsManyAsAsked() {
    for power in -12...12 {
      for low in [-7.3, -1, 0, 0.1, 3] {
        for count in 2...9 {
          let unit = Double(sign: .plus, exponent: power * 3, significand: 1)
          let ticks = Ticks.linear(low * unit...(low + 4.7) * unit, atMost: count)
          #expect((2...max(count + 1, 5)).contains(ticks.count), "\(low), \(unit), \(count)")
          #expect(Set(ticks.map(\.label)).count == ticks.count, "\(ticks.map(\.label))")
        }
      }
    }
  }

  @Test func logarithmicOnesAreDecades() {
    let ticks = Ticks.logarithmic(0.5...200, atMost: 6)
    #expect(ticks.filter { !$0.label.isEmpty }.map(\.label) == ["1", "10", "100"])
    // 0.5 … 0.9, 1 … 9, 10 … 90, 100, 200.
    #expect(ticks.count == 5 + 9 + 9 + 2)
    let many = Ticks.logarithmic(1e-30...1, atMost: 4).filter { !$0.label.isEmpty }
    #expect(many.map(\.label) == ["10⁻²⁴", "10⁻¹⁶", "10⁻⁸", "10⁰"])
    let few = Ticks.logarithmic(0.3...3, atMost: 6).filter { !$0.label.isEmpty }
    #expect(few.map(\.label) == ["0.5", "1", "2"])
  }

  @Test func anEmptyDomainHasNone() {
    #expect(Ticks.linear(1...1, atMost: 5).isEmpty)
    #expect(Ticks.linear(0...(.infinity), atMost: 5).isEmpty)
  }
}
