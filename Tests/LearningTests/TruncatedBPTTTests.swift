import Foundation
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct TruncatedBPTTTests {
  private let model = TinyModel.lstm(classes: 5, size: 6, seed: 1)

  private func streams(length: Int) -> Streams {
    let streams = Streams(
      TokenSequence(randomTokens(2 * length + 1, classes: 5, seed: 2)), batch: 2)
    require(streams.length == length, "streams of \(streams.length) steps")
    return streams
  }

  /// All windows of an epoch, with weights that stay as they are.
  private func results(_ truncation: TruncatedBPTT, _ streams: Streams)
    -> [TruncatedBPTT.Result<[LSTMState]>]
  {
    var state: [LSTMState]?
    return (0..<truncation.updates(length: streams.length)).map { update in
      let result = truncation.gradients(
        of: model, on: streams, update: update, from: state, mode: .inference)
      state = result.state
      return result
    }
  }

  /// Gradients of the same products by the same kernels, so equal but for the order of sums.
  private func expectEqual(
    _ found: Gradients, _ expected: Gradients, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (name, parameter) in model.parameters {
      let difference = relativeDifference(
        try #require(found[parameter]), try #require(expected[parameter]))
      #expect(difference < 2e-6, "\(name)", sourceLocation: sourceLocation)
    }
  }

  @Test func oneWindowAsLongAsTheSequenceIsBPTT() throws {
    let streams = streams(length: 12)
    let results = results(TruncatedBPTT(window: 12), streams)
    #expect(results.count == 1)
    let (loss, last) = model.loss(streams.window(0..<12), from: nil, skipping: 0, mode: .inference)
    #expect(results[0].loss == loss.item)
    #expect(results[0].predictions == 24)
    #expect(results[0].state.tensors.map(\.values) == last.tensors.map(\.values))
    try expectEqual(results[0].gradients, loss.backward())
  }

  /// By stepping the cells: the newest k₁ predictions count, gradients flow back over k₂ steps to a
  /// state that is a constant, which is that after all steps before.
  @Test(arguments: [(5, 5), (5, 2), (5, 1), (4, 3)])
  func gradientsAreThoseBuiltByHand(window: Int, stride: Int) throws {
    let truncation = TruncatedBPTT(window: window, stride: stride)
    let streams = streams(length: window + 3 * stride)
    let results = results(truncation, streams)
    #expect(results.count == 4)
    for (update, result) in results.enumerated() {
      let start = update * stride
      var state = model.initialState(batch: 2)
      for step in 0..<start { (_, state) = self.step(streams.window(step..<step + 1), state) }
      state = state.detached
      var losses: [Tensor] = []
      var carried: [LSTMState]?
      for step in 0..<window {
        let at = start + step
        let (loss, next) = self.step(streams.window(at..<at + 1), state)
        state = next
        if update == 0 || step >= window - stride { losses.append(loss) }
        if step == stride - 1 { carried = next }
      }
      let mean = losses.dropFirst().reduce(losses[0], +) * (1 / Float(losses.count))
      #expect(abs(result.loss - mean.item) < 1e-6)
      #expect(result.predictions == losses.count * 2)
      try expectEqual(result.gradients, mean.backward())
      for (found, expected) in zip(result.state.tensors, try #require(carried).tensors) {
        #expect(largestDifference(found.values, expected.values) < 1e-6)
        #expect(!found.needsGradient)
      }
    }
  }

  private func step(_ window: Window, _ state: [LSTMState]) -> (loss: Tensor, state: [LSTMState]) {
    let (output, next) = model.core(model.embedding.tensor.gathering(window.inputs), state)
    let logits = output.times(model.readout.transposed) + model.bias.broadcast
    return (logits.crossEntropy(window.targets), next)
  }

  /// The nats of all windows together are those of the whole, so that none counts twice or never.
  @Test(arguments: [(6, 6), (6, 4), (6, 1), (3, 2)])
  func everyPredictionCountsOnce(window: Int, stride: Int) {
    let truncation = TruncatedBPTT(window: window, stride: stride)
    let streams = streams(length: 18)
    let results = results(truncation, streams)
    let covered = window + (results.count - 1) * stride
    #expect((18 - stride + 1...18).contains(covered))
    #expect(results.reduce(0) { $0 + $1.predictions } == covered * 2)
    let nats = results.reduce(0) { $0 + Double($1.loss) * Double($1.predictions) }
    let whole = model.loss(
      streams.window(0..<covered), from: nil, skipping: 0, mode: .inference
    ).loss.item
    #expect(abs(nats / Double(covered * 2) - Double(whole)) < 1e-6)
  }

  @Test func countsUpdates() {
    let whole = TruncatedBPTT(window: 4)
    #expect([0, 1, 3, 4, 7, 8, 9].map { whole.updates(length: $0) } == [0, 0, 0, 1, 1, 2, 2])
    let overlapping = TruncatedBPTT(window: 4, stride: 2)
    #expect([3, 4, 5, 6, 8].map { overlapping.updates(length: $0) } == [0, 1, 1, 2, 3])
    #expect(TruncatedBPTT(window: 7).stride == 7)
  }
}
