import AllocationCounter
import Language
import Learning
import Recurrence
import Tensors
import Testing

/// What a training step takes from the system after the first steps: no matrix, vector or packed
/// panel, all of which come from a pool, but some 300 small objects of Swift's: owners of buffers,
/// nodes of the tape and their closures, short lists, the window's tokens.
@Suite(
  .enabled(
    if: unfold_can_count_allocations() != 0, "This system doesn't let a program count allocations."
  ))
struct AllocationTests {
  private static let (batch, window, size, vocabulary) = (16, 16, 64, 40)

  /// Room for the window's 256 tokens, or for a list of what happened in its 16 steps. The smallest
  /// weight matrix has 10 KiB.
  private static let largestObject = 4096

  @Test(arguments: [CellKind.elman, .lstm, .gru], [OptimiserConfiguration.Method.sgd, .adam])
  func aStepOfOurCellsTakesSmallObjectsOnly(
    cell: CellKind, method: OptimiserConfiguration.Method
  ) throws {
    let configuration = ModelConfiguration(cell: cell, layers: 2, hiddenSize: Self.size)
    let model = configuration.model(vocabularySize: Self.vocabulary, seed: 1)
    let counted = try allocations(of: model, method)
    #expect(counted.largest <= Self.largestObject)
    #expect(counted.callsPerStep <= 320)
  }

  /// Each operation of each time step is a node of the tape.
  @Test func aStepOfAUsersCellTakesSmallObjectsOnly() throws {
    var generator = Philox(seed: 1)
    let cell = UsersCell(
      cell: LSTMCell(inputSize: Self.size, hiddenSize: Self.size, using: &generator))
    let model = RecurrentLanguageModel(
      vocabularySize: Self.vocabulary, embeddingSize: Self.size, hiddenSize: Self.size,
      core: Stack([cell]), coreName: "lstm", seed: 1)
    let counted = try allocations(of: model, .sgd)
    #expect(counted.largest <= Self.largestObject)
    #expect(counted.callsPerStep <= 400 * Self.window)
  }

  private func allocations<Model: RecurrentModel>(
    of model: Model, _ method: OptimiserConfiguration.Method
  ) throws -> (largest: Int, callsPerStep: Int) {
    let (first, last) = (10, 30)
    var generator = Philox(seed: 1)
    let tokens = (0...(last + 1) * Self.window * Self.batch).map { _ in
      Int32(generator.next() % UInt64(Self.vocabulary))
    }
    let trainer = try Trainer(
      model,
      configuration: TrainingConfiguration(
        batch: Self.batch, truncation: TruncatedBPTT(window: Self.window),
        optimiser: OptimiserConfiguration(method), learningRate: 0.01,
        clipping: Clipping(maximumNorm: 5), epochs: 1),
      training: TokenSequence(tokens), evaluate: nil)
    // Of many steps the least: in the others another test may have taken buffers from the pool.
    var least = (largest: Int.max, callsPerStep: Int.max)
    _ = try trainer.run { event in
      guard case .step(let report) = event else { return }
      if first + 1...last ~= report.step {
        let counted = unfold_stop_counting_allocations()
        least.largest = min(least.largest, counted.largest)
        least.callsPerStep = min(least.callsPerStep, counted.calls)
      }
      if first..<last ~= report.step { unfold_start_counting_allocations() }
    }
    return least
  }
}

/// An LSTM without its fused unfold, as a user would write it.
private struct UsersCell: RecurrentCell {
  let cell: LSTMCell

  func initialState(batch: Int) -> LSTMState { cell.initialState(batch: batch) }

  func callAsFunction(_ x: Tensor, _ s: LSTMState) -> (output: Tensor, state: LSTMState) {
    cell(x, s)
  }

  var parameters: [(name: String, parameter: Parameter)] { cell.parameters }
}
