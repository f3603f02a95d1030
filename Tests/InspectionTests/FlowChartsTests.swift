import Foundation
import Inspection
import Language
import Plots
import Testing

@Suite struct FlowChartsTests {
  private func study(_ factor: Double, radius: Double, overflow: Int? = nil) -> FlowStudy {
    let norms = (0..<30).map { overflow == nil ? pow(factor, Double($0)) : 0 }
    let one = (0..<30).map { pow(factor, Double($0)) }
    let zeros = one.map { _ in 0.0 }
    return FlowStudy(
      cell: "Elman", start: "radius \(radius)", spectralRadius: radius,
      flows: [GradientFlow(part: "whole state", norms: norms)], product: one, measured: one,
      bound: [], throughCellAlone: [],
      agreement: GradientAgreement(sizes: one, differences: zeros, ofOneStep: zeros),
      verdict: GradientVerdict(subject: "", norms: norms, overflow: overflow))
  }

  /// Thin lines of theory, by their dashes.
  private func lines(_ chart: Chart, dashes: String) -> Int {
    chart.svg.split(separator: "\n").count {
      $0.contains("stroke-width=\"1\" stroke-dasharray=\"\(dashes)\"")
    }
  }

  @Test func sweepsShowWhatTheorySays() {
    let studies = [study(0.5, radius: 0.6), study(0.8, radius: 0.9)]
    for chart in [FlowCharts.radii(studies), FlowCharts.starts(studies)] {
      #expect(lines(chart, dashes: "6 4") == 2)
      #expect(lines(chart, dashes: "1.5 3.5") == 2)
    }
  }

  @Test func aStateThatOverflowsIsNamed() {
    let chart = FlowCharts.radii([
      study(1.1, radius: 1.1), study(1.5, radius: 1.25, overflow: 30),
      study(1.5, radius: 1.5, overflow: 9),
    ])
    #expect(chart.svg.contains("λ = 1.25, 1.50: the state outgrows Float32"))
    let none = FlowCharts.radii([study(1.1, radius: 1.1)])
    #expect(!none.svg.contains("outgrows"))
  }

  @Test func aPredictionThatLeavesThePictureIsAnnounced() {
    let norms = (0..<30).map { pow(0.9, Double($0)) }
    let zeros = norms.map { _ in 0.0 }
    let flow = ModelFlow(
      flows: [GradientFlow(part: "whole state", norms: norms)], measured: norms, product: norms,
      agreement: GradientAgreement(
        sizes: norms, differences: norms.indices.map { $0 < 12 ? 1e-6 : 1e-3 }, ofOneStep: zeros),
      sequences: 1)
    let growing = FlowCharts.agreement(flow, radii: [("candidate", 16)])
    #expect(growing.subtitle?.contains("leaves the picture") == true)
    let falling = FlowCharts.agreement(flow, radii: [("candidate", 0.9)])
    #expect(falling.subtitle?.contains("leaves the picture") == false)
    // And where the product of Jacobians begins to differ.
    #expect(falling.svg.contains("farther back 10⁻⁴ apart and more"))
  }

  @Test func longMemoryIsOneChart() {
    func result(_ task: MemoryTrial.Task, _ lag: Int, _ seed: UInt64, _ isLearned: Bool)
      -> MemoryResult
    {
      MemoryResult(
        trial: MemoryTrial(task: task, cell: .lstm, lag: lag, seed: seed),
        settings: MemorySettings(), isLearned: isLearned, updates: 100, error: isLearned ? 0 : 1)
    }
    let chart = LearningCharts.memory([
      result(.adding, 10, 1, true), result(.adding, 10, 2, true), result(.adding, 20, 1, true),
      result(.adding, 20, 2, false), result(.adding, 50, 1, false), result(.adding, 50, 2, false),
      result(.copy, 10, 1, false), result(.copy, 10, 2, false),
    ])
    #expect(chart.description == "adding, LSTM: up to a lag of 20. copy, LSTM: at no lag.")
    let svg = chart.svg
    for label in ["adding, LSTM", "copy, LSTM", "10", "20", "50"] {
      #expect(svg.contains(">\(label)</text>"), "\(label)")
    }
    // A mark for each training, and one more for each in the legend.
    #expect(svg.ranges(of: "<circle class=\"dot c0\"").count == 3 + 1)
    #expect(svg.ranges(of: "class=\"line c1\"").count == 5 + 1)
  }

  @Test func windowsAreLabelledAsTheyWere() {
    let points = (0...7).map { power in
      TruncationStudy.Point(
        window: 1 << power, cosine: 1, relativeNorm: 1, bias: 0, deviation: 0)
    }
    let study = GradientStudy.NamedTruncation(
      name: "a model", study: TruncationStudy(steps: 128, batch: 8, samples: 8, points: points))
    let svg = LearningCharts.direction([study]).svg
    for power in 0...7 { #expect(svg.contains(">\(1 << power)</text>")) }
  }
}
