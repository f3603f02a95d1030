import Tensors

/// One layer that reads a sequence from both ends; outputs of both stand side by side.
///
///     outputs_t = [forward_t ; backward_t]
///
/// It needs the whole sequence, so it is no cell; but it stacks like one. With lengths, the backward
/// direction begins at each sequence's own last step.
///
/// - SeeAlso: M. Schuster, K. Paliwal, "Bidirectional Recurrent Neural Networks", IEEE Transactions
///   on Signal Processing 45 (1997).
public struct Bidirectional<Layer: Unfoldable>: Unfoldable {
  public let forward: Layer
  public let backward: Layer

  static var suffix: String { "_reverse" }

  public init(forward: Layer, backward: Layer) {
    self.forward = forward
    self.backward = backward
  }

  public func initialState(batch: Int) -> [Layer.State] {
    [forward.initialState(batch: batch), backward.initialState(batch: batch)]
  }

  /// - Parameter state: of the forward and of the backward direction.
  public func unfold(
    over inputs: Layer.Input, from state: [Layer.State]?, lengths: [Int]?, mode: Mode
  ) -> (outputs: Layer.Output, last: [Layer.State]) {
    let (steps, batch) = sequenceShape(inputs)
    checkLengths(lengths, steps: steps, batch: batch)
    require(
      state == nil || state?.count == 2, "\(state?.count ?? 0) states for 2 directions")
    let order = Self.reversal(steps: steps, lengths: lengths, batch: batch)
    let (ahead, aheadLast) = forward.unfold(
      over: inputs, from: state?[0], lengths: lengths, mode: mode.part(0))
    let (back, backLast) = backward.unfold(
      over: inputs.mapTensors { $0.places(order, leading: [steps, batch]) }, from: state?[1],
      lengths: lengths, mode: mode.part(1))
    let both = zip(ahead.tensors, back.tensors).map {
      concatenated($0, $1.places(order, leading: [steps, batch]))
    }
    return (ahead.replacing(both), [aheadLast, backLast])
  }

  public var parameters: [(name: String, parameter: Parameter)] {
    forward.parameters + backward.parameters.map { ($0.name + Self.suffix, $0.parameter) }
  }

  /// For each place (t, b) of the reversed sequences, the place that it is read from. Reversing
  /// twice gives the beginning again.
  private static func reversal(steps: Int, lengths: [Int]?, batch: Int) -> [Int32] {
    (0..<steps * batch).map { place in
      let (step, row) = (place / batch, place % batch)
      let length = lengths?[row] ?? steps
      return Int32((step < length ? length - 1 - step : step) * batch + row)
    }
  }
}

extension Tensor {
  /// Some places (t, b) of a sequence, numbered t·B + b: `[T, B, …]` → `leading` + `[…]`.
  func places(_ places: [Int32], leading: Shape) -> Tensor {
    let rest = shape.dimensions.dropFirst(2)
    return reshaped(Shape([shape[0] * shape[1]] + rest)).gathering(places, leading: leading)
  }
}
