import Foundation
import Recurrence
import Tensors

/// How the norm of a gradient changes on its way back through time.
///
///     ‖∂L_N/∂s_{N−k}‖   for k = 1 … N
///
/// over several sequences: the median, and the middle half.
public struct GradientFlow: Sendable, Equatable, Encodable {
  /// A part of the state: "h", "c", "layer 1 h".
  public let part: String
  /// The median over the sequences; the first number is that of k = 1.
  public let norms: [Double]
  public let lowerQuartile: [Double]
  public let upperQuartile: [Double]

  /// - Parameter norms: by lag, then by sequence.
  package init(part: String, norms: [[Double]]) {
    self.part = part
    let sorted = norms.map { $0.sorted() }
    self.norms = sorted.map { Self.quantile($0, 0.5) }
    lowerQuartile = sorted.map { Self.quantile($0, 0.25) }
    upperQuartile = sorted.map { Self.quantile($0, 0.75) }
  }

  /// A single sequence's.
  public init(part: String, norms: [Double]) { self.init(part: part, norms: norms.map { [$0] }) }

  /// Between the two values that are next to it.
  static func quantile(_ sorted: [Double], _ fraction: Double) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = fraction * Double(last)
    let (low, high) = (Int(place), min(Int(place) + 1, last))
    return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
  }
}

extension GradientTrace {
  /// The flow of the whole state, and of each of its tensors if there are several.
  public func flows() -> [GradientFlow] {
    let sequences = 0..<batch
    func flow(_ part: String, _ tensors: (Cell.State) -> [Tensor]) -> GradientFlow {
      let norms = gradients.reversed().map { gradient in
        sequences.map { sequence in norm(tensors(gradient).row(sequence)) }
      }
      return GradientFlow(part: part, norms: norms)
    }
    let names = states.first.map { stateNames(of: $0) } ?? []
    let whole = flow("whole state") { $0.tensors }
    guard names.count > 1 else { return [whole] }
    return [whole] + names.indices.map { index in flow(names[index]) { [$0.tensors[index]] } }
  }
}
