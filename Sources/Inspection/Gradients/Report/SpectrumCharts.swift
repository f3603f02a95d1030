import Foundation
import Plots

/// Charts of the spectra of recurrent matrices.
package enum SpectrumCharts {
  /// Eigenvalues in the complex plane.
  package static func plane(_ change: GradientStudy.SpectrumChange) -> Chart {
    let count = change.now.eigenvalues.count
    let radius = count > 200 ? 1.6 : count > 80 ? 2.2 : 2.8
    var marks: [Mark] = [.circle(radius: 1, name: "unit circle")]
    if let before = change.before {
      marks.append(
        .points(
          x: before.eigenvalues.map(\.real), y: before.eigenvalues.map(\.imaginary),
          name: "before training", colour: .series(0), radius: radius))
    }
    let now = change.now
    marks.append(
      .points(
        x: now.eigenvalues.map(\.real), y: now.eigenvalues.map(\.imaginary),
        name: change.before == nil ? "eigenvalues" : "after", colour: .series(1), radius: radius))
    return Chart(
      now.name.prefix(1).uppercased() + now.name.dropFirst(),
      subtitle: "Spectral radius \(now.spectralRadius.text(2)), "
        + "\(now.outside) of \(count) outside",
      x: Axis("real part"), y: Axis("imaginary part"), size: Chart.Size(340, 390),
      hasEqualScales: true, marks: marks)
  }

  /// The singular values of a layer's gates, by rank.
  package static func singularValues(_ changes: [GradientStudy.SpectrumChange], title: String)
    -> Chart
  {
    let marks = changes.enumerated().flatMap { index, change -> [Mark] in
      let colour = Colour.series(index)
      func line(_ spectrum: Spectrum, _ name: String?, _ dash: Mark.Dash) -> Mark {
        let x = spectrum.singularValues.indices.map { Double($0 + 1) }
        return .line(x: x, y: spectrum.singularValues, name: name, colour: colour, dash: dash)
      }
      let name = change.now.name.split(separator: ", ").last.map(String.init)
      return [change.before.map { line($0, nil, .dotted) }, line(change.now, name, .solid)]
        .compactMap { $0 }
    }
    return Chart(
      title,
      subtitle: changes.contains { $0.before != nil } ? "Solid: now; dotted: before training" : nil,
      x: Axis("rank"), y: Axis("singular value", includesZero: true), size: Chart.Size(420, 300),
      marks: marks)
  }
}
