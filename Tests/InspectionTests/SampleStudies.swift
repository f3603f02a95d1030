import Foundation
import Inspection
import Language
import Plots

/// Made-up results of studies and of a training, one for each chart of the reports: what they show
/// doesn't depend on the machine.
enum SampleStudies {
  static let charts: [(name: String, chart: Chart)] = [
    ("flow-comparison", FlowCharts.comparison(lstm)),
    ("flow-parts", FlowCharts.parts(lstm)),
    ("flow-radii", FlowCharts.radii([0.5, 0.9, 1, 1.1, 1.5].map { elman("radius \($0)", $0) })),
    (
      "flow-radii-overflow",
      FlowCharts.radii([elman("radius 1.1", 1.1), elman("radius 1.5", 1.5, overflow: 30)])
    ),
    ("flow-starts", FlowCharts.starts([elman("uniform", 0.6), elman("orthogonal", 0.95)])),
    ("flow-trained", FlowCharts.parts(trained)),
    ("flow-agreement", FlowCharts.agreement(trained, radii: [("layer 0, candidate", 1.02)])),
    ("spectrum-plane", SpectrumCharts.plane(spectra[0])),
    ("spectrum-singular-values", SpectrumCharts.singularValues(spectra, title: "Singular values")),
    ("truncation-direction", LearningCharts.direction(truncation)),
    ("truncation-bias", LearningCharts.biasAndDeviation(truncation)),
    ("clipping-cut", LearningCharts.cut()),
    ("findings-yes-no", findings.first),
    ("findings-graded", findings.last),
    ("training-perplexity", training.perplexity),
    ("training-learning-rate", training.learningRate),
    ("training-speed", training.speed),
    ("memory", LearningCharts.memory(memory)),
    ("training-loss", training.loss),
    ("training-gradient-norm", training.gradientNorm),
    ("training-gradient-norm-of-layers", training.layerGradientNorms),
    ("training-clipping", training.clipping),
    ("training-updates", training.updateRatios.first),
  ].compactMap { name, chart in chart.map { (name, $0) } }

  // MARK: Gradients through time

  private static let steps = 40

  /// Norms that change by a factor a step, for sequences that differ a little.
  private static func flow(_ part: String, _ factor: Double) -> GradientFlow {
    let norms = (0..<steps).map { step in
      (-2...2).map { pow(factor, Double(step)) * exp(0.2 * Double($0) + 0.1 * sin(Double(step))) }
    }
    return GradientFlow(part: part, norms: norms)
  }

  private static func elman(_ start: String, _ radius: Double, overflow: Int? = nil) -> FlowStudy {
    let whole = flow("whole state", overflow == nil ? 0.9 * radius : 0)
    // One sequence isn't quite the median.
    let one = flow("", 0.88 * radius).norms
    return FlowStudy(
      cell: "Elman", start: start, spectralRadius: radius, flows: [whole], product: one,
      measured: one, bound: [], throughCellAlone: [], agreement: agreement(one),
      verdict: GradientVerdict(
        subject: "Elman, \(start)", norms: whole.norms, cell: .elman, overflow: overflow))
  }

  private static func agreement(_ norms: [Double]) -> GradientAgreement {
    let differences = norms.map { _ in 4e-7 }
    return GradientAgreement(sizes: norms, differences: differences, ofOneStep: differences)
  }

  private static let lstm: FlowStudy = {
    let flows = [flow("whole state", 0.88), flow("h", 0.8), flow("c", 0.88)]
    let norms = flows[0].norms
    return FlowStudy(
      cell: "LSTM", start: "orthogonal, forget bias 1", spectralRadius: 1, flows: flows,
      product: norms, measured: norms, bound: norms.enumerated().map { $1 * pow(1.04, Double($0)) },
      throughCellAlone: norms.enumerated().map { $1 * pow(0.93, Double($0)) },
      agreement: agreement(norms),
      verdict: GradientVerdict(subject: "LSTM, orthogonal", norms: norms))
  }()

  private static let trained = ModelFlow(
    flows: [
      flow("whole state", 0.95), flow("layer 0 h", 0.7), flow("layer 0 c", 0.9),
      flow("layer 1 h", 0.75), flow("layer 1 c", 0.95),
    ],
    measured: flow("", 0.95).norms, product: flow("", 0.95).norms,
    agreement: agreement(flow("", 0.95).norms), sequences: 8)

  // MARK: Spectra, truncation, long memory

  private static let spectra = ["forget gate", "candidate"].enumerated().map { index, name in
    GradientStudy.SpectrumChange(
      before: spectrum(name, radius: 0.6), now: spectrum(name, radius: 1 + Double(index)), layer: ""
    )
  }

  /// Eigenvalues on a spiral.
  private static func spectrum(_ name: String, radius: Double) -> Spectrum {
    let parts = (0..<32).map { 1 - Double($0) / 32 }
    return Spectrum(
      name: "layer 0, \(name)",
      eigenvalues: parts.map { part in
        ComplexNumber(radius * part * cos(20 * part), radius * part * sin(20 * part))
      },
      singularValues: parts.map { 1.5 * radius * $0 })
  }

  private static let truncation = ["Elman", "LSTM"].enumerated().map { index, name in
    GradientStudy.NamedTruncation(
      name: name,
      study: TruncationStudy(
        steps: 128, batch: 8, samples: 8,
        points: (0...7).map { power in
          let missing = exp(-Double(power + 1) / (1.5 + Double(index)))
          return TruncationStudy.Point(
            window: 1 << power, cosine: 1 - missing / 2, relativeNorm: 1 - missing / 3,
            bias: missing / 4, deviation: 0.9 + missing / 10)
        }))
  }

  /// Lags up to the first that no seed learned.
  private static let memory: [MemoryResult] = {
    var results: [MemoryResult] = []
    for task in MemoryTrial.Task.allCases {
      for cell in [CellKind.elman, .gru, .lstm] {
        let reach = (cell == .elman ? 15.0 : cell == .gru ? 400 : 200) / (task == .copy ? 6 : 1)
        for lag in [10, 20, 50, 100, 200, 500] {
          let trials = (1...3).map { seed in
            let error = min(1, 0.05 * Double(lag) / reach * Double(seed))
            return MemoryResult(
              trial: MemoryTrial(task: task, cell: cell, lag: lag, seed: UInt64(seed)),
              settings: MemorySettings(), isLearned: error < 0.1, updates: 100 * lag, error: error)
          }
          results += trials
          if !trials.contains(where: \.isLearned) { break }
        }
      }
    }
    return results
  }()

  // MARK: Cells

  /// Four units on a made-up text: one that knows a yes/no question, one a graded one, two that know
  /// nothing.
  private static let findings: [Chart] = {
    let count = 2000
    func wave(_ period: Double) -> [Float] {
      (0..<count).map { Float(sin(Double($0) / period) + 0.3 * sin(Double($0 * $0 % 97))) }
    }
    let isYes = (0..<count).map { $0 % 60 < 20 }
    let place = (0..<count).map { Float($0 % 75) }
    let units = [
      wave(11), zip(wave(7), isYes).map { $0 + ($1 ? 2 : 0) },
      zip(wave(5), place).map { $0 - $1 / 20 }, wave(3),
    ]
    guard let recording = try? UnitRecording(units) else { return [] }
    var inspection = CellInspection(recording)
    let questions: [(Probe, [Float])] = [
      (Probe("inside a third", .yesNo, "") { _ in [] }, isYes.map { $0 ? 1 : 0 }),
      (Probe("odd", .yesNo, "") { _ in [] }, (0..<count).map { Float($0 % 2) }),
      (Probe("place", .graded, "") { _ in [] }, place),
    ]
    for (probe, labels) in questions { try? inspection.ask(probe, labels: labels) }
    return FindingsCharts.charts(inspection.results(), layers: 1)
  }()

  // MARK: A training

  private static let training: TrainingCharts = {
    let parameters = [
      "embedding.weight", "lstm.weight_hh_l0", "lstm.weight_hh_l1", "decoder.weight",
    ]
    let lines = (1...200).flatMap { line -> [String] in
      let step = 20 * line
      let loss = 1.4 + 2.6 * exp(-Double(line) / 40) + 0.05 * sin(Double(line) / 3)
      let norm = 0.6 + 1.2 * exp(-Double(line) / 60) + 0.3 * sin(Double(line) / 5)
      let norms = parameters.enumerated().map { "\"\($1)\":\(norm / Double($0 + 2))" }
      let ratios = parameters.enumerated().map { "\"\($1)\":\(0.002 / Double($0 + line / 50 + 1))" }
      var found = [
        """
        {"step":\(step),"training_nats_per_token":\(loss),"learning_rate":0.002,\
        "gradient_norm":\(norm),"clipped":\(norm > 1),"tokens_per_second":9000,\
        "clipped_by_norm":\(min(line, 60) * 12),"clipped_by_value":0,\
        "gradient_norms":{\(norms.joined(separator: ","))},\
        "update_ratios":{\(ratios.joined(separator: ","))}}
        """
      ]
      if line.isMultiple(of: 40) {
        found.append(
          """
          {"step":\(step),"training_nats_per_token":\(loss + 0.1),\
          "validation_nats_per_token":\(loss + 0.2),"is_best":true}
          """)
      }
      return found
    }
    let metrics = Data(lines.joined(separator: "\n").utf8)
    return TrainingCharts(history: TrainingHistory(metrics: metrics), clipNorm: 1)
  }()
}
