import Foundation
import Learning
import Recurrence
import Tensors
import Testing

@Suite(.serialized) struct TrainerTests {
  private typealias Model = TinyModel<Stack<LSTMCell>>

  /// 0 1 2 3 4 5 6 0 1 …
  private func cycle(_ count: Int) -> TokenSequence {
    TokenSequence((0..<count).map { Int32($0 % 7) })
  }

  /// Ten updates an epoch.
  private func configuration(
    _ method: OptimiserConfiguration.Method = .sgd, rate: Float = 0.1, epochs: Int = 2
  ) -> TrainingConfiguration {
    TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: 5), optimiser: OptimiserConfiguration(method),
      learningRate: rate, epochs: epochs)
  }

  private func model(size: Int = 6) -> Model { .lstm(classes: 7, size: size, seed: 1) }

  private func events(
    _ configuration: TrainingConfiguration, model: Model? = nil,
    evaluate: ((Model) -> CrossEntropy)? = nil
  ) throws -> (events: [TrainingEvent], outcome: TrainingOutcome) {
    let trainer = try Trainer(
      model ?? self.model(), configuration: configuration, training: cycle(101),
      evaluate: evaluate)
    var events: [TrainingEvent] = []
    let outcome = try trainer.run { events.append($0) }
    return (events, outcome)
  }

  /// A validation whose losses are prescribed.
  private func scripted(_ losses: [Double]) -> (Model) -> CrossEntropy {
    var rest = losses[...]
    return { _ in CrossEntropy(totalNats: rest.popFirst() ?? .nan, tokens: 1) }
  }

  @Test func eventsComeInOrder() throws {
    var configuration = configuration()
    configuration.evaluationsPerEpoch = 3
    let (events, outcome) = try events(configuration)
    #expect(outcome == .finished)
    let found = events.map { event in
      switch event {
      case .step(let report): "\(report.step)/\(report.totalSteps) in \(report.epoch)"
      case .evaluated(let report): "evaluation \(report.step) in \(report.epoch)"
      }
    }
    // Thirds of ten steps end with steps 4, 7 and 10.
    let expected = (1...20).flatMap { step in
      let epoch = (step + 9) / 10
      let evaluates = [4, 7, 10].contains((step - 1) % 10 + 1)
      return ["\(step)/20 in \(epoch)"] + (evaluates ? ["evaluation \(step) in \(epoch)"] : [])
    }
    #expect(found == expected)
  }

  @Test func theTrainingLossIsThatSinceTheEvaluationBefore() throws {
    var configuration = configuration()
    configuration.evaluationsPerEpoch = 2
    var losses: [Double] = []
    for event in try events(configuration).events {
      switch event {
      case .step(let report):
        #expect(report.tokens == 10)
        losses.append(report.loss)
      case .evaluated(let report):
        #expect(report.training.tokens == 50)
        #expect(abs(report.training.nats - losses.reduce(0, +) / 5) < 1e-12)
        #expect(report.validation == nil)
        losses = []
      }
    }
  }

  /// A cycle is foreseen with certainty from any of its tokens.
  @Test func lossFalls() throws {
    let (events, _) = try events(configuration(.adam, rate: 0.02, epochs: 40))
    let losses = events.compactMap { if case .step(let report) = $0 { report.loss } else { nil } }
    #expect(abs(losses[0] - log(7)) < 0.3)
    #expect(losses.suffix(10).allSatisfy { $0 < 0.05 })
  }

  @Test func anEpochBeginsWithTheInitialState() throws {
    // The rate is so small that weights stay as they are: only the state could differ.
    let before = model()
    let (events, _) = try events(configuration(rate: 1e-30), model: before)
    let losses = events.compactMap { if case .step(let report) = $0 { report.loss } else { nil } }
    #expect(Array(losses[..<10]) == Array(losses[10...]))
    #expect(before.bits == model().bits)
    // Of a cycle, windows 0 and 7 have the same tokens; only the state differs.
    #expect(losses[0] != losses[7])
  }

  @Test func stopsWhenTheValidationLossHasStoppedFalling() throws {
    var configuration = configuration(epochs: 9)
    configuration.patience = 1
    let (events, outcome) = try events(
      configuration, evaluate: scripted([3, 2, 2.5, 1.9, 1.9, 1.95, 0]))
    #expect(outcome == .stoppedEarly)
    let best = events.compactMap {
      if case .evaluated(let report) = $0 { report.isBest } else { nil }
    }
    #expect(best == [true, true, false, true, false, false])
  }

  @Test(arguments: [Double.nan, .infinity, 1e6])
  func anAbsurdValidationLossIsDivergence(loss: Double) throws {
    let (events, outcome) = try events(configuration(epochs: 3), evaluate: scripted([3, loss, 2]))
    guard case .diverged(let divergence) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(divergence.step == 20 && !(divergence.loss < 1e6))
    let evaluations = events.filter { if case .evaluated = $0 { true } else { false } }
    #expect(evaluations.count == 1)
  }

  @Test func aPlateauReducesTheRate() throws {
    var configuration = configuration(epochs: 5)
    configuration.schedule = .plateau(patience: 0, factor: 0.5, minimum: 0.03)
    let (events, _) = try events(configuration, evaluate: scripted([2, 3, 1, 1, 1]))
    let rates = events.compactMap {
      if case .step(let report) = $0 { report.learningRate } else { nil }
    }
    #expect(stride(from: 0, to: 50, by: 10).map { rates[$0] } == [0.1, 0.1, 0.05, 0.05, 0.03])
    #expect(stride(from: 9, to: 50, by: 10).map { rates[$0] } == [0.1, 0.1, 0.05, 0.05, 0.03])
  }

  @Test func anInterruptionIsAskedForAfterEachStep() throws {
    let trainer = try Trainer(
      model(), configuration: configuration(), training: cycle(101), evaluate: nil)
    var steps = 0
    let outcome = try trainer.run {
      steps == 3
    } on: {
      if case .step(let report) = $0 { steps = report.step }
    }
    #expect(outcome == .interrupted)
    #expect(trainer.progress.step == 3)
    #expect(try trainer.run { _ in } == .finished)
    #expect(trainer.progress.step == 20)
  }

  /// Large enough that threads share the work; with everything that draws random numbers.
  @Test func sameSeedSameBytes() throws {
    let before = Compute.threads
    defer { Compute.threads = before }
    let tokens = TokenSequence(randomTokens(16 * 20 * 3 + 1, classes: 50, seed: 5))
    let runs = try [1, 1, 2].map { threads in
      Compute.threads = threads
      let model = Model.lstm(classes: 50, size: 48, seed: 1, dropout: 0.3)
      var configuration = configuration(.adam, rate: 0.01, epochs: 2)
      configuration.batch = 16
      configuration.truncation = TruncatedBPTT(window: 20)
      configuration.clipping.maximumNorm = 0.02
      let trainer = try Trainer(
        model, configuration: configuration, training: tokens, evaluate: nil)
      #expect(try trainer.run { _ in } == .finished)
      #expect(trainer.progress.clipping.byNorm > 0)
      return model.bits
    }
    let same = runs[0] == runs[1] && runs[0] == runs[2]
    #expect(same)
  }

  @Test func aTextThatIsTooShortIsRefused() {
    let configuration = configuration()
    let error = #expect(throws: SettingError.self) {
      try Trainer(model(), configuration: configuration, training: cycle(10), evaluate: nil)
    }
    #expect(
      error?.description == "text must be at least 11 tokens long for a batch of 2 and a window of "
        + "5 (lower one of them, or use more text), not 10 tokens")
  }
}
