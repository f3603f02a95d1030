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
  /// Whether both weight matrices are parts of one tensor, which then gets one gradient.
  let joint: Bool

  init(
    _ arithmetic: GateArithmetic, input: GateMatrix, recurrent: GateMatrix, biases: [Tensor],
    joint: Bool = false
  ) {
    self.arithmetic = arithmetic
    self.input = input
    self.recurrent = recurrent
    self.biases = biases
    self.joint = joint
  }

  /// - Parameters:
  ///   - inputs: `[T, B, I]`.
  ///   - state: h, or h and c, each `[B, H]`.
  func callAsFunction(over inputs: Tensor, from state: [Tensor]?, lengths: [Int]?)
    -> (outputs: Tensor, last: [Tensor])
  {
    let (pass, lookup) = run(over: inputs, from: state, lengths: lengths)
    let states = state ?? []
    let weights = joint ? [input.tensor] : [input.tensor, recurrent.tensor]
    let results = Tensor.record(
      [pass.outputs()] + pass.lastStates(),
      from: [lookup?.table ?? inputs] + states + weights + biases
    ) { gradients, sink in
      // Going back uses the pass up; whoever comes a second time runs forward again.
      let run = pass.claim() ? pass : pass.repeated(from: state)
      withExtendedLifetime(run) {
        run.backward(from: gradients, joint: joint, states: states.count, into: &sink)
      }
    }
    return (results[0], Array(results.dropFirst()))
  }

  /// The pass after its run forward, and the table that it looked its inputs up in.
  func run(over inputs: Tensor, from state: [Tensor]?, lengths: [Int]?)
    -> (pass: FusedPass, lookup: Lookup?)
  {
    let (steps, batch) = sequenceShape(inputs)
    checkLengths(lengths, steps: steps, batch: batch)
    let hiddenSize = recurrent.columns.count
    require(
      inputs.shape.rank == 3 && inputs.shape[2] == input.columns.count,
      "a cell for inputs of size \(input.columns.count) got \(inputs.shape)")
    for tensor in state ?? [] {
      require(
        tensor.shape == [batch, hiddenSize],
        "a state must have shape \([batch, hiddenSize]), not \(tensor.shape)")
    }
    let lookup = lookup(behind: inputs)
    let pass = FusedPass(
      self, steps: steps, batch: batch, inputs: inputs, lookup: lookup, lengths: lengths)
    pass.forward(from: state)
    return (pass, lookup)
  }

  /// The table that the inputs were gathered from, if multiplying it is less work.
  private func lookup(behind inputs: Tensor) -> Lookup? {
    let (steps, batch) = sequenceShape(inputs)
    guard let found = inputs.source?.node.lookup, found.table.shape.rank == 2,
      2 * found.table.shape[0] < steps * batch
    else { return nil }
    // A gathering that wasn't recorded passes no gradient on.
    return inputs.needsGradient ? found : Lookup(table: found.table.detached, rows: found.rows)
  }
}
