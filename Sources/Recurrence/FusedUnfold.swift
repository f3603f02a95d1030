import CKernels
import Tensors

/// The arithmetic of one shipped cell, after its products.
enum GateArithmetic: Sendable {
  case elman(Activation)
  case lstm
  case gru

  var gates: Int {
    switch self {
    case .elman: 1
    case .lstm: LSTMCell.Gate.allCases.count
    case .gru: GRUCell.Gate.allCases.count
    }
  }
}

/// A cell of the shipped kinds run over a whole sequence, as one entry on the tape.
///
/// The products that don't depend on the recurrence are done at once for all steps; only h·W_hh is
/// done step by step, with weights packed once, and with the gates computed while they are hot. The
/// blocks of hidden units are divided among the threads, which meet once a step.
///
/// If the inputs were gathered from a table that is shorter than the sequence (an embedding of
/// characters), the table is multiplied instead of the inputs, and its rows are looked up.
struct FusedUnfold {
  let arithmetic: GateArithmetic
  let input: GateMatrix
  let recurrent: GateMatrix
  let biases: [Tensor]

  init(
    _ arithmetic: GateArithmetic, input: GateMatrix, recurrent: GateMatrix, biases: [Tensor]
  ) {
    self.arithmetic = arithmetic
    self.input = input
    self.recurrent = recurrent
    self.biases = biases
  }

  /// - Parameters:
  ///   - inputs: `[T, B, I]`.
  ///   - state: h, or h and c, each `[B, H]`.
  func callAsFunction(over inputs: Tensor, from state: [Tensor]?, lengths: [Int]?)
    -> (outputs: Tensor, last: [Tensor])
  {
    let (steps, batch) = sequenceShape(inputs)
    checkLengths(lengths, steps: steps, batch: batch)
    let hiddenSize = recurrent.columns.count
    precondition(
      inputs.shape.rank == 3 && inputs.shape[2] == input.columns.count,
      "a cell for inputs of size \(input.columns.count) got \(inputs.shape)")
    for tensor in state ?? [] {
      precondition(
        tensor.shape == [batch, hiddenSize],
        "a state must have shape \([batch, hiddenSize]), not \(tensor.shape)")
    }
    let lookup = inputs.source?.node.lookup.flatMap {
      $0.table.shape.rank == 2 && 2 * $0.table.shape[0] < steps * batch ? $0 : nil
    }
    let pass = FusedPass(
      self, steps: steps, batch: batch, inputs: inputs, lookup: lookup, lengths: lengths)
    pass.forward(from: state)

    let joint = input.tensor.storage === recurrent.tensor.storage
    let states = state ?? []
    let weights = joint ? [input.tensor] : [input.tensor, recurrent.tensor]
    let results = Tensor.record(
      [pass.outputs()] + pass.lastStates(),
      from: [lookup?.table ?? inputs] + states + weights + biases
    ) { gradients, sink in
      pass.backward(from: gradients, joint: joint, states: states.count, into: &sink)
    }
    return (results[0], Array(results.dropFirst()))
  }
}
