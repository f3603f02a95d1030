import Foundation
import Inspection
import Language
import Plots
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
    #expect(abs((half.factorPerStep ?? .nan) - 0.5) < 1e-12)
    #expect(half.finding.contains("beyond 7 steps back") && half.finding.contains("0.50 a step"))
    #expect(half.advice.last?.contains("at about 7 or less") == true)

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
    let verdict = GradientVerdict(subject: "", norms: [0, 0, 0])
    #expect(verdict.kind == .vanishing && verdict.factorPerStep == nil)
    #expect(verdict.finding.contains("doesn’t depend on the state even one step back"))
  }

  /// ReLU makes 0 of what is no number, so that the gradients of a state that has left the range of
  /// Float32 look as if they had vanished.
  @Test func aStateThatIsNotFiniteExplodes() {
    for norms in [[Double](repeating: 0, count: 60), (0..<60).map { pow(0.5, Double($0)) }] {
      let verdict = GradientVerdict(subject: "", norms: norms, overflow: 58)
      #expect(verdict.kind == .exploding)
      #expect(verdict.largestGrowth == .infinity && verdict.largestGrowthAt == 2)
      #expect(verdict.finding.contains("after 58 steps of 60 the state itself"))
    }
  }

  @Test func noSentenceSaysNan() {
    let rows: [[Double]] = [
      [], [0], [1], [0, 0], [1, 0], [1, 200], [1, .nan], [.nan, 1], [.infinity, 1],
      [1, .infinity, 0],
    ]
    for norms in rows {
      for overflow in [nil, 0, norms.count] {
        let verdict = GradientVerdict(subject: "", norms: norms, overflow: overflow)
        let words = ([verdict.finding] + verdict.advice).joined().lowercased()
        #expect(!words.contains("nan ") && !words.contains("inf "), "\(norms): \(words)")
        #expect(verdict.factorPerStep?.isFinite != false, "\(norms)")
      }
    }
  }

  /// The steepest sweep over so many steps that the state overflows.
  @Test func theWorstExplosionIsOne() throws {
    var settings = FreshCellSettings()
    (settings.hiddenSize, settings.batch, settings.steps) = (8, 2, 300)
    let study = try FreshCell.sweep(.elmanReLU, hiddenSize: 8, radius: 1.5)
      .study(settings, withBound: false)
    #expect(study.verdict.kind == .exploding)
    #expect(study.verdict.overflow != nil)
    #expect(study.verdict.finding.contains("the state itself"))
    // Its line may be missing in the chart, but not its name.
    let svg = FlowCharts.radii([study]).svg
    #expect(svg.contains("λ = 1.50: the state outgrows Float32"))
  }

  /// Nobody is told to use what he uses, or to open gates that aren't there.
  @Test func adviceIsForTheCell() {
    func advice(_ cell: CellKind?, _ factor: Double, overflow: Int? = nil) -> String {
      let norms = (0..<60).map { pow(factor, Double($0)) }
      return GradientVerdict(subject: "", norms: norms, cell: cell, overflow: overflow)
        .advice.joined(separator: "\n")
    }
    for cell in [CellKind.lstm, .gru] {
      for factor in [0.5, 1.5] { #expect(!advice(cell, factor).contains("--cell")) }
    }
    for cell in [CellKind.elman, .elmanReLU] {
      for factor in [0.5, 1.5] { #expect(advice(cell, factor).contains("--cell lstm")) }
      #expect(!advice(cell, 0.5).contains("forgetBias"))
    }
    #expect(advice(.lstm, 0.5).contains("forgetBias"))
    #expect(!advice(.elmanReLU, 0.5).contains("with ReLU"))
    #expect(!advice(nil, 0.5).contains("--cell") && !advice(nil, 1.5).contains("--cell"))
    // Clipping a gradient doesn't hold a state.
    #expect(advice(.elmanReLU, 1.5).contains("--clip-norm"))
    #expect(!advice(.elmanReLU, 1.5, overflow: 50).contains("--clip-norm"))
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
      #expect(study.agreement.compared == 10 && study.agreement.largest < 1e-4)
      #expect(study.throughCellAlone.count == (kind == .lstm ? 10 : 0))
      for (value, bound) in zip(study.product, study.bound) { #expect(value <= bound * (1 + 1e-6)) }
    }
  }
}
