import Foundation
import Plots

/// Charts of gradients on their way back through time.
package enum FlowCharts {
  private static let label = "‖∂L/∂sₜ‖"
  /// Below this share of the first norm there is nothing to see.
  private static let floor = 1e-12

  private static func lags(_ count: Int) -> [Double] { (0..<count).map { Double($0 + 1) } }

  private static func back(_ count: Int) -> Axis {
    Axis("steps back, N − t", domain: 0...Double(count + 1))
  }

  /// An axis that leaves out what is beyond sight.
  ///
  /// - Parameter room: how many times the first norm there is room for, so that a prediction of
  ///   growth can be seen.
  private static func axis(_ label: String, _ shown: [[Double]], room: Double = 1) -> Axis {
    let numbers = shown.flatMap { $0 }.filter { $0.isFinite && $0 > 0 }
    let first = shown.compactMap(\.first).max() ?? 1
    guard let low = numbers.min(), let high = numbers.max() else {
      return Axis(label, scale: .logarithmic)
    }
    let bottom = max(low, first * floor) / 1.5
    let top = min(max(high * 1.5, first * room), first / floor)
    return Axis(label, scale: .logarithmic, domain: bottom...max(top, bottom * 10))
  }

  /// Measured gradient, product of Jacobians, their bound, and the eigenvalue's prediction.
  package static func comparison(_ study: FlowStudy) -> Chart {
    let x = lags(study.measured.count)
    let seen = x.indices.filter { $0 % 3 == 0 }
    var marks: [Mark] = [
      .line(
        x: x, y: study.bound, name: "largest possible, ‖J⋯J‖₂", colour: .muted, width: 1.25),
      .line(
        x: x, y: study.prediction, name: "λᴺ⁻ᵗ, λ = \(study.spectralRadius.text(2))",
        colour: .series(1), dash: .dashed),
      .line(x: x, y: study.product, name: "product of Jacobians", colour: .series(0)),
    ]
    if !study.throughCellAlone.isEmpty {
      marks.append(
        .line(
          x: x, y: study.throughCellAlone, name: "through c alone, ∏f", colour: .series(2),
          dash: .dotted))
    }
    marks.append(
      .points(
        x: seen.map { x[$0] }, y: seen.map { study.measured[$0] }, name: "backpropagation",
        colour: .series(0), shape: .ring, radius: 3))
    return Chart(
      "\(study.cell), \(study.start)",
      subtitle: "One sequence; rings lie on the line where theory and tape agree",
      description: study.verdict.finding, x: back(x.count),
      y: axis(label, [study.measured, study.bound, study.prediction, study.throughCellAlone]),
      size: .wide, marks: marks)
  }

  /// One cell, started with different spectral radii.
  package static func radii(_ studies: [FlowStudy]) -> Chart {
    let last = Double(max(studies.count - 1, 1))
    let marks = studies.enumerated().flatMap { index, study -> [Mark] in
      let norms = study.flows.first?.norms ?? []
      let colour = Colour.ramp(Double(index) / last)
      return theory(study, colour) + [
        .line(x: lags(norms.count), y: norms, name: name(study), colour: colour)
      ]
    }
    let isIdentity = studies.first?.start.hasPrefix("identity") ?? false
    let x = back(studies.first?.measured.count ?? 0)
    let y = axis(label, studies.map { $0.flows.first?.norms ?? [] }, room: 1e3)
    return Chart(
      (studies.first?.cell ?? "") + (isIdentity ? ", W = λ·I" : ""),
      subtitle: "Median of 16 sequences; \(theoryNote)", x: x, y: y,
      size: Chart.Size(420, 340), legend: .atEnds, marks: marks + overflowNote(studies, x, y))
  }

  private static func name(_ study: FlowStudy) -> String {
    "λ = \(study.spectralRadius.text(2))"
  }

  private static let theoryNote = "dashed: ∏J of one; dotted: λᴺ⁻ᵗ"

  /// What theory says of a cell, in thin lines: the product of Jacobians of one sequence, and λᴺ⁻ᵗ,
  /// which begins where the median does if there is one.
  private static func theory(_ study: FlowStudy, _ colour: Colour) -> [Mark] {
    let x = lags(study.product.count)
    let (median, predicted) = (study.flows.first?.norms.first ?? 0, study.prediction.first ?? 0)
    let scale = median > 0 && median.isFinite && predicted > 0 ? median / predicted : 1
    return [
      .line(
        x: x, y: study.prediction.map { $0 * scale }, colour: colour, dash: .dotted, width: 1),
      .line(x: x, y: study.product, colour: colour, dash: .dashed, width: 1),
    ]
  }

  /// Names the cells whose line is missing, or a part of it, since their state grows beyond all
  /// numbers: at the top, where the line would go.
  private static func overflowNote(_ studies: [FlowStudy], _ x: Axis, _ y: Axis) -> [Mark] {
    let radii = studies.filter { $0.verdict.overflow != nil }.map { $0.spectralRadius.text(2) }
    guard !radii.isEmpty else { return [] }
    let (across, up) = (x.domain ?? 0...1, y.domain ?? 0.1...1)
    return [
      .note(
        "λ = \(radii.joined(separator: ", ")): the state outgrows Float32",
        x: across.upperBound / 2, y: pow(up.upperBound, 0.94) * pow(up.lowerBound, 0.06))
    ]
  }

  /// One cell, started in different ways.
  package static func starts(_ studies: [FlowStudy]) -> Chart {
    let marks = studies.enumerated().flatMap { index, study -> [Mark] in
      guard let flow = study.flows.first else { return [] }
      let x = lags(flow.norms.count)
      return theory(study, .series(index)) + [
        .band(x: x, low: flow.lowerQuartile, high: flow.upperQuartile, colour: .series(index)),
        .line(x: x, y: flow.norms, name: study.start, colour: .series(index)),
      ]
    }
    return Chart(
      studies.first?.cell ?? "", subtitle: "Median, middle half of 16 sequences; \(theoryNote)",
      x: back(studies.first?.measured.count ?? 0),
      y: axis(label, studies.map { $0.flows.first?.norms ?? [] }),
      size: Chart.Size(420, 340), marks: marks)
  }

  /// A trained model: the parts of its state.
  package static func parts(_ flow: ModelFlow) -> Chart {
    parts(
      flow.flows, "Gradient of one prediction’s loss for earlier states",
      subtitle: "Median and middle half of \(flow.sequences) stretches of text", unit: ", nats")
  }

  /// A fresh cell with a state of several parts: through h and through c.
  package static func parts(_ study: FlowStudy) -> Chart {
    parts(
      study.flows, "\(study.cell), \(study.start): the parts of its state",
      subtitle: "Median and middle half of 16 sequences", unit: "")
  }

  private static func parts(
    _ flows: [GradientFlow], _ title: String, subtitle: String, unit: String
  ) -> Chart {
    let shown = flows.count > 1 ? Array(flows.dropFirst()) : flows
    let marks = shown.enumerated().flatMap { index, part -> [Mark] in
      let x = lags(part.norms.count)
      return [
        .band(x: x, low: part.lowerQuartile, high: part.upperQuartile, colour: .series(index)),
        .line(x: x, y: part.norms, name: part.part, colour: .series(index)),
      ]
    }
    return Chart(
      title, subtitle: subtitle,
      x: back(shown.first?.norms.count ?? 0), y: axis("\(label)\(unit)", shown.map(\.norms)),
      size: Chart.Size(680, 380),
      legend: .atEnds, marks: marks)
  }

  /// A trained model: measured beside the product of exact Jacobians, and beside eigenvalues.
  package static func agreement(_ flow: ModelFlow, radii: [(name: String, radius: Double)])
    -> Chart
  {
    let x = lags(flow.measured.count)
    let seen = x.indices.filter { $0 % 3 == 0 }
    let first = flow.measured.first ?? 0
    let predictions = radii.enumerated().map { index, entry -> Mark in
      .line(
        x: x, y: x.map { first * pow(entry.radius, $0 - 1) },
        name: "λᴺ⁻ᵗ, \(entry.name), λ = \(entry.radius.text(2))", colour: .series(index + 1),
        dash: .dashed)
    }
    var marks: [Mark] =
      predictions + [
        .line(x: x, y: flow.product, name: "product of Jacobians", colour: .series(0)),
        .points(
          x: seen.map { x[$0] }, y: seen.map { flow.measured[$0] }, name: "backpropagation",
          colour: .series(0), shape: .ring, radius: 3),
      ]
    let (agreement, room) = (flow.agreement, 1e2)
    if agreement.agreeing < agreement.compared {
      marks.append(.rule(x: Double(agreement.agreeing), label: "farther back 10⁻⁴ apart and more"))
    }
    let leaves = radii.contains { pow($0.radius, Double(x.count)) > room }
    return Chart(
      "Measured, multiplied and predicted",
      subtitle: "One stretch of text, the whole state"
        + (leaves ? "; λᴺ⁻ᵗ leaves the picture where it has grown a hundredfold" : ""),
      x: back(x.count), y: axis("\(label), nats", [flow.measured], room: room), size: .wide,
      marks: marks)
  }
}
