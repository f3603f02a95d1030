import Examples
import Testing
import Unfold

/// A user's cell in everything that the shipped ones are used for.
@Suite struct LectureCellTrainingTests {
  /// The text repeats itself every 5 tokens, so a network that remembers can predict all of it.
  private let text = TokenSequence((0..<4000).map { Int32([0, 1, 0, 2, 3][$0 % 5]) })

  private func model(layers: Int) -> RecurrentLanguageModel<Stack<LectureCell>> {
    var generator = Philox(seed: 1)
    let size = 12
    let cells = (0..<layers).map { _ in
      LectureCell(
        Tensor(uniform: [size, 2 * size], bound: 0.3, using: &generator), Tensor(zeros: [size]))
    }
    return RecurrentLanguageModel(
      vocabularySize: 4, embeddingSize: size, hiddenSize: size, core: Stack(cells),
      coreName: "lecture", seed: 1)
  }

  @Test(arguments: [1, 2])
  func trainsWithTheTrainerOfTheShippedCells(layers: Int) throws {
    let model = model(layers: layers)
    let configuration = TrainingConfiguration(
      batch: 8, truncation: TruncatedBPTT(window: 10), optimiser: OptimiserConfiguration(.adam),
      learningRate: 0.01, clipping: Clipping(maximumNorm: 1), epochs: 4)
    let trainer = try Trainer(model, configuration: configuration, training: text) {
      $0.crossEntropy(of: text)
    }
    var losses: [Double] = []
    let outcome = try trainer.run {
      if case .evaluated(let report) = $0 { losses.append(report.validation?.nats ?? .nan) }
    }
    #expect(outcome == .finished)
    // A model without memory can't do better than (2·ln 2)/5 = 0.277: after 0 comes 1 or 2.
    #expect(try #require(losses.last) < 0.02, "\(losses)")
  }

  @Test func generatesWhatItHasLearned() throws {
    let model = model(layers: 1)
    let configuration = TrainingConfiguration(
      batch: 8, truncation: TruncatedBPTT(window: 10), optimiser: OptimiserConfiguration(.adam),
      learningRate: 0.01, clipping: Clipping(maximumNorm: 1), epochs: 4)
    _ = try Trainer(model, configuration: configuration, training: text, evaluate: nil).run { _ in }
    var predictor = model.predictor()
    var logits = text.prefix(10).map { predictor.logits(after: $0) }.last ?? []
    var written: [Int32] = []
    for _ in 0..<10 {
      let next = Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0)
      written.append(next)
      logits = predictor.logits(after: next)
    }
    #expect(written == Array(text[10..<20]))
  }
}
