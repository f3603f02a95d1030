import Recurrence
import Tensors
import Testing

/// Every law holds for every cell, and each is seen to fail on a cell that breaks it.
@Suite struct CellLawsTests {
  /// One unit; less than a panel; around one or two panels of 16 or 32; not a multiple of either.
  static let hiddenSizes = [1, 5, 33, 48, 64, 70]

  enum Kind: CaseIterable { case elman, elmanRelu, concatenated, concatenatedRelu, lstm, gru }

  @Test(arguments: Kind.allCases, hiddenSizes)
  func cellsObey(_ kind: Kind, _ hiddenSize: Int) {
    var generator = Philox(seed: 5, stream: UInt64(hiddenSize))
    switch kind {
    case .elman: expectLawful(ElmanCell(inputSize: 4, hiddenSize: hiddenSize, using: &generator))
    case .elmanRelu:
      expectLawful(
        ElmanCell(inputSize: 4, hiddenSize: hiddenSize, activation: .relu, using: &generator))
    case .concatenated:
      expectLawful(
        ConcatenatedElmanCell(inputSize: 4, hiddenSize: hiddenSize, using: &generator))
    case .concatenatedRelu:
      expectLawful(
        ConcatenatedElmanCell(
          inputSize: 4, hiddenSize: hiddenSize, activation: .relu, using: &generator))
    case .lstm: expectLawful(LSTMCell(inputSize: 4, hiddenSize: hiddenSize, using: &generator))
    case .gru: expectLawful(GRUCell(inputSize: 4, hiddenSize: hiddenSize, using: &generator))
    }
  }

  @Test func stacksObey() {
    var generator = Philox(seed: 6)
    for hiddenSize in [5, 33] {
      let sizes = [4, hiddenSize]
      expectLawful(
        Stack(sizes.map { ElmanCell(inputSize: $0, hiddenSize: hiddenSize, using: &generator) }))
      expectLawful(
        Stack(
          sizes.map {
            ConcatenatedElmanCell(inputSize: $0, hiddenSize: hiddenSize, using: &generator)
          }))
      expectLawful(
        Stack(sizes.map { LSTMCell(inputSize: $0, hiddenSize: hiddenSize, using: &generator) }))
      expectLawful(
        Stack(sizes.map { GRUCell(inputSize: $0, hiddenSize: hiddenSize, using: &generator) }))
    }
  }

  /// Outside training dropout does nothing; in training the seed decides, not the threads.
  @Test func stacksWithDropoutObey() {
    var generator = Philox(seed: 7)
    expectLawful(
      Stack([4, 6].map { GRUCell(inputSize: $0, hiddenSize: 6, using: &generator) }, dropout: 0.3))
  }

  @Test func bothDirectionsObey() {
    var generator = Philox(seed: 8)
    func both(_ inputSize: Int) -> Bidirectional<LSTMCell> {
      Bidirectional(
        forward: LSTMCell(inputSize: inputSize, hiddenSize: 5, using: &generator),
        backward: LSTMCell(inputSize: inputSize, hiddenSize: 5, using: &generator))
    }
    expectLawful(both(4))
    expectLawful(Stack([both(4), both(10)]))
  }

  /// Steps are held to padding as fused unfolds are.
  @Test func plainUnfoldsObey() {
    var generator = Philox(seed: 9)
    expectLawful(Stepwise(cell: LSTMCell(inputSize: 4, hiddenSize: 5, using: &generator)))
    expectLawful(Stepwise(cell: GRUCell(inputSize: 4, hiddenSize: 5, using: &generator)))
    expectLawful(PlainCell(inputSize: 4))
  }

  @Test func cellsWithTheirOwnInputAndStateObey() throws {
    let cell = LeakyCell()
    let inputs: CellLaws.InputMaker<LeakyCell.Pair> = { steps, batch, generator in
      LeakyCell.Pair(
        x: Tensor(uniform: [steps, batch, 3], bound: 1, using: &generator),
        gate: Tensor(uniform: [steps, batch, 4], bound: 1, using: &generator))
    }
    #expect(CellLaws.violations(of: cell, inputs: inputs).map(\.description) == [])
    try CellLaws.check(cell, inputs: inputs)
  }

  // MARK: Cells that break a law

  @Test func eachBrokenCellBreaksItsLawAlone() {
    expect(ForgetsGradient(), breaks: [.gradients])
    expect(LosesGradient(), breaks: [.gradients])
    expect(LosesGradientOfReLU(), breaks: [.gradients])
    expect(UnfoldsDifferently(), breaks: [.fusedUnfold])
    expect(StartsAtOne(), breaks: [.zeroState])
    expect(StartsElsewhere(), breaks: [.zeroState])
    expect(MixesRows(), breaks: [.batches])
    expect(IgnoresLengths(), breaks: [.batches])
    expect(SmugglesGradient(), breaks: [.truncation])
    expect(DependsOnThreads(), breaks: [.sameBytes])
    expect(HidesParameter(), breaks: [.sameBytes])
    expect(ListsCopies(), breaks: [.sameBytes])
    expect(RepeatsName(), breaks: [.sameBytes])
  }

  /// Others follow inevitably. Steps carry their state, so that chunks can differ only where unfold
  /// differs from steps; an empty sequence ends with the state that it began with; and windows are
  /// chunks.
  @Test func lostStateBreaksChunksAndWhatFollows() {
    expect(DropsState(), breaks: [.fusedUnfold, .chunks, .batches, .truncation])
  }

  @Test func violationsNameLawPlaceAndNumbers() throws {
    let violation = try #require(CellLaws.violations(of: StartsAtOne(), inputSize: 3).first)
    #expect(violation.law == .zeroState)
    #expect(
      violation.description == """
        law 3 (no initial state equals a zero initial state) is broken at \
        the state[2, 3], of initialState(batch: 3): expected 0.0, found 1.0.
        """)
    let gradient = try #require(CellLaws.violations(of: ForgetsGradient(), inputSize: 3).first)
    #expect(gradient.law == .gradients && gradient.place.hasPrefix("the gradient of "))
    #expect(throws: CellLaws.Violation.self) { try CellLaws.check(MixesRows(), inputSize: 3) }
  }

  @Test func everyLawHasItsSentence() {
    #expect(CellLaws.Law.allCases.map(\.rawValue) == Array(1...7))
    #expect(Set(CellLaws.Law.allCases.map(\.sentence)).count == 7)
  }

  @Test func weightsAndThreadsAreLeftAsTheyWere() {
    let cell = PlainCell()
    let before = cell.parameters.map(\.parameter.value.values)
    _ = CellLaws.violations(of: cell, inputSize: 3)
    #expect(cell.parameters.map(\.parameter.value.values) == before)
  }

  private func expectLawful<Layer: Unfoldable>(
    _ layer: Layer, sourceLocation: SourceLocation = #_sourceLocation
  ) where Layer.Input == Tensor {
    let found = CellLaws.violations(of: layer, inputSize: 4).map(\.description)
    #expect(found == [], sourceLocation: sourceLocation)
  }

  private func expect<Layer: Unfoldable>(
    _ layer: Layer, breaks laws: Set<CellLaws.Law>,
    sourceLocation: SourceLocation = #_sourceLocation
  ) where Layer.Input == Tensor {
    let violations = CellLaws.violations(of: layer, inputSize: 3)
    #expect(
      Set(violations.map(\.law)) == laws, "\(Layer.self): \(violations.map(\.description))",
      sourceLocation: sourceLocation)
  }
}

/// A cell with two inputs and a state of two tensors.
///
///     m′ = g ⊙ m + x·W,   c′ = (c + m′) / 2,   h = tanh(m′ + c)
struct LeakyCell: RecurrentCell {
  struct Pair: TensorGroup {
    var x: Tensor
    var gate: Tensor
    var tensors: [Tensor] { [x, gate] }
    func replacing(_ tensors: [Tensor]) -> Pair { Pair(x: tensors[0], gate: tensors[1]) }
  }

  let weight: Parameter  // [I, H]

  init() {
    var generator = Philox(seed: 12)
    weight = Parameter(Tensor(uniform: [3, 4], bound: 1, using: &generator))
  }

  func initialState(batch: Int) -> LSTMState {
    LSTMState(h: Tensor(zeros: [batch, 4]), c: Tensor(zeros: [batch, 4]))
  }

  func callAsFunction(_ input: Pair, _ s: LSTMState) -> (output: Pair, state: LSTMState) {
    let memory = sigmoid(input.gate) * s.h + input.x.times(weight.tensor)
    let output = Pair(x: tanh(memory + s.c), gate: memory)
    return (output, LSTMState(h: memory, c: (s.c + memory) / 2))
  }
}
