import Foundation
import Language
import Learning
import Recurrence
import Synchronization
import Tensors
import Testing

/// Long texts are read side by side; what comes out is what reading from beginning to end gives.
@Suite struct SideBySideReadingTests {
  /// ln p of each token but the first by stepping from no past, in double precision.
  static func stepped(_ model: any LanguageModel, _ tokens: [Int32]) -> [Double] {
    var predictor = model.predictor()
    return zip(tokens, tokens.dropFirst()).map { token, target in
      let logits = predictor.logits(after: token).map(Double.init)
      let largest = logits.max() ?? 0
      return logits[Int(target)] - largest - log(logits.reduce(0) { $0 + exp($1 - largest) })
    }
  }

  /// One stream, two, two and a rest, and as many as there may be.
  @Test(arguments: CellKind.allCases, [2, 1025, 1100, 40_000])
  func eachTokenEqualsStepping(cell: CellKind, count: Int) {
    let model = smallModel(cell, vocabularySize: 11)
    let tokens = randomTokens(count, classes: 11, seed: UInt64(count))
    let found = model.logProbabilities(of: tokens)
    let expected = Self.stepped(model, tokens)
    #expect(found.count == count - 1)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    let total = (found.reduce(0, +), expected.reduce(0, +))
    #expect(abs(total.0 / total.1 - 1) < 1e-6)
  }

  /// Longer than what is read at once.
  @Test func partsGoOnFromEachOther() {
    let model = smallModel(.elman, vocabularySize: 11)
    let tokens = TokenSequence(randomTokens(600_000, classes: 11, seed: 5))
    var (found, parts, progress): ([Double], Int, [Double]) = ([], 0, [])
    func note(_ fraction: Double) { progress.append(fraction) }
    model.predict(tokens, adapting: nil, keepingHidden: false, progress: note) {
      found += $0.logProbabilities
      parts += 1
    }
    let expected = Self.stepped(model, tokens.values(in: 0..<tokens.count))
    #expect(parts == 2 && found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(progress.count > 50 && progress == progress.sorted() && (progress.last ?? 0) > 0.95)
  }

  /// Forget gates that stay open: no stream agrees with its first reading, so that each is read
  /// again and again until the past has come through all of them.
  @Test func aModelThatNeverForgetsIsReadExactlyToo() throws {
    let model = smallModel(vocabularySize: 11, layers: 1)
    for (name, parameter) in model.parameters where name == "lstm.bias_ih_l0" {
      let size = parameter.shape.count / 4
      let values = parameter.value.values.enumerated().map { index, value in
        index / size == 1 ? 20 : index / size == 0 ? value - 4 : value
      }
      parameter.value = Tensor(values, shape: parameter.shape)
    }
    let tokens = randomTokens(5000, classes: 11, seed: 3)
    let found = model.logProbabilities(of: tokens)
    let expected = Self.stepped(model, tokens)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    // The past matters: without one, the last tokens are predicted otherwise.
    let late = model.logProbabilities(of: Array(tokens.suffix(100)))
    #expect(zip(found.suffix(99), late).contains { abs($0 - $1) > 1e-3 })
  }

  /// A part of the state that only ever grows says the same whatever it began with, and is no reason
  /// to read a text again and again.
  @Test func whatAddsUpForeverIsNoReasonToReadAgain() {
    var generator = Philox(seed: 1)
    let rows = Rows()
    let cell = AddingUpCell(
      cell: ElmanCell(inputSize: 9, hiddenSize: 9, using: &generator), rows: rows)
    let model = RecurrentLanguageModel(
      vocabularySize: 11, embeddingSize: 9, hiddenSize: 9, core: Stack([cell]), coreName: "rnn",
      seed: 1)
    let tokens = randomTokens(20_000, classes: 11, seed: 4)
    let found = model.logProbabilities(of: tokens)
    #expect(rows.count.withLock { $0 } < 2 * tokens.count)
    #expect(zip(found, Self.stepped(model, tokens)).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func hiddenStatesAndPlacesComeInOrder() {
    let model = smallModel(vocabularySize: 11)
    var next = 1
    let tokens = TokenSequence(randomTokens(3000, classes: 11, seed: 1))
    model.predict(tokens, keepingHidden: true) { part in
      #expect(part.places.lowerBound == next)
      #expect(part.hidden?.shape == [part.places.count, 9])
      #expect(part.logProbabilities.count == part.places.count)
      next = part.places.upperBound
    }
    #expect(next == 3000)
    #expect(model.hiddenSize == 9)
  }

  @Test(arguments: [0, 1]) func nothingIsPredictedOfOneToken(count: Int) {
    let model = smallModel(vocabularySize: 11)
    let tokens = randomTokens(count, classes: 11, seed: 1)
    #expect(model.logProbabilities(of: tokens).isEmpty)
    #expect(Evaluation().crossEntropy(of: tokens, by: model) == CrossEntropy())
  }

  /// Texts of many lengths at once, none and one token among them, and one that is read on its own.
  @Test(arguments: [CellKind.lstm, .gru]) func textsAreIndependent(cell: CellKind) {
    let model = smallModel(cell, vocabularySize: 11)
    var generator = SeededGenerator(7)
    let lengths = [0, 1, 2, 5000] + (0..<150).map { _ in Int(generator.next() % 300) }
    let texts = lengths.enumerated().map { randomTokens($1, classes: 11, seed: UInt64($0)) }
    var progress: [Double] = []
    let found = model.logProbabilities(ofEach: texts) { progress.append($0) }
    #expect(found.map(\.count) == lengths.map { max(0, $0 - 1) })
    for (found, text) in zip(found, texts) {
      let expected = model.logProbabilities(of: text)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    #expect(progress == progress.sorted() && abs((progress.last ?? 0) - 1) < 1e-9)
  }

  /// A model that knows only how to step is evaluated by stepping.
  @Test func anyPredictorCanBeEvaluated() {
    let model = FixedModel(fixed: [0, Float(log(3.0))])
    let found = model.logProbabilities(of: [0, 1, 1, 0])
    let expected = [0.75, 0.75, 0.25].map(log)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(model.logProbabilities(ofEach: [[0, 1], [1, 0]]) { _ in }.map(\.count) == [1, 1])
  }
}

/// How many rows of inputs a cell has read.
private final class Rows: Sendable {
  let count = Mutex(0)
}

/// An Elman cell beside a memory that grows by one a step: c′ = c + 1, output h ⊙ tanh(c′).
private struct AddingUpCell: RecurrentCell {
  struct State: TensorGroup {
    var h, c: Tensor
    var tensors: [Tensor] { [h, c] }
    func replacing(_ tensors: [Tensor]) -> State { State(h: tensors[0], c: tensors[1]) }
  }

  let cell: ElmanCell
  let rows: Rows

  func initialState(batch: Int) -> State {
    State(h: cell.initialState(batch: batch), c: Tensor(zeros: [batch, 9]))
  }

  func callAsFunction(_ x: Tensor, _ s: State) -> (output: Tensor, state: State) {
    rows.count.withLock { $0 += x.shape[0] }
    let (output, h) = cell(x, s.h)
    let c = s.c + 1
    return (output * tanh(c), State(h: h, c: c))
  }

  var parameters: [(name: String, parameter: Parameter)] { cell.parameters }
}
