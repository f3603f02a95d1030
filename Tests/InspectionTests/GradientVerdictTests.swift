import Foundation
import Inspection
import Language
import Recurrence
import Testing

@Suite struct GradientVerdictTests {
  private func verdict(_ factor: Double, steps: Int = 60) -> GradientVerdict {
    GradientVerdict(subject: "a line", norms: (0..<steps).map { 3 * pow(factor, Double($0)) })
  }

  @Test func exactDecaysHaveTheirNumbers() {
    // 0.5^k < 1/100 from k = 7 on, so that the 7th norm, k = 7, is 0.5⁶ = 1.6 %.
    let half = verdict(0.5)
    #expect(half.kind == .vanishing)
    #expect(half.reach == 7)
    #expect(abs(half.factorPerStep - 0.5) < 1e-12)
    #expect(half.finding.contains("beyond 7 steps back") && half.finding.contains("0.50 a step"))
    #expect(half.advice.first?.contains("LSTM") == true)

    // 1.1^59 = 276.
    let growing = verdict(1.1)
    #expect(growing.kind == .exploding)
    #expect(growing.largestGrowthAt == 60)
    #expect(abs(growing.largestGrowth - pow(1.1, 59)) < 1e-9)
    #expect(growing.advice.first?.contains("--clip-norm") == true)

    let steady = verdict(0.98)
    #expect(steady.kind == .healthy)
    #expect(steady.reach == 60)
    #expect(steady.advice.isEmpty)
  }

  @Test func whatIsNotFiniteExplodes() {
    let verdict = GradientVerdict(subject: "", norms: [1, 2, .infinity, .nan])
    #expect(verdict.kind == .exploding)
    #expect(verdict.finding.contains("3 steps back"))
  }

  @Test func whatIsNoNumberFromTheFirstStepOnExplodes() {
    let verdict = GradientVerdict(subject: "", norms: [Double](repeating: .nan, count: 30))
    #expect(verdict.kind == .exploding && verdict.largestGrowthAt == 1)
  }

  @Test func noGradientAtAllVanishes() {
    #expect(GradientVerdict(subject: "", norms: [0, 0, 0]).kind == .vanishing)
  }

  /// Cells made to vanish, to explode and to be well.
  @Test func cellsAreFlagged() throws {
    var settings = FreshCellSettings()
    settings.hiddenSize = 24
    settings.batch = 4
    func kind(_ cell: FreshCell) throws -> GradientVerdict.Kind {
      try cell.study(settings, withBound: false).verdict.kind
    }
    #expect(try kind(.sweep(.elman, hiddenSize: 24, radius: 0.5)) == .vanishing)
    #expect(try kind(.sweep(.elmanReLU, hiddenSize: 24, radius: 0.75)) == .vanishing)
    #expect(try kind(.sweep(.elmanReLU, hiddenSize: 24, radius: 1)) == .healthy)
    #expect(try kind(.sweep(.elmanReLU, hiddenSize: 24, radius: 1.25)) == .exploding)
    var open = CellInitialiser.orthogonal
    open.forgetBias = 4
    #expect(try kind(FreshCell(.lstm, start: "", initialiser: open)) == .healthy)
  }

  @Test func radiiAreWhatWasAskedFor() throws {
    var settings = FreshCellSettings()
    settings.hiddenSize = 16
    settings.batch = 2
    settings.steps = 10
    for kind in [CellKind.elman, .lstm, .gru] {
      let study = try FreshCell.sweep(kind, hiddenSize: 16, radius: 1.25)
        .study(settings, withBound: true)
      #expect(abs(study.spectralRadius - 1.25) < 1e-5)
      #expect(study.disagreement < 1e-4)
      #expect(study.throughCellAlone.count == (kind == .lstm ? 10 : 0))
      for (value, bound) in zip(study.product, study.bound) { #expect(value <= bound * (1 + 1e-6)) }
    }
  }
}
