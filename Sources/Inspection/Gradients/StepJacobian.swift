import Recurrence
import Tensors

/// How the state after one step depends on the state before it, ∂s′/∂s, for one sequence.
///
/// Layers of a stack are kept apart: a state reaches those of its own layer directly, and those of
/// the layers above through the outputs. A state is the numbers of all its tensors in a row.
public struct StepJacobian: Sendable {
  public struct Layer: Sendable {
    /// ∂s′/∂s of this layer alone, `[S, S]`.
    public var state: DoubleMatrix
    /// ∂s′/∂x, `[S, I]`; x is the output of the layer below, the first I numbers of its state.
    public var input: DoubleMatrix

    public init(state: DoubleMatrix, input: DoubleMatrix) {
      self.state = state
      self.input = input
    }
  }

  /// From the bottom up.
  public var layers: [Layer]

  public init(layers: [Layer]) { self.layers = layers }

  /// ∂L/∂s from ∂L/∂s′: one step of backpropagation through time.
  public func pulledBack(_ gradient: [Double]) -> [Double] {
    var below = gradient
    var end = gradient.count
    for (index, layer) in layers.enumerated().reversed() {
      let start = end - layer.state.rows
      let own = Array(below[start..<end])
      below.replaceSubrange(start..<end, with: layer.state.pulledBack(own))
      if index > 0 {
        let first = start - layers[index - 1].state.rows
        for (place, value) in layer.input.pulledBack(own).enumerated() {
          below[first + place] += value
        }
      }
      end = start
    }
    return below
  }

  /// The whole of ∂s′/∂s; below the blocks of the layers stands what passes through outputs.
  public var matrix: DoubleMatrix {
    if layers.count == 1 { return layers[0].state }
    let size = layers.reduce(0) { $0 + $1.state.rows }
    let identity = DoubleMatrix.identity(size)
    return DoubleMatrix((0..<size).map { pulledBack(identity.row($0)) })
  }
}

/// The step of a cell in Double precision, written as a formula together with its derivative.
public protocol StepFormula: Sendable {
  /// The numbers in a state.
  var stateSize: Int { get }

  /// One step of one sequence.
  ///
  /// - Parameters:
  ///   - x: the input.
  ///   - s: the state; its first numbers are the last output.
  func callAsFunction(_ x: [Double], _ s: [Double]) -> (state: [Double], jacobian: StepJacobian)
}

/// A cell whose derivative is known as a formula. For others the tape finds it: `tapeJacobian`.
public protocol HasStepFormula {
  /// With the weights that the cell has now.
  var stepFormula: any StepFormula { get }
}

/// ∂s′/∂s of any cell, by differentiating its step on the tape, row by row.
///
/// The rows are those of a batch: sequence r gets the gradient of the r-th number of the state.
///
/// - Parameters:
///   - input: of one sequence, each tensor `[1, …]`.
///   - state: of one sequence.
/// - Returns: `[S, S]` for a state of S numbers.
public func tapeJacobian<Cell: RecurrentCell>(
  of cell: Cell, input: Cell.Input, state: Cell.State
) -> DoubleMatrix {
  let size = state.tensors.reduce(0) { $0 + $1.count }
  let watched = state.mapTensors { $0.repeatedRows(size).watched }
  let next = cell(input.mapTensors { $0.repeatedRows(size) }, watched).state
  var sum = Tensor(0)
  var start = 0
  for tensor in next.tensors {
    let width = tensor.count / size
    let diagonal = Tensor(tensor.shape) { seed in
      seed.update(repeating: 0, count: size * width)
      for column in 0..<width { seed[(start + column) * width + column] = 1 }
    }
    sum = sum + (tensor * diagonal).sum()
    start += width
  }
  let gradients = sum.backward()
  var matrix = DoubleMatrix(rows: size, columns: size)
  var column = 0
  for tensor in watched.tensors {
    let width = tensor.count / size
    if let gradient = gradients[tensor] {
      matrix.set(DoubleMatrix(gradient.reshaped([size, width])), row: 0, column: column)
    }
    column += width
  }
  return matrix
}

extension Tensor {
  /// The one row of a tensor `[1, …]` again and again: `[count, …]`.
  fileprivate func repeatedRows(_ count: Int) -> Tensor {
    detached.gathering(Array(repeating: 0, count: count))
  }
}
