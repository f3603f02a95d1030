import Foundation
import Learning
import Recurrence
import Tensors
import Testing

/// Non-monotonically triggered averaged SGD.
@Suite struct WeightAveragingTests {
  private typealias Model = TinyModel<Stack<LSTMCell>>

  /// Algorithm 1 of the paper, with n = 2: evaluation t pulls if t > n and its loss is above the
  /// best of 0 … t − n − 1.
  @Test func theTriggerIsPulledByTheBestOfAllButTheLast() {
    func pulled(_ losses: [Double], patience: Int) -> Int? {
      var trigger = NonMonotonicTrigger(patience: patience)
      for (step, loss) in losses.enumerated() { trigger.observe(loss, step: step) }
      return trigger.begin
    }
    #expect(pulled([5, 4, 3, 2, 1], patience: 2) == nil)
    // 3.5 is above 3, but only 5 and 4 count.
    #expect(pulled([5, 4, 3, 3.2, 3.5], patience: 2) == nil)
    // 3.5 is above 3, which is now three evaluations ago.
    #expect(pulled([5, 4, 3, 3.2, 3.3, 3.5], patience: 2) == 5)
    // Equal isn't above.
    #expect(pulled([3, 3, 3, 3], patience: 0) == nil)
    #expect(pulled([3, 4, 2], patience: 0) == 1)
    // The first that can pull is evaluation n + 1.
    #expect(pulled([3, 4, 5, 6], patience: 3) == nil)
    #expect(pulled([3, 4, 5, 6, 7], patience: 3) == 4)
  }

  /// Twenty updates an epoch of windows of random lengths, dropout and clipping.
  private func trainer(
    averageAfter: Int? = 0, modelSeed: UInt64 = 1, evaluationsDone: Int = 0,
    log: @escaping ([[Float]]) -> Void = { _ in }
  ) throws -> Trainer<Model> {
    let configuration = TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: 10), randomWindows: RandomWindows(),
      optimiser: OptimiserConfiguration(.sgd), learningRate: 0.5,
      clipping: Clipping(maximumNorm: 0.5), epochs: 2, evaluationsPerEpoch: 4,
      averageAfter: averageAfter, seed: 7)
    let model = Model.lstm(classes: 7, size: 6, seed: modelSeed, dropout: 0.2)
    // Losses that rise with the second evaluation; the model itself doesn't matter.
    var losses = [3, 3.5, 2.9, 3.6, 2.8, 3.7, 2.7, 2.6].dropFirst(evaluationsDone)
    return try Trainer(
      model, configuration: configuration,
      training: TokenSequence(randomTokens(391, classes: 7, seed: 2))
    ) { model in
      log(model.parameters.map { $0.parameter.value.values })
      return CrossEntropy(totalNats: losses.popFirst() ?? .nan, tokens: 1)
    }
  }

  @Test func theMeanIsEvaluatedAndTheWeightsGoOn() throws {
    var evaluated: [[[Float]]] = []
    let averaging = try trainer { evaluated.append($0) }
    var sums: [[Double]] = averaging.model.parameters.map {
      [Double](repeating: 0, count: $0.parameter.shape.count)
    }
    var count = 0
    _ = try averaging.run { event in
      let raw = averaging.model.parameters.map { $0.parameter.value.values }
      switch event {
      case .step(let report) where report.step > 10:
        for (index, values) in raw.enumerated() {
          for place in values.indices { sums[index][place] += Double(values[place]) }
        }
        count += 1
      case .evaluated(let report) where report.step <= 10:
        #expect(evaluated.last == raw)
      case .evaluated:
        let found = try #require(evaluated.last)
        #expect(found != raw)
        for (values, sum) in zip(found, sums) {
          let mean = sum.map { Float($0 / Double(count)) }
          #expect(largestDifference(values, mean) < 1e-6)
        }
        averaging.withAveragedWeights {
          #expect(averaging.model.parameters.map { $0.parameter.value.values } == found)
        }
      default: break
      }
    }
    #expect(averaging.updatesPerEpoch == 20 && count == 30)
    // The training itself is as if nothing was averaged.
    let plain = try trainer(averageAfter: nil)
    _ = try plain.run { _ in }
    #expect(plain.model.bits == averaging.model.bits)
  }

  /// Before the trigger, right before and after the evaluation that pulls it, and later.
  @Test(arguments: [3, 9, 10, 17, 20, 23]) func goesOnBitForBit(stop: Int) throws {
    var expected: [[[Float]]] = []
    let whole = try trainer { expected.append($0) }
    var checkpoint: Checkpoint?
    _ = try whole.run { _ in
      guard whole.progress.step == stop, !whole.isEvaluationDue else { return }
      checkpoint = whole.checkpoint(fingerprint: [:])
    }
    let evaluations = stop / 5
    var found: [[[Float]]] = []
    let second = try trainer(modelSeed: 99, evaluationsDone: evaluations) { found.append($0) }
    try withTemporaryFolder { folder in
      let store = CheckpointStore(folder)
      try store.write(try #require(checkpoint))
      try second.restore(store.newest().checkpoint, fingerprint: [:])
    }
    _ = try second.run { _ in }
    #expect(found == Array(expected.dropFirst(evaluations)))
    #expect(second.model.bits == whole.model.bits)
    #expect(second.progress == whole.progress)
  }
}
