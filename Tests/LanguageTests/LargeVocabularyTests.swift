import AllocationCounter
import Foundation
import Interchange
import Language
import Learning
import Recurrence
import Tensors
import Testing

/// Models with an adaptive softmax, or trained with a sampled one.
@Suite struct LargeVocabularyTests {
  private static let kinds: [Softmax] = [.adaptive(cutoffs: [5, 20]), .sampled(samples: 12)]
  private let tokens = randomTokens(120, classes: 60, seed: 2)

  private func model(_ softmax: Softmax, tied: Bool = false) throws -> any RecurrentModel {
    try ModelConfiguration(hiddenSize: 16, tied: tied, softmax: softmax).validated()
      .model(vocabularySize: 60, seed: 1)
  }

  /// By the logits of all words after each token.
  @Test(arguments: kinds) func perplexityIsExact(softmax: Softmax) throws {
    let model = try model(softmax)
    var predictor = model.predictor()
    let nats = zip(tokens, tokens.dropFirst()).map { token, next in
      let logits = predictor.logits(after: token).map(Double.init)
      return log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(next)]
    }
    let found = model.crossEntropy(of: tokens, streams: 1) { _ in }
    #expect(abs(found.nats - nats.reduce(0, +) / Double(nats.count)) < 1e-6)
    let each = model.logProbabilities(of: tokens)
    #expect(zip(each, nats).allSatisfy { abs($0 + $1) < 1e-5 })
  }

  @Test(arguments: [false, true]) func aSampledSoftmaxIsForTrainingOnly(tied: Bool) throws {
    let sampled = try model(.sampled(samples: 12), tied: tied)
    let full = ModelConfiguration(hiddenSize: 16, tied: tied).model(vocabularySize: 60, seed: 1)
    let window = Streams(TokenSequence(tokens), batch: 2).window(0..<20)
    func loss(_ model: some RecurrentModel, _ mode: Mode) -> Float {
      model.loss(window, from: nil, skipping: 0, mode: mode).loss.item
    }
    #expect(loss(sampled, .inference) == loss(full, .inference))
    let steps = [1, 1, 2].map { loss(sampled, .training(Philox(seed: $0))) }
    #expect(steps[0] == steps[1] && steps[0] != steps[2])
    #expect(steps[0] != loss(full, .training(Philox(seed: 1))))
  }

  @Test(arguments: kinds) func trainingLowersTheExactPerplexity(softmax: Softmax) throws {
    let model = try model(softmax)
    let text = (0..<40).flatMap { _ in tokens.prefix(20) }
    let before = model.crossEntropy(of: text, streams: 1) { _ in }
    func train(_ model: some RecurrentModel) throws {
      let configuration = TrainingConfiguration(
        batch: 4, truncation: TruncatedBPTT(window: 20), optimiser: OptimiserConfiguration(.adam),
        learningRate: 0.01, epochs: 10)
      _ = try Trainer(
        model, configuration: configuration, training: TokenSequence(text), evaluate: nil
      ).run { _ in }
    }
    try train(model)
    let after = model.crossEntropy(of: text, streams: 1) { _ in }
    #expect(after.nats < before.nats / 2)
  }

  @Test(arguments: DynamicEvaluation.Method.allCases)
  func anAdaptiveModelFollowsItsText(method: DynamicEvaluation.Method) throws {
    let model = try model(Self.kinds[0])
    let text = (0..<10).flatMap { _ in tokens.prefix(20) }
    let before = model.parameters.map { $0.parameter.value.values }
    var dynamic = DynamicEvaluation(method, rate: method == .sgd ? 0.3 : 0.01)
    dynamic.statisticsText = TokenSequence(text)
    let found = Evaluation(dynamic: dynamic).crossEntropy(of: text, by: model)
    #expect(found.nats < model.crossEntropy(of: text, streams: 1) { _ in }.nats)
    #expect(model.parameters.map { $0.parameter.value.values } == before)
  }

  /// PyTorch's `state_dict` of a module with an `AdaptiveLogSoftmaxWithLoss` named `decoder`.
  @Test func weightsHavePyTorchsNames() throws {
    let text = (0..<60).map { "w\($0)" }.joined(separator: " ")
    let vocabulary = try Vocabulary(unit: .words, building: Array(text.utf8), source: "text")
    let configuration = ModelConfiguration(
      hiddenSize: 16, softmax: .adaptive(cutoffs: [5, 20]))
    let model = configuration.model(vocabularySize: vocabulary.count, seed: 1)
    #expect(model.parameterCount == configuration.parameterCount(vocabularySize: vocabulary.count))
    let folder = ModelFolder(configuration: configuration, vocabulary: vocabulary, model: model)
    try withTemporaryFolder { url in
      try folder.write(to: url)
      let file = try SafetensorsFile(contentsOf: url.appending(path: "model.safetensors"))
      let readout = file.entries.filter { $0.name.hasPrefix("decoder.") }
      let shapes = Dictionary(uniqueKeysWithValues: readout.map { ($0.name, $0.shape) })
      #expect(
        shapes == [
          "decoder.head.weight": [7, 16], "decoder.tail.0.0.weight": [4, 16],
          "decoder.tail.0.1.weight": [15, 4], "decoder.tail.1.0.weight": [1, 16],
          "decoder.tail.1.1.weight": [42, 1],
        ])
      let read = try ModelFolder(contentsOf: url)
      #expect(read.configuration == configuration)
      let token = Int32(3)
      var (ours, theirs) = (model.predictor(), read.model.predictor())
      #expect(ours.logits(after: token) == theirs.logits(after: token))
    }
  }

  @Test func cutoffsFollowTheVocabulary() {
    #expect(Softmax.cutoffs(vocabularySize: 267_735) == [17_849, 53_547])
    let configuration = ModelConfiguration(hiddenSize: 16, softmax: .adaptive())
    let model = configuration.model(vocabularySize: 60, seed: nil)
    #expect(model.parameterCount == configuration.parameterCount(vocabularySize: 60))
    let head = model.parameters.first { $0.name == "decoder.head.weight" }
    #expect(head?.parameter.shape == [6, 16])
  }

  @Test func whatMakesNoSenseIsRefused() {
    for (softmax, tied, size) in [
      (.adaptive(), true, 16), (.adaptive(), false, 15), (.adaptive(cutoffs: []), false, 16),
      (.adaptive(cutoffs: [0, 5]), false, 16), (.adaptive(cutoffs: [5, 5]), false, 16),
      (.sampled(samples: 0), false, 16),
    ] as [(Softmax, Bool, Int)] {
      #expect(throws: SettingError.self) {
        try ModelConfiguration(hiddenSize: size, tied: tied, softmax: softmax).validated()
      }
    }
  }

  /// Of 400 rows times 60,000 words, 96 MB in all, no block of the loss is larger than a quarter. The
  /// weights are smaller still.
  @Test(
    .enabled(
      if: unfold_can_count_allocations() != 0,
      "This system doesn't let a program count allocations."),
    arguments: [nil, .adaptive(), .sampled(samples: 5000)] as [Softmax?])
  func logitsAreNeverAllInMemory(softmax: Softmax?) throws {
    let model = ModelConfiguration(hiddenSize: 16, softmax: softmax)
      .model(vocabularySize: 60_000, seed: 1)
    let tokens = randomTokens(401, classes: 60_000, seed: 3)
    func losses(_ model: some RecurrentModel) -> Float {
      let window = Streams(TokenSequence(tokens), batch: 20).window(0..<20)
      let (loss, _) = model.loss(
        window, from: nil, skipping: 0, mode: .training(Philox(seed: 1)))
      _ = loss.backward()
      return loss.item + Float(model.crossEntropy(of: tokens, streams: 20) { _ in }.nats)
    }
    unfold_start_counting_allocations()
    let sum = losses(model)
    let largest = unfold_stop_counting_allocations().largest
    #expect(sum.isFinite)
    #expect(largest <= 400 * 60_000 * 4 / 4)
  }
}
