import Foundation
import Language
import Learning
import Recurrence
import Tensors

/// One network on one task at one lag: whether it learns it within a budget.
public struct MemoryTrial: Sendable, Hashable, Codable {
  public enum Task: String, Sendable, Hashable, Codable, CaseIterable { case adding, copy }

  public var task: Task
  public var cell: CellKind
  public var lag: Int
  public var seed: UInt64

  public init(task: Task, cell: CellKind, lag: Int, seed: UInt64) {
    (self.task, self.cell, self.lag, self.seed) = (task, cell, lag, seed)
  }

  var problem: any SequenceTask {
    switch task {
    case .adding: AddingProblem(lag: lag)
    case .copy: CopyProblem(lag: lag)
    }
  }
}

/// How networks are trained on the tasks of long memory.
public struct MemorySettings: Sendable, Hashable, Codable {
  public var hiddenSize = 64
  public var batch = 32
  /// The most updates; fewer if the task is learned before.
  public var updates = 5000
  public var learningRate: Float = 0.005
  public var clipNorm: Float = 1
  /// After how many updates it is tested, and on how many sequences; each test draws its own.
  public var testEvery = 100
  public var testSequences = 200
  /// On how many sequences the trial is judged, which no test has drawn.
  public var scoreSequences = 1000

  public init() {}
}

/// What became of a trial.
public struct MemoryResult: Sendable, Hashable, Codable {
  public var trial: MemoryTrial
  public var settings: MemorySettings
  public var isLearned: Bool
  /// After how many updates it was learned, or given up.
  public var updates: Int
  /// On sequences that were drawn for this alone: 1 is what can be had without memory.
  public var error: Double

  package init(
    trial: MemoryTrial, settings: MemorySettings, isLearned: Bool, updates: Int, error: Double
  ) {
    (self.trial, self.settings, self.isLearned) = (trial, settings, isLearned)
    (self.updates, self.error) = (updates, error)
  }
}

extension MemoryTrial {
  /// Trains and tests a network: one recurrent layer, a linear readout, Adam, gradients clipped.
  ///
  /// Orthogonal recurrent matrices and open forget gates: what is compared is how well the cells
  /// can learn, not how they are started by accident. The same trial gives the same result.
  ///
  /// Tests along the way decide when to stop, at three quarters of the error that counts as learned,
  /// so that a test's luck is no reason to. Whether the task is learned is then measured anew.
  ///
  /// - Parameter shouldStop: asked now and then; a trial that was stopped has no result.
  /// - Throws: `SettingError` for settings that are out of range.
  public func run(_ settings: MemorySettings, shouldStop: () -> Bool = { false }) throws
    -> MemoryResult?
  {
    var generator = Philox(seed: seed, stream: 6)
    let (input, hidden) = (problem.inputSize, settings.hiddenSize)
    let start = CellInitialiser.orthogonal
    switch cell {
    case .elman, .elmanReLU:
      let cell = ElmanCell(
        inputSize: input, hiddenSize: hidden, activation: cell == .elman ? .tanh : .relu,
        initialiser: start, using: &generator)
      return try train(cell, settings, &generator, shouldStop)
    case .lstm:
      let cell = LSTMCell(
        inputSize: input, hiddenSize: hidden, initialiser: start, using: &generator)
      return try train(cell, settings, &generator, shouldStop)
    case .gru:
      let cell = GRUCell(
        inputSize: input, hiddenSize: hidden, initialiser: start, using: &generator)
      return try train(cell, settings, &generator, shouldStop)
    }
  }

  private func train<Cell: RecurrentCell>(
    _ cell: Cell, _ settings: MemorySettings, _ generator: inout Philox, _ shouldStop: () -> Bool
  ) throws -> MemoryResult? where Cell.Input == Tensor, Cell.Output == Tensor {
    let problem = problem
    let network = TaskNetwork(
      cell: cell, hiddenSize: settings.hiddenSize, outputSize: problem.outputSize,
      using: &generator)
    let parameters = network.parameters
    let optimiser = try Optimiser(OptimiserConfiguration(.adam), parameters: parameters)
    let clipping = try Clipping(maximumNorm: settings.clipNorm).validated()
    var training = generator.split(1)
    let (tests, judged) = (generator.split(2), generator.split(3))
    func score() -> Double {
      network.error(on: problem, sequences: settings.scoreSequences, judged)
    }
    for update in 1...max(1, settings.updates) {
      let examples = problem.examples(batch: settings.batch, using: &training)
      var gradients = problem.loss(network(examples), examples).backward()
      let outcome = clipping.clip(&gradients, of: parameters)
      guard outcome.norm.isFinite else { return result(settings, update, error: .infinity) }
      optimiser.update(
        with: gradients, learningRate: settings.learningRate, gradientScale: outcome.scale)
      if update.isMultiple(of: settings.testEvery) || update == settings.updates {
        if shouldStop() { return nil }
        let error = network.error(
          on: problem, sequences: settings.testSequences, tests.split(UInt64(update)))
        guard error < 0.75 * problem.learnedBelow else { continue }
        let result = result(settings, update, error: score())
        if result.isLearned { return result }
      }
    }
    return result(settings, settings.updates, error: score())
  }

  private func result(_ settings: MemorySettings, _ updates: Int, error: Double) -> MemoryResult {
    MemoryResult(
      trial: self, settings: settings, isLearned: error < problem.learnedBelow, updates: updates,
      error: error)
  }
}

/// A recurrent layer with a linear readout: y = W·h + b.
private struct TaskNetwork<Cell: RecurrentCell>: Parameterized
where Cell.Input == Tensor, Cell.Output == Tensor {
  let cell: Cell
  let weight: Parameter  // [outputs, H]
  let bias: Parameter  // [outputs]

  init(cell: Cell, hiddenSize: Int, outputSize: Int, using generator: inout Philox) {
    self.cell = cell
    let bound = 1 / Float(hiddenSize).squareRoot()
    weight = Parameter(Tensor(uniform: [outputSize, hiddenSize], bound: bound, using: &generator))
    bias = Parameter(Tensor(zeros: [outputSize]))
  }

  /// The outputs in the steps that count.
  func callAsFunction(_ examples: TaskExamples) -> Tensor {
    let outputs = unfold(cell, over: examples.inputs).outputs
    let steps = outputs.shape[0]
    return outputs[steps - examples.countedSteps..<steps].times(weight.transposed) + bias.broadcast
  }

  /// The mean error on fresh sequences, of which a hundred at a time are in memory.
  func error(on problem: some SequenceTask, sequences: Int, _ generator: Philox) -> Double {
    var generator = generator
    var sum = 0.0
    for start in stride(from: 0, to: sequences, by: 100) {
      let count = min(100, sequences - start)
      let examples = problem.examples(batch: count, using: &generator)
      sum += Double(count) * withoutGradients { problem.error(self(examples), examples) }
    }
    return sum / Double(sequences)
  }
}
