import Tensors

/// Something that runs over a whole sequence: a cell unfolded, a stack, both directions at once.
///
/// Sequences are time-major: every tensor of `Input` and `Output` has the dimensions `[T, B, …]`.
public protocol Unfoldable: Parameterized {
  /// What goes in at one step: a tensor `[B, …]`, or a group of them.
  associatedtype Input: TensorGroup
  /// What comes out at one step.
  associatedtype Output: TensorGroup
  /// What is remembered from step to step; every tensor of it has the batch first, `[B, …]`.
  associatedtype State: TensorGroup

  /// The state before the first step: zeros.
  func initialState(batch: Int) -> State

  /// Runs over a sequence.
  ///
  /// - Parameters:
  ///   - inputs: x₁ … x_N, each tensor `[T, B, …]`.
  ///   - state: s₀; nil for `initialState`.
  ///   - lengths: how many steps of each of the B sequences are real, each in `0...T`; nil if all
  ///     are. Past its length a sequence's outputs are zero and its state stays what it was.
  ///   - mode: whether this is training, and then with which random numbers for dropout.
  /// - Returns: h₁ … h_N, each tensor `[T, B, …]`, and each sequence's last state s_N.
  func unfold(over inputs: Input, from state: State?, lengths: [Int]?, mode: Mode)
    -> (outputs: Output, last: State)
}

/// One step of a recurrence: f(x, s) → (h, s′).
///
/// A cell is written as its equation. Everything else works on it unchanged: unfolding, stacking,
/// batches, lengths, both directions, BPTT, training and inspection. The cells of this module also
/// override `unfold` with a fused one; `CellLaws` holds it to the steps.
public protocol RecurrentCell: Unfoldable {
  // Said again, so that the compiler infers them from a cell's step.
  associatedtype Input
  associatedtype Output
  associatedtype State

  /// One step.
  ///
  /// - Parameters:
  ///   - input: x, each tensor `[B, …]`.
  ///   - state: s, each tensor `[B, …]`.
  /// - Returns: the output h and the next state s′.
  func callAsFunction(_ input: Input, _ state: State) -> (output: Output, state: State)

  /// The gates of one step by name, each `[B, H]` with values from 0 to 1, for inspection; none by
  /// default.
  func gates(_ input: Input, _ state: State) -> [TracedTensor]

  /// As `unfold`, and what went on inside each layer: the states of all steps, and the gates. By
  /// default by stepping the cell.
  func traced(over inputs: Input, from state: State?)
    -> (outputs: Output, last: State, layers: [LayerTrace])
}

/// Whether a model is being trained, which is when dropout acts.
public enum Mode: Sendable {
  case inference
  /// Training, with the random numbers of this step.
  case training(Philox)

  /// The mode for part number `index` of a model: its random numbers are independent of others'.
  public func part(_ index: Int) -> Mode {
    switch self {
    case .inference: .inference
    case .training(let generator): .training(generator.split(UInt64(index)))
    }
  }
}

/// f over x₁ … x_N from s₀ → (h₁ … h_N, s_N). See `Unfoldable.unfold` for the shapes.
public func unfold<Layer: Unfoldable>(
  _ layer: Layer, over inputs: Layer.Input, from state: Layer.State? = nil, lengths: [Int]? = nil,
  mode: Mode = .inference
) -> (outputs: Layer.Output, last: Layer.State) {
  layer.unfold(over: inputs, from: state, lengths: lengths, mode: mode)
}

/// As `unfold`, with gradients cut off every `window` steps: truncated BPTT within one sequence.
///
/// Outputs and states are those of the whole sequence; only `backward()` sees the cuts.
///
/// - SeeAlso: R. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
///   Recurrent Network Trajectories", Neural Computation 2 (1990).
public func unfold<Layer: Unfoldable>(
  _ layer: Layer, over inputs: Layer.Input, from state: Layer.State? = nil, lengths: [Int]? = nil,
  truncatedEvery window: Int
) -> (outputs: Layer.Output, last: Layer.State) {
  let steps = sequenceShape(inputs).steps
  require(window > 0 && steps > 0, "a window of \(window) steps over \(steps)")
  var state = state
  var outputs: [Layer.Output] = []
  for start in stride(from: 0, to: steps, by: window) {
    let end = min(start + window, steps)
    let (part, last) = layer.unfold(
      over: inputs.mapTensors { $0[start..<end] }, from: start == 0 ? state : state?.detached,
      lengths: lengths?.map { min(max($0 - start, 0), end - start) }, mode: .inference)
    outputs.append(part)
    state = last
  }
  return (joinedOverTime(outputs), state!)  // SAFETY: set in the loop, which runs at least once
}

extension RecurrentCell {
  public func unfold(over inputs: Input, from state: State?, lengths: [Int]?, mode: Mode)
    -> (outputs: Output, last: State)
  {
    unfoldStepwise(over: inputs, from: state, lengths: lengths)
  }

  /// Unfolds by calling the cell once a step: the plain form, which a fused one must equal.
  public func unfoldStepwise(over inputs: Input, from state: State? = nil, lengths: [Int]? = nil)
    -> (outputs: Output, last: State)
  {
    let (steps, batch) = sequenceShape(inputs)
    checkLengths(lengths, steps: steps, batch: batch)
    var state = state ?? initialState(batch: batch)
    var outputs: [Output] = []
    for step in 0..<steps {
      var (output, next) = self(inputs.mapTensors { $0[step] }, state)
      if let lengths, lengths.contains(where: { $0 <= step }) {
        let running = lengths.map { step < $0 }
        output = output.mapTensors { $0.selecting(running, else: Tensor(zeros: $0.shape)) }
        let kept = zip(next.tensors, state.tensors).map { $0.selecting(running, else: $1) }
        next = next.replacing(kept)
      }
      outputs.append(output)
      state = next
    }
    return (joinedOverTime(outputs.map { $0.mapTensors { stacked([$0]) } }), state)
  }
}

/// Parts of sequences, each `[n, B, …]`, one after the other.
func joinedOverTime<Group: TensorGroup>(_ parts: [Group]) -> Group {
  require(!parts.isEmpty, "a sequence needs at least one step")
  let tensors = parts.map(\.tensors)
  return parts[0].replacing(tensors[0].indices.map { index in joined(tensors.map { $0[index] }) })
}

/// The number of steps and of sequences, from the first tensor `[T, B, …]`.
func sequenceShape(_ inputs: some TensorGroup) -> (steps: Int, batch: Int) {
  guard let shape = inputs.tensors.first?.shape, shape.rank >= 2 else {
    fatalError(
      "a sequence needs tensors [T, B, …], not \(inputs.tensors.map { $0.shape.description })")
  }
  return (shape[0], shape[1])
}

func checkLengths(_ lengths: [Int]?, steps: Int, batch: Int) {
  guard let lengths else { return }
  require(
    lengths.count == batch && lengths.allSatisfy { 0...steps ~= $0 },
    "lengths \(lengths) don't fit a batch of \(batch) sequences of \(steps) steps")
}
