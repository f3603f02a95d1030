import Inspection
import Recurrence
import Tensors
import Testing

/// The simple recurrent network as a user writes it, without a formula for its derivative.
struct OwnCell: RecurrentCell {
  let weight: Parameter  // [H, I + H]
  func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, weight.shape[0]]) }
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let next = tanh(concatenated(x, s).times(weight.transposed))
    return (next, next)
  }
}

@Suite struct StepJacobianTests {
  private let inputSize = 4
  private let hiddenSize = 5

  /// Large weights, so that every gate leaves its linear part.
  private func initialiser() -> CellInitialiser {
    let wide = Initialiser.uniform(bound: 1.5)
    return CellInitialiser(input: wide, recurrent: wide, bias: wide)
  }

  /// The formula against the tape, and against central differences of the formula's own step, each
  /// relative to the largest number of the Jacobian.
  private func check<Cell: RecurrentCell & HasStepFormula>(
    _ cell: Cell, sourceLocation: SourceLocation = #_sourceLocation
  ) where Cell.Input == Tensor {
    var generator = Philox(seed: 9)
    let x = Tensor(uniform: [1, inputSize], bound: 1, using: &generator)
    let s = cell.initialState(batch: 1).mapTensors {
      Tensor(uniform: $0.shape, bound: 1, using: &generator)
    }
    let (input, state) = (doubles(x), s.tensors.flatMap(doubles))
    let formula = cell.stepFormula
    let (next, jacobian) = formula(input, state)
    let exact = jacobian.matrix
    #expect(formula.stateSize == state.count, sourceLocation: sourceLocation)
    let stepped = cell(x, s).state.tensors.flatMap(doubles)
    for (value, expected) in zip(next, stepped) {
      #expect(abs(value - expected) < 2e-6, sourceLocation: sourceLocation)
    }
    var differences = DoubleMatrix(rows: state.count, columns: state.count)
    for column in state.indices {
      let h = 1e-5
      var (up, down) = (state, state)
      up[column] += h
      down[column] -= h
      let change = zip(formula(input, up).state, formula(input, down).state)
      for (row, pair) in change.enumerated() {
        differences[row, column] = (pair.0 - pair.1) / (2 * h)
      }
    }
    #expect(largestDifference(exact, differences) < 1e-8, sourceLocation: sourceLocation)
    let taped = tapeJacobian(of: cell, input: x, state: s)
    #expect(largestDifference(exact, taped) < 1e-5, sourceLocation: sourceLocation)
  }

  private func doubles(_ tensor: Tensor) -> [Double] { tensor.values.map(Double.init) }

  private func largestDifference(_ a: DoubleMatrix, _ b: DoubleMatrix) -> Double {
    guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
    return (0..<a.rows).flatMap { row in
      (0..<a.columns).map { abs(a[row, $0] - b[row, $0]) }
    }.max() ?? 0
  }

  @Test(arguments: Activation.allCases) func theElmanFormulaIsTheDerivative(
    _ activation: Activation
  ) {
    var generator = Philox(seed: 1)
    let cell = ElmanCell(
      inputSize: inputSize, hiddenSize: hiddenSize, activation: activation,
      initialiser: initialiser(), using: &generator)
    check(cell)
    check(ConcatenatedElmanCell(cell))
  }

  @Test func theLSTMFormulaIsTheDerivative() {
    var generator = Philox(seed: 2)
    check(
      LSTMCell(
        inputSize: inputSize, hiddenSize: hiddenSize, initialiser: initialiser(), using: &generator
      ))
  }

  @Test func theGRUFormulaIsTheDerivative() {
    var generator = Philox(seed: 3)
    check(
      GRUCell(
        inputSize: inputSize, hiddenSize: hiddenSize, initialiser: initialiser(), using: &generator
      ))
  }

  @Test func theFormulaOfAStackIsTheDerivative() {
    var generator = Philox(seed: 4)
    var lstms: [LSTMCell] = []
    var grus: [GRUCell] = []
    for size in [inputSize, hiddenSize, hiddenSize] {
      lstms.append(
        LSTMCell(
          inputSize: size, hiddenSize: hiddenSize, initialiser: initialiser(), using: &generator))
      grus.append(
        GRUCell(
          inputSize: size, hiddenSize: hiddenSize, initialiser: initialiser(), using: &generator))
    }
    check(Stack(lstms))
    check(Stack(grus))
  }
}
