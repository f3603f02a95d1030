import Recurrence
import Tensors
import Testing

/// What a fused unfold does beyond the laws: tables of inputs, and going back more than once.
@Suite struct FusedUnfoldTests {
  enum Kind: CaseIterable { case elman, elmanRelu, concatenated, lstm, gru }

  /// Six rows of a table, looked up 40 times: multiplied as a table. The same numbers with 0 added
  /// are multiplied as inputs.
  @Test(arguments: Kind.allCases, [5, 33])
  func tableEqualsItsRows(_ kind: Kind, _ hiddenSize: Int) {
    forCell(kind, inputSize: 4, hiddenSize: hiddenSize) { cell, state in
      var generator = Philox(seed: 31)
      let table = Tensor(uniform: [6, 4], bound: 1, using: &generator)
      // Row 5 is never asked for.
      let tokens = (0..<40).map { _ in Int32(generator.next(upperBound: UInt64(5))) }
      for lengths in [nil, [10, 0, 7, 3]] {
        let parts = [false, true].map { isDense in
          let leaf = table.watched
          let rows = leaf.gathering(tokens, leading: [10, 4])
          let (outputs, last) = cell(isDense ? rows + 0 : rows, state, lengths)
          let gradients = randomLoss([outputs] + last).backward()
          let parameters = cell.parameters.map { gradients[$0] ?? Tensor(zeros: $0.shape) }
          return [outputs] + last + [gradients[leaf] ?? Tensor(zeros: [6, 4])] + parameters
        }
        expectEqual(parts[0], parts[1])
        let rowGradient = parts[0][1 + state.count][5]
        #expect(rowGradient.values.allSatisfy { $0 == 0 })
      }
    }
  }

  /// A lookup that wasn't recorded passes nothing on to its table.
  @Test func unrecordedTableGetsNoGradient() throws {
    var generator = Philox(seed: 32)
    let cell = GRUCell(inputSize: 4, hiddenSize: 5, using: &generator)
    let table = Tensor(uniform: [3, 4], bound: 1, using: &generator).watched
    let tokens = [Int32](repeating: 1, count: 20)
    let inputs = withoutGradients { table.gathering(tokens, leading: [5, 4]) }
    let gradients = unfold(cell, over: inputs).outputs.sum().backward()
    #expect(gradients[table] == nil)
    #expect(gradients[cell.weightIH] != nil)
  }

  /// As for a Jacobian: one unfold, and back from each of its outputs.
  @Test(arguments: Kind.allCases)
  func goesBackAsOftenAsAsked(_ kind: Kind) {
    forCell(kind, inputSize: 4, hiddenSize: 5) { cell, state in
      var generator = Philox(seed: 33)
      let inputs = Tensor(uniform: [6, 4, 4], bound: 1, using: &generator).watched
      let (outputs, _) = cell(inputs, state, [6, 2, 0, 5])
      let loss = outputs.sum()
      let runs = (0..<3).map { _ in
        let gradients = loss.backward()
        return ([gradients[inputs]] + cell.parameters.map { gradients[$0] }).map { $0?.values }
      }
      #expect(runs[0].allSatisfy { $0 != nil })
      #expect(runs[1] == runs[0])
      #expect(runs[2] == runs[0])
    }
  }

  #if os(Linux) || os(macOS)
    @Test func wrongInputsStopWithBothSizes() async {
      let result = await #expect(
        processExitsWith: .failure, observing: [\.standardErrorContent]
      ) {
        var generator = Philox(seed: 34)
        let cell = LSTMCell(inputSize: 4, hiddenSize: 5, using: &generator)
        _ = unfold(cell, over: Tensor(zeros: [6, 2, 3]))
      }
      let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(message.contains("a cell for inputs of size 4 got [6, 2, 3]"))
    }

    @Test func wrongStatesStopWithBothShapes() async {
      let result = await #expect(
        processExitsWith: .failure, observing: [\.standardErrorContent]
      ) {
        var generator = Philox(seed: 35)
        let cell = GRUCell(inputSize: 4, hiddenSize: 5, using: &generator)
        _ = unfold(cell, over: Tensor(zeros: [6, 2, 4]), from: Tensor(zeros: [3, 5]))
      }
      let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(message.contains("a state must have shape [2, 5], not [3, 5]"))
    }
  #endif

  /// A cell of some kind, with its state as a list.
  private struct AnyCell {
    let parameters: [Parameter]
    let run: (Tensor, [Tensor], [Int]?) -> (outputs: Tensor, last: [Tensor])

    init<Cell: RecurrentCell>(_ cell: Cell) where Cell.Input == Tensor, Cell.Output == Tensor {
      parameters = cell.parameters.map(\.parameter)
      run = { inputs, state, lengths in
        let start = cell.initialState(batch: inputs.shape[1]).replacing(state)
        let (outputs, last) = unfold(cell, over: inputs, from: start, lengths: lengths)
        return (outputs, last.tensors)
      }
    }

    func callAsFunction(_ inputs: Tensor, _ state: [Tensor], _ lengths: [Int]?)
      -> (outputs: Tensor, last: [Tensor])
    { run(inputs, state, lengths) }
  }

  /// Calls `body` with a cell and a random state for a batch of 4.
  private func forCell(
    _ kind: Kind, inputSize: Int, hiddenSize: Int, _ body: (AnyCell, [Tensor]) -> Void
  ) {
    var generator = Philox(seed: 30)
    let cell =
      switch kind {
      case .elman:
        AnyCell(ElmanCell(inputSize: inputSize, hiddenSize: hiddenSize, using: &generator))
      case .elmanRelu:
        AnyCell(
          ElmanCell(
            inputSize: inputSize, hiddenSize: hiddenSize, activation: .relu, using: &generator))
      case .concatenated:
        AnyCell(
          ConcatenatedElmanCell(inputSize: inputSize, hiddenSize: hiddenSize, using: &generator))
      case .lstm: AnyCell(LSTMCell(inputSize: inputSize, hiddenSize: hiddenSize, using: &generator))
      case .gru: AnyCell(GRUCell(inputSize: inputSize, hiddenSize: hiddenSize, using: &generator))
      }
    var state: [Tensor] = []
    for _ in 0..<(kind == .lstm ? 2 : 1) {
      state.append(Tensor(uniform: [4, hiddenSize], bound: 0.5, using: &generator))
    }
    body(cell, state)
  }
}
