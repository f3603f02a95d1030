import Learning
import Recurrence
import Tensors
import Testing

@Suite struct ParameterStepTests {
  private func trained(interval: Int?, clipNorm: Float? = nil) throws -> (
    model: TinyModel<Stack<LSTMCell>>, steps: [StepReport]
  ) {
    let model = TinyModel<Stack<LSTMCell>>.lstm(classes: 7, size: 6, seed: 1)
    var configuration = TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: 5), optimiser: OptimiserConfiguration(.sgd),
      learningRate: 0.5, epochs: 1)
    configuration.clipping.maximumNorm = clipNorm
    configuration.evaluationsPerEpoch = 2
    let trainer = try Trainer(
      model, configuration: configuration,
      training: TokenSequence((0..<101).map { Int32($0 % 7) }), evaluate: nil)
    trainer.measurementInterval = interval
    var steps: [StepReport] = []
    _ = try trainer.run { if case .step(let report) = $0 { steps.append(report) } }
    return (model, steps)
  }

  @Test func lookingChangesNothing() throws {
    #expect(try trained(interval: 1).model.bits == trained(interval: nil).model.bits)
  }

  @Test func theLookIsAtTheStepsAskedForAndThoseBeforeEvaluations() throws {
    let steps = try trained(interval: 4).steps
    #expect(steps.filter { !$0.parameters.isEmpty }.map(\.step) == [4, 5, 8, 10])
    let counted = steps.filter { $0.parameters.contains { $0.histograms != nil } }
    #expect(counted.map(\.step) == [5, 10])
    #expect(try trained(interval: nil).steps.allSatisfy(\.parameters.isEmpty))
  }

  /// The norm of all gradients is made of those of each; and SGD moves by the rate times the
  /// gradient, shortened by clipping.
  @Test(arguments: [nil, Float(0.05)]) func normsBelongTogether(clipNorm: Float?) throws {
    for step in try trained(interval: 1, clipNorm: clipNorm).steps {
      let squares = step.parameters.map { $0.gradientNorm * $0.gradientNorm }.reduce(0, +)
      #expect(abs(squares.squareRoot() / step.gradientNorm - 1) < 1e-9)
      let scale = clipNorm.map { min(1, Double($0) / (step.gradientNorm + 1e-6)) } ?? 1
      for parameter in step.parameters {
        let expected = 0.5 * scale * parameter.gradientNorm
        // Weights of about 1 are rounded to 6e-8 each.
        #expect(abs(parameter.updateNorm - expected) < 1e-5 * expected + 1e-6)
      }
      #expect(step.clipping.steps == step.step)
    }
  }

  @Test func theHistogramIsOfTheWeights() throws {
    let (model, steps) = try trained(interval: 10)
    for (name, parameter) in model.parameters {
      let found = steps.last?.parameters.first { $0.name == name }?.histograms?.weights
      let values = parameter.value.values.map(Double.init)
      #expect(found?.count == values.count && found?.counts.reduce(0, +) == values.count)
      #expect(found?.smallest == values.min() && found?.largest == values.max())
    }
  }

  @Test func numbersAreCountedInTheirRanges() {
    let histogram = NumberHistogram([0, 1, 1.5, 3.9, 4], ranges: 4)
    #expect(histogram.counts == [1, 2, 0, 2])
    #expect(histogram.upperEdges == [1, 2, 3, 4])
    #expect(histogram.sum == 10.4 || abs(histogram.sum - 10.4) < 1e-6)
    #expect(abs(histogram.sumOfSquares - (1 + 2.25 + 15.21 + 16)) < 1e-5)
    #expect(NumberHistogram([2, 2], ranges: 3).counts == [2, 0, 0])
    #expect(NumberHistogram([], ranges: 3).counts == [0, 0, 0])
  }
}
