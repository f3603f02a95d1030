import Recurrence
import Tensors
import Testing

/// Names in stacks and both directions, and dropout between layers.
@Suite struct StackTests {
  @Test func namesArePyTorchs() {
    var generator = Philox(seed: 41)
    let names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    let plain = Stack([3, 5].map { GRUCell(inputSize: $0, hiddenSize: 5, using: &generator) })
    #expect(plain.parameters.map(\.name) == names.map { $0 + "_l0" } + names.map { $0 + "_l1" })
    let both = Bidirectional(
      forward: GRUCell(inputSize: 3, hiddenSize: 5, using: &generator),
      backward: GRUCell(inputSize: 3, hiddenSize: 5, using: &generator))
    #expect(both.parameters.map(\.name) == names + names.map { $0 + "_reverse" })
    #expect(
      Stack([both]).parameters.map(\.name)
        == names.map { $0 + "_l0" } + names.map { $0 + "_l0_reverse" })
  }

  @Test func concatenatedCellsAreNamedByTheirProperties() {
    var generator = Philox(seed: 42)
    let cell = ConcatenatedElmanCell(inputSize: 3, hiddenSize: 5, using: &generator)
    #expect(cell.parameters.map(\.name) == ["weight", "bias"])
    #expect(Stack([cell]).parameters.map(\.name) == ["weight_l0", "bias_l0"])
  }

  // MARK: Dropout

  /// A layer that passes its inputs on: what comes out of a stack of them is what dropout did.
  private struct Identity: RecurrentCell {
    func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, 1]) }
    func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) { (x, s) }
  }

  private let ones = Tensor([50, 20, 40], repeating: 1)

  @Test func dropoutActsInTrainingOnly() {
    let stack = Stack([Identity(), Identity()], dropout: 0.4)
    #expect(unfold(stack, over: ones).outputs.values == ones.values)
    let trained = unfold(stack, over: ones, mode: .training(Philox(seed: 1))).outputs
    #expect(trained.values != ones.values)
  }

  /// One layer has nothing between; three have two places, each with numbers of its own.
  @Test func dropoutActsBetweenLayers() {
    let mode = Mode.training(Philox(seed: 1))
    let one = unfold(Stack([Identity()], dropout: 0.5), over: ones, mode: mode).outputs
    #expect(one.values == ones.values)
    let three = Stack(Array(repeating: Identity(), count: 3), dropout: 0.5)
    let values = unfold(three, over: ones, mode: mode).outputs.values
    #expect(Set(values) == [0, 4])
    // 40,000 draws with p = 1/4: six standard deviations are 0.013.
    let kept = Double(values.count { $0 > 0 }) / Double(values.count)
    #expect(abs(kept - 0.25) < 0.013)
  }

  @Test func variationalDropoutBetweenLayersIsTheSameAtAllSteps() {
    let stack = Stack([Identity(), Identity()], variationalDropout: 0.4)
    #expect(unfold(stack, over: ones).outputs.values == ones.values)
    let trained = unfold(stack, over: ones, mode: .training(Philox(seed: 1))).outputs
    let first = trained[0].values
    #expect(Set(first) == [0, 1 / (1 - 0.4)])
    #expect((1..<50).allSatisfy { trained[$0].values == first })
    let one = Stack([Identity()], variationalDropout: 0.4)
    let untouched = unfold(one, over: ones, mode: .training(Philox(seed: 1))).outputs
    #expect(untouched.values == ones.values)
  }

  @Test func dropoutIsAFunctionOfItsSeed() {
    let stack = Stack([Identity(), Identity()], dropout: 0.4)
    func values(_ seed: UInt64) -> [Float] {
      unfold(stack, over: ones, mode: .training(Philox(seed: seed))).outputs.values
    }
    #expect(values(1) == values(1))
    #expect(values(1) != values(2))
  }

  /// What is kept is divided by 1 − p, so that the expectation stays; p itself is met within six
  /// standard deviations of 200,000 draws, 0.0067 at most.
  @Test(arguments: [0.1, 0.25, 0.5, 0.9] as [Float])
  func dropoutKeepsItsFractionAndScale(_ rate: Float) {
    let ones = Tensor([200_000], repeating: 1).watched
    let dropped = ones.dropout(rate, using: Philox(seed: 3))
    let kept = 1 / (1 - rate)
    #expect(dropped.values.allSatisfy { $0 == 0 || $0 == kept })
    let fraction = Double(dropped.values.count { $0 == 0 }) / 200_000
    #expect(abs(fraction - Double(rate)) < 0.0067)
    // The gradient goes through the same mask.
    #expect(dropped.sum().backward()[ones]?.values == dropped.values)
  }

  /// Neighbours are independent: both dropped in p² of the cases, within six deviations.
  @Test func dropoutOfNeighboursIsIndependent() {
    let values = Tensor([200_001], repeating: 1).dropout(0.5, using: Philox(seed: 4)).values
    let both = zip(values, values.dropFirst()).count { $0 == 0 && $1 == 0 }
    #expect(abs(Double(both) / 200_000 - 0.25) < 0.0067)
  }

  @Test func dropoutOfNothingIsNothing() {
    #expect(ones.dropout(0, using: Philox(seed: 5)).values == ones.values)
  }
}
