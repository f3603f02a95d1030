import Learning
import Recurrence
import Tensors
import Testing

@Suite struct DivergenceTests {
  private func configuration(rate: Float, norm: Float? = nil) -> TrainingConfiguration {
    TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: 7), optimiser: OptimiserConfiguration(.sgd),
      learningRate: rate, clipping: Clipping(maximumNorm: norm), epochs: 3)
  }

  private func run<Core>(_ model: TinyModel<Core>, _ configuration: TrainingConfiguration) throws
    -> (steps: Int, divergence: Divergence?, failedStepsChange: Bool)
  {
    let trainer = try Trainer(
      model, configuration: configuration,
      training: TokenSequence((0..<101).map { Int32($0 % 7) }), evaluate: nil)
    var steps = 0
    var bits = model.bits
    let outcome = try trainer.run {
      if case .step = $0 { (steps, bits) = (steps + 1, model.bits) }
    }
    guard case .diverged(let divergence) = outcome else { return (steps, nil, false) }
    return (steps, divergence, bits != model.bits)
  }

  @Test(arguments: [1e4, 1e30] as [Float], [nil, 1])
  func aHugeRateStopsWithinOneStep(rate: Float, norm: Float?) throws {
    let model = TinyModel.lstm(classes: 7, size: 6, seed: 1)
    let (steps, divergence, changed) = try run(model, configuration(rate: rate, norm: norm))
    #expect(steps == 1)
    #expect(!changed)
    #expect(model.isFinite)
    let found = try #require(divergence)
    #expect(found.step == 2)
    #expect(found.learningRate == rate)
    #expect(found.description.hasPrefix("Training diverged at step 2: the loss "))
    #expect(found.description.contains("Try a lower learning rate (it was \(rate)) or "))
    #expect(
      found.description.hasSuffix(
        norm == nil
          ? "clipping the gradients' norm at 1." : "a lower limit for the gradients' norm."))
  }

  /// In any weight of any cell, the nonlinearities' limits notwithstanding.
  @Test(arguments: ["tanh", "relu", "lstm", "gru"]) func aNaNIsCaught(cell: String) throws {
    var generator = Philox(seed: 3)
    switch cell {
    case "tanh": try check(ElmanCell(inputSize: 4, hiddenSize: 4, using: &generator))
    case "relu":
      try check(ElmanCell(inputSize: 4, hiddenSize: 4, activation: .relu, using: &generator))
    case "lstm": try check(LSTMCell(inputSize: 4, hiddenSize: 4, using: &generator))
    default: try check(GRUCell(inputSize: 4, hiddenSize: 4, using: &generator))
    }
  }

  private func check<Core: RecurrentCell>(_ core: Core) throws
  where Core.Input == Tensor, Core.Output == Tensor {
    let model = TinyModel(
      embedding: Parameter(normalNoise([7, 4], seed: 1)), core: core,
      readout: Parameter(normalNoise([7, 4], seed: 2)), bias: Parameter(Tensor(zeros: [7])))
    for (name, parameter) in model.parameters {
      let good = parameter.value
      for index in 0..<good.count {
        var values = good.values
        values[index] = .nan
        parameter.value = Tensor(values, shape: good.shape)
        let (steps, divergence, changed) = try run(model, configuration(rate: 0.1))
        #expect(divergence != nil, "\(name), number \(index)")
        #expect(steps == 0 && !changed, "\(name), number \(index)")
      }
      parameter.value = good
    }
  }
}
