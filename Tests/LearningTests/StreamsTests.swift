import Learning
import Recurrence
import Tensors
import Testing

@Suite struct StreamsTests {
  /// Eleven tokens in three streams: 10 / 3 = 3 predictions each, the eleventh token is left out.
  ///
  ///     stream 0    0 1 2 → 1 2 3
  ///     stream 1    3 4 5 → 4 5 6
  ///     stream 2    6 7 8 → 7 8 9
  private let streams = Streams(TokenSequence((0..<11).map { Int32($0) }), batch: 3)

  @Test func windowsHoldContiguousStreamsSideBySide() {
    #expect((streams.batch, streams.length) == (3, 3))
    let first = streams.window(0..<2)
    #expect((first.steps, first.batch) == (2, 3))
    #expect(first.inputs == [0, 3, 6, 1, 4, 7])
    #expect(first.targets == [1, 4, 7, 2, 5, 8])
    let rest = streams.window(2..<3)
    #expect(rest.inputs == [2, 5, 8])
    #expect(rest.targets == [3, 6, 9])
  }

  @Test func aPartOfAWindowIsTheWindowOfThoseSteps() {
    let whole = streams.window(0..<3)
    #expect(whole[1..<3] == streams.window(1..<3))
    #expect(whole[0..<3] == whole)
    #expect(whole[1..<1].inputs.isEmpty)
  }

  @Test func oneStreamPredictsAllButTheFirstToken() {
    let streams = Streams([5, 6, 7, 8], batch: 1)
    #expect(streams.length == 3)
    #expect(streams.window(0..<3).inputs == [5, 6, 7])
    #expect(streams.window(0..<3).targets == [6, 7, 8])
  }

  @Test func asManyStreamsAsPredictionsHaveOneStep() {
    let streams = Streams([0, 1, 2, 3], batch: 3)
    #expect(streams.length == 1)
    #expect(streams.window(0..<1).inputs == [0, 1, 2])
    #expect(streams.window(0..<1).targets == [1, 2, 3])
  }

  /// Sums of up to 40 losses of about 1, each rounded: a few times 6e-8.
  @Test(arguments: [1, 3, 7, 20]) func carriedStatesGiveTheLossOfTheWhole(window: Int) {
    let model = TinyModel.lstm(classes: 5, size: 6, seed: 1)
    let streams = Streams(TokenSequence(randomTokens(41, classes: 5, seed: 2)), batch: 2)
    #expect(streams.length == 20)
    let whole = model.loss(
      streams.window(0..<20), from: nil, skipping: 0, mode: .inference)
    var state: [LSTMState]?
    var total: Float = 0
    for start in stride(from: 0, to: 20, by: window) {
      let part = streams.window(start..<min(start + window, 20))
      let (loss, last) = model.loss(part, from: state, skipping: 0, mode: .inference)
      total += loss.item * Float(part.steps)
      state = last
    }
    #expect(abs(total / 20 - whole.loss.item) < 1e-6)
    for (found, expected) in zip(state?.tensors ?? [], whole.state.tensors) {
      #expect(largestDifference(found.values, expected.values) < 1e-6)
    }
  }
}
