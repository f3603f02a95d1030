import Plots

/// The best units against chance and against all units together.
package enum FindingsCharts {
  package static func charts(_ results: [CellInspection.ProbeResult], layers: Int) -> [Chart] {
    [(Probe.Kind.yesNo, "Yes/no questions", "F1"), (.graded, "Graded questions", "|correlation|")]
      .compactMap { kind, title, measure in
        let chosen = results.filter { $0.kind == kind && !$0.units.isEmpty }
        return chosen.isEmpty ? nil : chart(chosen, title, measure, layers)
      }
  }

  private static func chart(
    _ results: [CellInspection.ProbeResult], _ title: String, _ measure: String, _ layers: Int
  ) -> Chart {
    // Side by side within a row, so that equal numbers don't hide each other.
    let kinds = Double(layers + 2)
    func points(
      _ place: Int, _ name: String, _ colour: Colour, _ shape: Mark.Points.Shape,
      _ value: (CellInspection.ProbeResult) -> Double?
    ) -> Mark {
      let offset = 0.6 * ((Double(place) + 0.5) / kinds - 0.5)
      return .points(
        x: results.map { abs(value($0) ?? .nan) }, y: results.indices.map { Double($0) + offset },
        name: name, colour: colour, shape: shape, radius: 3.5)
    }
    let linear = (0..<layers).map { layer in
      points(2 + layer, "layer \(layer), linear", .series(1 + layer), .ring) { result in
        let score = result.layers.first { $0.layer == layer }
        return score?.f1 ?? score?.correlation
      }
    }
    return Chart(
      title, subtitle: "on the second half of the text", x: Axis(measure, domain: 0...1),
      y: Axis("", scale: .categories(results.map(\.probe))),
      size: Chart.Size(440, Double(130 + 26 * results.count)),
      marks: linear + [
        points(0, "chance", .muted, .cross) { $0.chance },
        points(1, "best unit", .series(0), .dot) { $0.units.first?.score },
      ])
  }
}

/// How often gates are shut and open, a dot a unit.
enum SaturationCharts {
  static let explanation: HTML = """
    Each dot is a unit: how much of the time its gate is left-saturated (below 0.1, nearly shut) and \
    right-saturated (above 0.9, nearly open). A forget gate far to the top never forgets: an \
    integrator; one far to the right never remembers: it works as in a network without recurrence.
    """

  static func charts(_ recording: UnitRecording) -> [Chart] {
    var gates: [String] = []
    for gate in recording.layers.flatMap(\.saturation).map(\.gate) where !gates.contains(gate) {
      gates.append(gate)
    }
    return gates.map { gate in
      let marks = recording.layers.enumerated().compactMap { index, layer in
        layer.saturation.first { $0.gate == gate }.map { saturation in
          Mark.points(
            x: saturation.left.map { Double($0) }, y: saturation.right.map { Double($0) },
            name: "layer \(index)", colour: .series(index), radius: 2)
        }
      }
      return Chart(
        "\(gate.prefix(1).uppercased())\(gate.dropFirst()) gate",
        x: Axis("fraction left-saturated (< 0.1)", domain: 0...1),
        y: Axis("fraction right-saturated (> 0.9)", domain: 0...1), size: .square, marks: marks)
    }
  }
}
