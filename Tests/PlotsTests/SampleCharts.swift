import Foundation
import Plots

/// Charts of synthetic data, one for each kind, as the snapshots show them.
enum SampleCharts {
  static let all: [(name: String, chart: Chart)] = [
    ("lines", lines), ("bands", bands), ("gradient-norm", gradientNorm),
    ("eigenvalues", eigenvalues),
    ("surface", surface), ("correlations", correlations), ("bars", bars), ("columns", columns),
    ("histogram", histogram), ("decay", decay), ("empty", empty),
  ]

  private static let steps = (0...60).map { Double($0) * 400 }

  private static func decaying(_ from: Double, _ to: Double, wobble: Double) -> [Double] {
    steps.map { step in to + (from - to) * exp(-step / 4000) + wobble * sin(step / 700) }
  }

  static let lines = Chart(
    "Loss", subtitle: "Mean cross-entropy of the window, and over the validation text",
    x: Axis("step"), y: Axis("nats per token"),
    marks: [
      .line(x: steps, y: decaying(4.1, 1.3, wobble: 0.04), name: "training"),
      .line(
        x: steps, y: decaying(4, 1.5, wobble: 0.01), name: "validation", colour: .series(1),
        width: 2.5),
      .rule(x: 17_600, label: "best"),
    ])

  static let bands: Chart = {
    let lags = [10.0, 20, 50, 100, 200, 500, 1000]
    let middles: [[Double]] = [
      [1, 0.95, 0.4, 0.12, 0.1, 0.1, 0.1], [1, 1, 0.98, 0.9, 0.6, 0.2, 0.1],
    ]
    let names = ["Elman", "LSTM"]
    var marks: [Mark] = []
    for (index, y) in middles.enumerated() {
      let (low, high) = (y.map { max(0, $0 - 0.1) }, y.map { min(1, $0 + 0.06) })
      marks.append(.band(x: lags, low: low, high: high, colour: .series(index)))
      marks.append(.line(x: lags, y: y, name: names[index], colour: .series(index)))
    }
    return Chart(
      "How far back they remember", subtitle: "Copy problem; median and range over five seeds",
      x: Axis("lag, steps", scale: .logarithmic),
      y: Axis("fraction of sequences right", domain: 0...1), size: .half, legend: .atEnds,
      marks: marks)
  }()

  static let gradientNorm: Chart = {
    let norms = steps.map { step -> Double in pow(10, sin(step / 900) - step / 15_000) }
    let clipped = norms.indices.filter { norms[$0] > 1 }
    return Chart(
      "Gradient norm", subtitle: "Before clipping; crosses are steps in which it acted",
      x: Axis("step"), y: Axis("‖g‖", scale: .logarithmic),
      marks: [
        .line(x: steps, y: norms, width: 1.25),
        .points(
          x: clipped.map { steps[$0] }, y: clipped.map { norms[$0] }, name: "clipped",
          colour: .series(1), shape: .cross, radius: 2.5),
        .rule(y: 1, label: "clip norm 1", colour: .series(1)),
      ])
  }()

  static let eigenvalues: Chart = {
    let angles = (0..<48).map { Double($0) * 2.4 }
    let radii = (0..<48).map { (Double($0) / 47).squareRoot() }
    let real = zip(radii, angles).map { $0 * cos($1) }
    let imaginary = zip(radii, angles).map { $0 * sin($1) }
    return Chart(
      "Eigenvalues of W", subtitle: "Those outside of the circle make gradients grow",
      x: Axis("real part"), y: Axis("imaginary part"), size: .square, hasEqualScales: true,
      marks: [
        .circle(radius: 1, name: "unit circle"),
        .points(
          x: real.map { $0 * 0.98 }, y: imaginary.map { $0 * 0.98 }, name: "before",
          colour: .series(0), shape: .ring),
        .points(
          x: real.map { $0 * 1.25 }, y: imaginary.map { $0 * 1.1 }, name: "after",
          colour: .series(1)),
      ])
  }()

  static let surface: Chart = {
    let field = Field(x: -2...2, y: -1.5...1.5, columns: 64, rows: 48) { x, y in
      let bend = y - x * x * 0.5
      return 0.01 + bend * bend * 4 + (x - 1) * (x - 1)
    }
    let path = (0...14).map { step -> (Double, Double) in
      let t = Double(step) / 14
      return (-1.6 + 2.5 * t, 1.3 - 1.1 * t * (1 - t) * 4 - 0.85 * t)
    }
    return Chart(
      "Error surface", subtitle: "Gradient descent goes from the ring to the dot",
      x: Axis("weight w"), y: Axis("bias b"), size: Chart.Size(560, 420),
      marks: [
        .field(field, scale: ColourScale("error", scale: .logarithmic)),
        .contours(field, levels: [0.1, 0.5, 1, 2, 5, 10, 20]),
        .line(
          x: path.map(\.0), y: path.map(\.1), name: "with clipping", colour: .series(1),
          showsEnds: true),
      ])
  }()

  static let correlations = Chart(
    "Correlations", x: Axis("unit"),
    y: Axis("probe", scale: .categories((1...8).map { "probe \($0)" })), size: .half,
    marks: [
      .field(
        Field(x: -0.5...15.5, y: -0.5...7.5, columns: 16, rows: 8) { sin($0) * cos($1 * 0.8) },
        scale: ColourScale("correlation", map: .diverging))
    ])

  static let bars = Chart(
    "Responsive units", subtitle: "Best unit of each probe, and the control's",
    x: Axis("area under the ROC curve"),
    y: Axis("", scale: .categories(["inside quotes", "inside comments", "indentation", "digits"])),
    size: .half,
    marks: [
      .bars([0.97, 0.93, 0.81, 0.64], name: "best unit"),
      .bars([0.55, 0.56, 0.54, 0.57], name: "control", colour: .muted),
    ])

  static let columns = Chart(
    "Change of the loss", x: Axis("", scale: .categories(["Elman", "GRU", "LSTM"])),
    y: Axis("nats per token"), size: .half,
    marks: [.bars([0.12, -0.05, -0.11], colour: .series(2))])

  static let histogram = Chart(
    "Gate activations", subtitle: "Forget gate, all units", x: Axis("activation"),
    y: Axis("time steps"), size: .half,
    marks: [
      .histogram(
        edges: (0...24).map { Double($0) / 24 },
        counts: (0..<24).map { bin -> Double in
          let distance = Double(bin) - 19
          return (1.2e6 * exp(-distance * distance / 18)).rounded()
        })
    ])

  /// Over a sweep, from vanishing to exploding.
  static let decay: Chart = {
    let radii = [0.5, 0.7, 0.9, 1, 1.1, 1.3]
    let lags = (0...50).map(Double.init)
    return Chart(
      "Gradient against distance", subtitle: "Elman; names are spectral radii",
      x: Axis("steps back, N − t"), y: Axis("‖∂L/∂s‖", scale: .logarithmic), legend: .atEnds,
      marks: radii.map { radius in
        .line(
          x: lags, y: lags.map { pow(radius, $0) }, name: "ρ = \(radius)",
          colour: .diverging((radius - 0.5) / 1), dash: radius == 1 ? .dashed : .solid)
      })
  }()

  static let empty = Chart("Nothing yet", x: Axis("step"), y: Axis("loss"), size: .half, marks: [])
}
