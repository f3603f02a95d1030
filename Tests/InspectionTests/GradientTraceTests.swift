import Inspection
import Language
import Recurrence
import Tensors
import Testing

@Suite struct GradientTraceTests {
  private func inputs(_ steps: Int, _ batch: Int, _ size: Int) -> Tensor {
    var generator = Philox(seed: 7)
    return Tensor(uniform: [steps, batch, size], bound: 1, using: &generator)
  }

  private func trace<Cell: RecurrentCell>(_ cell: Cell, steps: Int = 40, batch: Int = 3)
    -> GradientTrace<Cell>
  where Cell.Input == Tensor, Cell.Output == Tensor {
    GradientTrace(of: cell, over: inputs(steps, batch, 6)) { ($0 * $0).sum() }
  }

  private func length(_ vector: [Double]) -> Double {
    vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// The gradient that backpropagation finds and the product of exact Jacobians are the same: in
  /// Float, to 10⁻⁴ of its length, after 40 steps.
  private func expectAgreement<Cell: RecurrentCell>(
    _ cell: Cell, sourceLocation: SourceLocation = #_sourceLocation
  ) where Cell.Input == Tensor, Cell.Output == Tensor {
    let trace = trace(cell)
    for sequence in 0..<trace.batch {
      let (measured, product, agreement) = trace.comparison(sequence: sequence)
      #expect(agreement.lags == 40, sourceLocation: sourceLocation)
      #expect(agreement.largest < 1e-4, sourceLocation: sourceLocation)
      #expect(agreement.largestOfOneStep < 1e-4, sourceLocation: sourceLocation)
      #expect(measured.count == 40, sourceLocation: sourceLocation)
      let products = trace.products(sequence: sequence).map(length)
      #expect(product == products, sourceLocation: sourceLocation)
    }
  }

  @Test func measuredGradientsAreProductsOfJacobians() {
    var generator = Philox(seed: 1)
    for activation in Activation.allCases {
      expectAgreement(
        ElmanCell(
          inputSize: 6, hiddenSize: 8, activation: activation, initialiser: .orthogonal,
          using: &generator))
    }
    expectAgreement(LSTMCell(inputSize: 6, hiddenSize: 8, using: &generator))
    expectAgreement(GRUCell(inputSize: 6, hiddenSize: 8, using: &generator))
    expectAgreement(
      Stack([
        LSTMCell(inputSize: 6, hiddenSize: 7, using: &generator),
        LSTMCell(inputSize: 7, hiddenSize: 5, using: &generator),
      ]))
  }

  @Test func ownCellsAreDifferentiatedByTheTape() {
    var generator = Philox(seed: 2)
    let cell = OwnCell(
      weight: Parameter(Tensor(uniform: [8, 14], bound: 0.5, using: &generator)))
    expectAgreement(cell)
  }

  @Test func theGradientIsThatOfAChangedInitialState() {
    // L(s₀ + ε) − L(s₀ − ε) over 2ε, for the first number of the state of each sequence.
    var generator = Philox(seed: 3)
    let cell = GRUCell(inputSize: 6, hiddenSize: 8, using: &generator)
    let x = inputs(5, 2, 6)
    let trace = trace(cell, steps: 5, batch: 2)
    let measured = GradientTrace(of: cell, over: x) { ($0 * $0).sum() }.gradients[0]
    func loss(_ sequence: Int, _ change: Float) -> Double {
      var state = [Float](repeating: 0, count: 16)
      state[sequence * 8] = change
      let outputs = unfold(cell, over: x, from: Tensor(state, shape: [2, 8])).outputs
      return outputs[4].values.reduce(0) { $0 + Double($1) * Double($1) }
    }
    for sequence in 0..<2 {
      let slope = (loss(sequence, 0.01) - loss(sequence, -0.01)) / 0.02
      #expect(abs(slope - Double(measured[sequence].values[0])) < 1e-4)
    }
    #expect(trace.steps == 5)
  }

  @Test func aLinearNetworkFollowsItsEigenvalue() throws {
    // ReLU with positive numbers is linear; with the identity times 0.9 every gradient shrinks by
    // just that a step.
    var generator = Philox(seed: 4)
    let cell = ElmanCell(
      inputSize: 6, hiddenSize: 8, activation: .relu,
      initialiser: CellInitialiser(
        input: .identity(scale: 1), recurrent: .identity(scale: 0.9)), using: &generator)
    let positive = Tensor((0..<30 * 6).map { Float($0 % 7 + 1) }, shape: [30, 1, 6])
    let trace = GradientTrace(
      of: cell, over: positive, from: Tensor([1, 8], repeating: 1)
    ) { $0.sum() }
    let measured = trace.measured(sequence: 0).map { $0[0] }
    for (lag, value) in measured.enumerated() {
      let expected = (0...lag).reduce(1.0) { product, _ in product * Double(Float(0.9)) }
      #expect(abs(value / expected - 1) < 1e-5)
    }
    let bounds = try trace.productNorms(sequence: 0)
    #expect(bounds.count == 30)
    for (lag, bound) in bounds.enumerated() {
      let expected = (0..<lag).reduce(1.0) { product, _ in product * Double(Float(0.9)) }
      #expect(abs(bound / expected - 1) < 1e-12)
    }
  }

  @Test func statesBeyondAllNumbersAreFound() {
    // s′ = 1.5·s from 1: 1.5²¹⁸ = 2.4·10³⁸ is a Float, 1.5²¹⁹ = 3.6·10³⁸ isn't.
    var generator = Philox(seed: 8)
    let cell = ElmanCell(
      inputSize: 6, hiddenSize: 8, activation: .relu,
      initialiser: CellInitialiser(input: .zeros, recurrent: .identity(scale: 1.5)),
      using: &generator)
    func overflow(steps: Int) -> Int? {
      GradientTrace(
        of: cell, over: inputs(steps, 2, 6), from: Tensor([2, 8], repeating: 1)
      ) { $0.sum() }.overflow
    }
    #expect(overflow(steps: 218) == nil)
    #expect(overflow(steps: 219) == 219)
    #expect(overflow(steps: 230) == 219)
  }

  @Test func noGradientExceedsTheProductsNorm() throws {
    var generator = Philox(seed: 5)
    let trace = trace(LSTMCell(inputSize: 6, hiddenSize: 8, using: &generator))
    let measured = trace.products(sequence: 1).map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let bounds = try trace.productNorms(sequence: 1)
    for (value, bound) in zip(measured, bounds) {
      #expect(value <= measured[0] * bound * (1 + 1e-9))
    }
  }

  @Test func partsAreNamed() {
    var generator = Philox(seed: 6)
    let lstm = LSTMCell(inputSize: 6, hiddenSize: 6, using: &generator)
    #expect(trace(lstm, steps: 2).flows().map(\.part) == ["whole state", "h", "c"])
    #expect(
      trace(Stack([lstm, lstm]), steps: 2).flows().map(\.part)
        == ["whole state", "layer 0 h", "layer 0 c", "layer 1 h", "layer 1 c"])
    let gru = GRUCell(inputSize: 6, hiddenSize: 6, using: &generator)
    #expect(trace(gru, steps: 2).flows().map(\.part) == ["whole state"])
    // Those of an own cell have the names of its state's properties, as in its trace.
    let own = CountingCell()
    #expect(trace(own, steps: 2).flows().map(\.part) == ["whole state", "sum", "count"])
    let traced = withoutGradients { own.traced(over: inputs(2, 1, 6), from: nil) }
    #expect(traced.layers.flatMap { $0.states.map(\.name) } == ["sum", "count"])
  }
}

/// sum′ = sum + x,  count′ = count + 1,  h = sum′ / count′
private struct CountingCell: RecurrentCell {
  struct State: TensorGroup {
    var sum, count: Tensor
    var tensors: [Tensor] { [sum, count] }
    func replacing(_ tensors: [Tensor]) -> State { State(sum: tensors[0], count: tensors[1]) }
  }

  func initialState(batch: Int) -> State {
    State(sum: Tensor(zeros: [batch, 6]), count: Tensor(zeros: [batch, 6]))
  }

  func callAsFunction(_ x: Tensor, _ s: State) -> (output: Tensor, state: State) {
    let next = State(sum: s.sum + x, count: s.count + 1)
    return (next.sum / next.count, next)
  }
}
