import Foundation
import Language
import Plots

/// Charts of what training does with gradients: truncation, clipping, long memory.
package enum LearningCharts {
  /// Direction and length of the truncated gradient.
  package static func direction(_ studies: [GradientStudy.NamedTruncation]) -> Chart {
    truncation(
      "Direction and length", "Solid: cosine to the full gradient; dashed: relative norm",
      "1 is the full gradient", studies, solid: \.cosine, dashed: \.relativeNorm)
  }

  /// Its bias and its scatter.
  package static func biasAndDeviation(_ studies: [GradientStudy.NamedTruncation]) -> Chart {
    truncation(
      "Bias and deviation", "Solid: bias; dashed: standard deviation over samples",
      "share of the full gradient's norm", studies, solid: \.bias, dashed: \.deviation)
  }

  private static func truncation(
    _ title: String, _ subtitle: String, _ label: String,
    _ studies: [GradientStudy.NamedTruncation],
    solid: (TruncationStudy.Point) -> Double, dashed: (TruncationStudy.Point) -> Double
  ) -> Chart {
    let marks = studies.enumerated().flatMap { index, entry -> [Mark] in
      let points = entry.study.points
      let x = points.map { Double($0.window) }
      let name = studies.count > 1 ? entry.name : nil
      return [
        .line(x: x, y: points.map(dashed), colour: .series(index), dash: .dashed),
        .line(x: x, y: points.map(solid), name: name, colour: .series(index)),
        .points(x: x, y: points.map(solid), colour: .series(index), radius: 2.5),
      ]
    }
    let windows = Set(studies.flatMap { $0.study.points.map(\.window) }).sorted()
    return Chart(
      title, subtitle: subtitle,
      x: Axis("window k, steps", scale: .logarithmic, ticks: windows.map(Double.init)),
      y: Axis(label), size: Chart.Size(420, 300), marks: marks)
  }

  /// The cliff, and two paths of gradient descent.
  package static func cliff(_ demonstration: ClippingDemonstration) -> Chart {
    let surface = ErrorSurface()
    let (w, b) = (4.45...5.15, -2.65 ... -2.1)
    let field = Field(x: w, y: b, columns: 360, rows: 280) {
      surface(w: $0, b: $1).error
    }
    func path(_ places: [ErrorSurface.Place], _ name: String, _ colour: Colour) -> Mark {
      .line(
        x: places.map(\.w), y: places.map(\.b), name: name, colour: colour, width: 2.5,
        showsEnds: true)
    }
    return Chart(
      "The cliff of a network of one unit",
      subtitle: "Error after 50 steps; gradient descent with a learning rate of "
        + "\(demonstration.learningRate), 100 updates from the ring",
      x: Axis("weight w", domain: w), y: Axis("bias b", domain: b),
      size: Chart.Size(640, 460),
      marks: [
        .field(field, scale: ColourScale("error")),
        .contours(field, levels: [0.01, 0.02, 0.03, 0.04, 0.05, 0.3]),
        path(demonstration.plain, "as it is", .series(1)),
        path(demonstration.clipped, "norm clipped at \(demonstration.clipNorm)", .series(5)),
      ])
  }

  /// A cut through the cliff.
  package static func cut() -> Chart {
    let surface = ErrorSurface()
    let x = (0...400).map { 4.2 + 1.4 * Double($0) / 400 }
    let slopes = x.map { surface(w: $0, b: -2.42) }
    return Chart(
      "How steep it is", subtitle: "Along b = −2.42", x: Axis("weight w"),
      y: Axis("‖∂E/∂(w, b)‖", scale: .logarithmic), size: .wide,
      marks: [.line(x: x, y: slopes.map(\.norm), colour: .series(0))])
  }

  /// At which lag each cell still learns each task: a mark for every training.
  package static func memory(_ results: [MemoryResult]) -> Chart {
    let rows = MemoryRow.all(results)
    let seeds = Set(results.map(\.trial.seed)).sorted()
    let lags = Set(results.map(\.trial.lag)).sorted().map { Double($0) }
    let (first, last) = (lags.first ?? 1, lags.last ?? 1)
    let shown = first / 1.4...last * 1.4
    func points(_ isLearned: Bool) -> Mark {
      var (x, y): ([Double], [Double]) = ([], [])
      for (number, row) in rows.enumerated() {
        for result in row.results where result.isLearned == isLearned {
          // Seeds one under the other, within the row.
          let seed = Double(seeds.firstIndex(of: result.trial.seed) ?? 0) + 0.5
          x.append(Double(result.trial.lag))
          y.append(Double(number) + 0.7 * (seed / Double(seeds.count) - 0.5))
        }
      }
      return .points(
        x: x, y: y, name: isLearned ? "learned" : "not learned",
        colour: .series(isLearned ? 0 : 1), shape: isLearned ? .dot : .cross)
    }
    var marks: [Mark] = []
    for (number, row) in rows.enumerated() {
      guard let reach = row.reach else { continue }
      let (top, bottom) = (Double(number) - 0.4, Double(number) + 0.4)
      marks.append(
        .band(
          x: [shown.lowerBound, Double(reach)], low: [top, top], high: [bottom, bottom],
          name: "up to the longest lag that half of the seeds learned"))
    }
    marks += [points(true), points(false)]
    return Chart(
      "At which lag each cell still learns",
      subtitle: "A mark for each training, those of \(seeds.count) seeds beside each other; none "
        + "where none was tried",
      description: rows.map(\.summary).joined(separator: " "),
      x: Axis("lag, steps", scale: .logarithmic, domain: shown, ticks: lags),
      y: Axis("", scale: .categories(rows.map(\.name))),
      size: Chart.Size(680, 120 + 36 * Double(max(rows.count, 1))), marks: marks)
  }
}

/// The trainings of one cell on one task.
private struct MemoryRow {
  /// "adding, LSTM".
  let name: String
  let results: [MemoryResult]

  /// Task by task, those that there are.
  static func all(_ results: [MemoryResult]) -> [MemoryRow] {
    var rows: [MemoryRow] = []
    for task in MemoryTrial.Task.allCases {
      for cell in [CellKind.elman, .elmanReLU, .gru, .lstm] {
        let own = results.filter { $0.trial.task == task && $0.trial.cell == cell }
        if own.isEmpty { continue }
        rows.append(MemoryRow(name: "\(task.rawValue), \(cell.title)", results: own))
      }
    }
    return rows
  }

  /// The longest lag that at least half of the seeds learned that tried it.
  var reach: Int? {
    let lags = Set(results.map(\.trial.lag))
    return lags.filter { lag in
      let own = results.filter { $0.trial.lag == lag }
      return 2 * own.filter(\.isLearned).count >= own.count
    }.max()
  }

  var summary: String {
    guard let reach else { return "\(name): at no lag." }
    return "\(name): up to a lag of \(reach)."
  }
}
