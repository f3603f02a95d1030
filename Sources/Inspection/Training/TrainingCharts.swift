import Foundation
import Plots

/// The pictures of a training.
package struct TrainingCharts {
  let history: TrainingHistory
  let clipNorm: Double?

  package init(history: TrainingHistory, clipNorm: Double?) {
    (self.history, self.clipNorm) = (history, clipNorm)
  }

  /// The numbers of a figure with the steps that have it.
  private func series(_ lines: [MetricsLine], _ figure: (MetricsLine) -> Double?)
    -> (x: [Double], y: [Double])
  {
    let points = lines.compactMap { line in figure(line).map { (Double(line.step), $0) } }
    return (points.map(\.0), points.map(\.1))
  }

  /// Medians over equal numbers of points, so that lines beside each other can be told apart.
  private func calmed(_ data: (x: [Double], y: [Double])) -> (x: [Double], y: [Double]) {
    let run = pointsPerMedian
    guard run > 1 else { return data }
    let starts = stride(from: 0, to: data.x.count, by: run)
    return (
      starts.map { data.x[min($0 + run / 2, data.x.count - 1)] },
      starts.map { start in
        let part = data.y[start..<min(start + run, data.y.count)].sorted()
        return part[part.count / 2]
      }
    )
  }

  private var pointsPerMedian: Int { (history.steps.count + 119) / 120 }

  private var medianNote: String {
    pointsPerMedian > 1 ? "; each point is the median of \(pointsPerMedian) logged steps" : ""
  }

  /// Steps from the first to the last line, the same in all charts.
  private var stepAxis: Axis {
    Axis("step", domain: history.lastStep > 0 ? 0...Double(history.lastStep) : nil)
  }

  // MARK: How well it predicts

  package var loss: Chart { losses("Loss", Axis("nats per token"), .wide) { $0 } }

  package var perplexity: Chart {
    losses("Perplexity", Axis("perplexity", scale: .logarithmic), .half, exp)
  }

  private func losses(
    _ title: String, _ axis: Axis, _ size: Chart.Size, _ transform: (Double) -> Double
  ) -> Chart {
    let windows = series(history.steps) { $0.trainingNatsPerToken.map(transform) }
    let training = series(history.evaluations) { $0.trainingNatsPerToken.map(transform) }
    let validation = series(history.evaluations) { $0.validationNatsPerToken.map(transform) }
    var marks: [Mark] = [
      .line(
        x: windows.x, y: windows.y, name: "training, one window",
        colour: history.evaluations.isEmpty ? .series(0) : .faint, width: 1)
    ]
    for (name, data, colour) in [
      ("training, mean since the evaluation before", training, Colour.series(0)),
      ("validation", validation, .series(1)),
    ] where !data.x.isEmpty {
      marks.append(.line(x: data.x, y: data.y, name: name, colour: colour, width: 2))
      if data.x.count <= 40 { marks.append(.points(x: data.x, y: data.y, colour: colour)) }
    }
    if let best = history.best, history.evaluations.count > 1 {
      marks.append(.rule(x: Double(best.step), label: "best"))
    }
    return Chart(
      title, description: description(title.lowercased(), validation, training),
      x: stepAxis, y: axis, size: size, legend: size == .wide ? .above : .none, marks: marks)
  }

  private func description(
    _ what: String, _ validation: (x: [Double], y: [Double]), _ training: (x: [Double], y: [Double])
  ) -> String {
    let shown = validation.x.isEmpty ? ("Training", training) : ("Validation", validation)
    guard let first = shown.1.y.first, let last = shown.1.y.last, let step = shown.1.x.last else {
      return "The \(what) of each logged step; the model hasn't been evaluated yet."
    }
    return
      "\(shown.0) \(what) went from \(first.text(3)) to \(last.text(3)) in \(Int(step).grouped) "
      + "steps."
  }

  package var learningRate: Chart {
    let rates = series(history.steps, \.learningRate)
    return Chart(
      "Learning rate", x: stepAxis, y: Axis("learning rate", includesZero: true), size: .half,
      marks: [.line(x: rates.x, y: rates.y)])
  }

  package var speed: Chart {
    let speeds = series(history.steps, \.tokensPerSecond)
    return Chart(
      "Speed", x: stepAxis, y: Axis("tokens per second", includesZero: true), size: .half,
      marks: [.line(x: speeds.x, y: speeds.y)])
  }

  // MARK: Gradients

  package var gradientNorm: Chart {
    let norms = series(history.steps, \.gradientNorm)
    var marks: [Mark] = [.line(x: norms.x, y: norms.y, width: 1.1)]
    if let strip = clippingStrip(under: norms.y, name: "steps in which clipping acted") {
      marks.append(strip)
    }
    if let clipNorm {
      marks.append(.rule(y: clipNorm, label: "limit \(clipNorm.brief)", colour: .series(1)))
    }
    let acted = history.clippedShares.map { shares in
      "Clipping acted in \((shares.byNorm * 100).text(1)) % of all steps by norm, in "
        + "\((shares.byValue * 100).text(1)) % by value."
    }
    return Chart(
      "Gradient norm", subtitle: "Of all parameters together, before clipping", description: acted,
      x: stepAxis, y: Axis("‖g‖", scale: .logarithmic), marks: marks)
  }

  /// Under the norms in a chart, a dash wherever clipping acted; nil if it never did.
  private func clippingStrip(under norms: [Double], name: String) -> Mark? {
    guard history.steps.contains(where: { $0.clipped == true }),
      let least = norms.filter({ $0.isFinite && $0 > 0 }).min()
    else { return nil }
    return .line(
      x: history.steps.map { Double($0.step) },
      y: history.steps.map { $0.clipped == true ? least / 1.5 : .nan }, name: name,
      colour: .ink, width: 3)
  }

  /// How often clipping acted as the training went on.
  package var clipping: Chart? {
    let (x, y) = history.clippedShareOverTime
    guard y.contains(where: { $0 > 0 }) else { return nil }
    return Chart(
      "Clipping", x: stepAxis,
      y: Axis("percent of the steps in which it acted", domain: 0...100), size: .half,
      marks: [.line(x: x, y: y.map { $0 * 100 }, colour: .series(1), width: 1.25)])
  }

  /// Root of the sum of squares over each layer's parameters.
  package var layerGradientNorms: Chart {
    let layers = history.layers
    let lines = layers.map { entry in
      calmed(
        series(history.steps) { line in
          line.gradientNorms.map { all in
            entry.parameters.reduce(0) { sum, name in
              let norm = all[name] ?? 0
              return sum + norm * norm
            }.squareRoot()
          }
        })
    }
    var marks = zip(layers, lines).enumerated().map { index, entry -> Mark in
      let (layer, norms) = (entry.0.layer, entry.1)
      let colour: Colour =
        layers.count <= 7 ? .series(index) : .ramp(Double(index) / Double(layers.count - 1))
      return .line(x: norms.x, y: norms.y, name: layer.name, colour: colour)
    }
    if let strip = clippingStrip(under: lines.flatMap(\.y), name: "clipping acted") {
      marks.append(strip)
    }
    return Chart(
      "Gradient norm of each layer", subtitle: "Before clipping\(medianNote)", x: stepAxis,
      y: Axis("‖g‖", scale: .logarithmic), legend: layers.count <= 16 ? .atEnds : .none,
      marks: marks)
  }

  /// A chart for each layer, all with the same axes.
  package var updateRatios: [Chart] {
    let all = history.steps.flatMap { ($0.updateRatios ?? [:]).values }.filter { $0 > 0 }
    guard let low = all.min(), let high = all.max(), high.isFinite else { return [] }
    let domain = min(low, 5e-4)...max(high, 2e-3)
    return history.layers.map { layer, parameters in
      let marks = parameters.enumerated().map { index, name -> Mark in
        let ratios = calmed(series(history.steps) { $0.updateRatios?[name] })
        let short = name.split(separator: ".").last.map(String.init) ?? name
        return .line(x: ratios.x, y: ratios.y, name: short, colour: .series(index))
      }
      return Chart(
        "Updates: \(layer.name)", x: stepAxis,
        y: Axis("‖Δw‖ / ‖w‖", scale: .logarithmic, domain: domain), size: .half,
        marks: marks + [.rule(y: 1e-3)])
    }
  }
}
