import Foundation
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
    return Chart(
      title, subtitle: subtitle, x: Axis("window k, steps", scale: .logarithmic),
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

  /// One task: the error of each cell over the lag.
  package static func memory(_ results: [MemoryResult], task: MemoryTrial.Task) -> Chart {
    let own = results.filter { $0.trial.task == task }
    let cells = Set(own.map(\.trial.cell)).sorted { $0.rawValue < $1.rawValue }
    let seeds = Set(own.map(\.trial.seed)).count
    let marks = cells.enumerated().flatMap { index, cell -> [Mark] in
      let trials = own.filter { $0.trial.cell == cell }
      let lags = Set(trials.map(\.trial.lag)).sorted()
      let errors = lags.map { lag in
        trials.filter { $0.trial.lag == lag }.map { min(max($0.error, 1e-3), 2) }.sorted()
      }
      let x = lags.map(Double.init)
      let colour = Colour.series(index)
      return [
        .band(
          x: x, low: errors.map { $0.first ?? .nan }, high: errors.map { $0.last ?? .nan },
          colour: colour),
        .line(
          x: x, y: errors.map { GradientFlow.quantile($0, 0.5) }, name: cell.title, colour: colour),
        .points(
          x: zip(x, errors).flatMap { x, errors in errors.map { _ in x } },
          y: errors.flatMap { $0 }, colour: colour, radius: 2.5),
      ]
    }
    return Chart(
      task == .adding ? "Adding problem" : "Copy problem",
      subtitle: "Median and range of \(seeds) seeds", x: Axis("lag, steps", scale: .logarithmic),
      y: Axis("error, 1 = without memory", scale: .logarithmic, domain: 1e-3...2),
      size: Chart.Size(420, 320),
      marks: [.rule(y: 0.1, label: "learned")] + marks)
  }
}
