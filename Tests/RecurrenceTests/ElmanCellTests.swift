import Recurrence
import Tensors
import Testing

/// Both forms of the simple recurrent network compute the same.
@Suite struct ElmanCellTests {
  enum Path: CaseIterable { case fused, stepwise }

  /// Sums in another order: see `tolerance`.
  @Test(arguments: Activation.allCases, Path.allCases)
  func bothFormsAreEqual(_ activation: Activation, _ path: Path) {
    for (inputSize, hiddenSize) in [(1, 1), (4, 5), (20, 33), (7, 70)] {
      var generator = Philox(seed: 21)
      let two = ElmanCell(
        inputSize: inputSize, hiddenSize: hiddenSize, activation: activation, using: &generator)
      let one = ConcatenatedElmanCell(two)
      let inputs = Tensor(uniform: [6, 3, inputSize], bound: 1, using: &generator)
      let state = Tensor(uniform: [3, hiddenSize], bound: 1, using: &generator)
      let a = Outcome(two, inputs, state, lengths: [6, 0, 4], stepwise: path == .stepwise)
      let b = Outcome(one, inputs, state, lengths: [6, 0, 4], stepwise: path == .stepwise)
      expectEqual(a.shared, b.shared)
      let (separate, joined) = (a.parameters, b.parameters)
      expectEqual([concatenated(separate[0], separate[1])], [joined[0]])
      // Each of two biases that are added gets the gradient of their sum.
      expectEqual([separate[2], separate[3]], [joined[1], joined[1]])
    }
  }

  /// Two matrices with the same numbers in the same memory are two matrices still.
  @Test func weightsMayShareMemory() {
    var generator = Philox(seed: 22)
    let cell = ElmanCell(inputSize: 5, hiddenSize: 5, using: &generator)
    let both = Tensor(uniform: [2, 5, 5], bound: 0.5, using: &generator)
    let inputs = Tensor(uniform: [4, 2, 5], bound: 1, using: &generator)
    let state = Tensor(zeros: [2, 5])
    for parts in [(both[0], both[1]), (both[0], both[0])] {
      (cell.weightIH.value, cell.weightHH.value) = parts
      let fused = Outcome(cell, inputs, state, stepwise: false)
      let stepped = Outcome(cell, inputs, state, stepwise: true)
      expectEqual(fused.shared + fused.parameters, stepped.shared + stepped.parameters)
    }
  }
}

/// What an unfold gives, for a loss whose gradients are random numbers.
struct Outcome {
  /// Outputs, last state, and the gradients of inputs and initial state.
  let shared: [Tensor]
  /// The gradients of parameters, in their order.
  let parameters: [Tensor]

  init<Cell: RecurrentCell>(
    _ cell: Cell, _ inputs: Tensor, _ state: Cell.State, lengths: [Int]? = nil, stepwise: Bool
  ) where Cell.Input == Tensor, Cell.Output == Tensor {
    let (x, s) = (inputs.watched, state.mapTensors { $0.watched })
    let (outputs, last) =
      stepwise
      ? cell.unfoldStepwise(over: x, from: s, lengths: lengths)
      : unfold(cell, over: x, from: s, lengths: lengths)
    let gradients = randomLoss([outputs] + last.tensors).backward()
    shared =
      [outputs] + last.tensors + ([x] + s.tensors).map { gradients[$0] ?? Tensor(zeros: $0.shape) }
    parameters = cell.parameters.map {
      gradients[$0.parameter] ?? Tensor(zeros: $0.parameter.shape)
    }
  }
}

/// The sum of all elements, each times a random number in [−1, 1).
func randomLoss(_ tensors: [Tensor]) -> Tensor {
  var generator = Philox(seed: 23)
  return tensors.reduce(Tensor(0)) {
    $0 + ($1 * Tensor(uniform: $1.shape, bound: 1, using: &generator)).sum()
  }
}

/// A few hundred additions of float32 in another order: 1e-5 of the largest number, as in PyTorch's
/// own comparisons of float32.
func expectEqual(
  _ found: [Tensor], _ expected: [Tensor], sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == expected.count, sourceLocation: sourceLocation)
  for (index, (one, other)) in zip(found, expected).enumerated() {
    #expect(
      difference(one, other) <= 1e-5 * max(other.values.map(abs).max() ?? 0, 0.01),
      "tensor \(index)", sourceLocation: sourceLocation)
  }
}
