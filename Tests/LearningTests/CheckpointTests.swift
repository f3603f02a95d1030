import Foundation
import Interchange
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct CheckpointTests {
  typealias Model = TinyModel<Stack<LSTMCell>>

  struct Case: Sendable, CustomTestStringConvertible {
    let optimiser: OptimiserConfiguration
    let schedule: Schedule
    var testDescription: String { "\(optimiser.method) \(optimiser.nesterov) \(schedule)" }
  }

  static let cases: [Case] = {
    var nesterov = OptimiserConfiguration(.momentum)
    nesterov.nesterov = true
    let all = OptimiserConfiguration.Method.allCases.map { OptimiserConfiguration($0) }
    return (all + [nesterov]).flatMap { optimiser in
      [
        Case(optimiser: optimiser, schedule: .cosine(warmup: 3, final: 0.1)),
        Case(optimiser: optimiser, schedule: .plateau(patience: 0, factor: 0.5, minimum: 0)),
      ]
    }
  }()

  /// Ten updates an epoch; overlapping windows, dropout and clipping, so that all is in play.
  private static func trainer(
    _ one: Case = cases[4], modelSeed: UInt64 = 1, size: Int = 6, patience: Int? = 100
  ) throws -> Trainer<Model> {
    let configuration = TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: 5, stride: 3), optimiser: one.optimiser,
      learningRate: 0.05, schedule: one.schedule, clipping: Clipping(maximumNorm: 0.1), epochs: 3,
      evaluationsPerEpoch: 3, patience: patience, seed: 7)
    let model = Model.lstm(classes: 7, size: size, seed: modelSeed, dropout: 0.2)
    let held = Streams(TokenSequence(randomTokens(31, classes: 7, seed: 3)), batch: 1)
    return try Trainer(
      model, configuration: configuration,
      training: TokenSequence(randomTokens(65, classes: 7, seed: 2))
    ) { model in
      let window = held.window(0..<30)
      let loss = model.loss(window, from: nil, skipping: 0, mode: .inference).loss.item
      return CrossEntropy(totalNats: Double(loss) * 30, tokens: 30)
    }
  }

  /// Runs until after step `last`; what was reported.
  private static func run(_ trainer: Trainer<Model>, to last: Int = .max) throws -> [String] {
    var log: [String] = []
    _ = try trainer.run {
      trainer.progress.step >= last
    } on: {
      log.append("\($0)")
    }
    return log
  }

  /// In the middle of an epoch, right after an evaluation, and at the end of an epoch.
  @Test(arguments: cases, [5, 7, 10]) func goesOnBitForBit(_ one: Case, stop: Int) throws {
    let whole = try Self.trainer(one)
    #expect(whole.updatesPerEpoch == 10)
    let expected = try Self.run(whole)

    let first = try Self.trainer(one)
    let before = try Self.run(first, to: stop)
    #expect(first.progress.step == stop)
    try withTemporaryFolder { folder in
      let store = CheckpointStore(folder)
      let written = try store.write(first.checkpoint(fingerprint: ["text": "abc"]))
      #expect(try SafetensorsFile(contentsOf: written).metadata["format"] == "pt")
      let second = try Self.trainer(one, modelSeed: 99)
      let (checkpoint, skipped) = try store.newest()
      #expect(skipped == [])
      try second.restore(checkpoint, fingerprint: ["text": "abc"])
      let after = try Self.run(second)
      let same = before + after == expected
      #expect(same)
      #expect(second.model.bits == whole.model.bits)
      #expect(second.progress == whole.progress)
    }
  }

  /// A checkpoint that was made between a step and its evaluation.
  @Test func anEvaluationThatIsStillDueIsMade() throws {
    let trainer = try Self.trainer()
    var log: [String] = []
    var pending: (checkpoint: Checkpoint, events: Int)?
    _ = try trainer.run { event in
      log.append("\(event)")
      if case .step(let report) = event, report.step == 7 {
        #expect(trainer.isEvaluationDue)
        pending = (trainer.checkpoint(fingerprint: [:]), log.count)
      }
    }
    let (checkpoint, events) = try #require(pending)
    let second = try Self.trainer(modelSeed: 99)
    try second.restore(checkpoint, fingerprint: [:])
    #expect(try Self.run(second) == Array(log.dropFirst(events)))
    #expect(second.model.bits == trainer.model.bits)
  }

  @Test func aTrainingThatHasStoppedEarlyDoesNotGoOn() throws {
    var one = Self.cases[4]
    one = Case(optimiser: one.optimiser, schedule: .constant)
    let first = try Self.trainer(one, patience: 0)
    #expect(try first.run { _ in } == .stoppedEarly)
    let second = try Self.trainer(one, patience: 0)
    try second.restore(first.checkpoint(fingerprint: [:]), fingerprint: [:])
    #expect(try second.run { _ in Issue.record("a step after the end") } == .stoppedEarly)
  }

  @Test func anotherTrainingIsRefusedAndNothingChanges() throws {
    let first = try Self.trainer()
    _ = try Self.run(first, to: 5)
    let checkpoint = first.checkpoint(fingerprint: ["text": "abc", "vocabulary": "v"])

    let other = try Self.trainer(modelSeed: 9)
    let bits = other.model.bits
    #expect(throws: CheckpointError.otherTraining(what: "text")) {
      try other.restore(checkpoint, fingerprint: ["text": "abd", "vocabulary": "v"])
    }
    let sgd = try Self.trainer(Self.cases[0], modelSeed: 9)
    #expect(throws: OptimiserStateError.self) {
      try sgd.restore(checkpoint, fingerprint: ["text": "abc", "vocabulary": "v"])
    }
    #expect(other.model.bits == bits && sgd.model.bits == bits)
    #expect(other.progress.step == 0 && sgd.progress.step == 0)

    let larger = try Self.trainer(size: 7)
    #expect(throws: CheckpointError.otherModel(tensor: "embedding")) {
      try larger.restore(checkpoint, fingerprint: [:])
    }
  }
}

@Suite struct CheckpointStoreTests {
  private func checkpoint(step: Int) throws -> Checkpoint {
    let model = TinyModel.lstm(classes: 7, size: 4, seed: UInt64(step))
    let configuration = TrainingConfiguration(
      batch: 1, truncation: TruncatedBPTT(window: 2), optimiser: OptimiserConfiguration(.adam),
      learningRate: 0.01, epochs: 1)
    let trainer = try Trainer(
      model, configuration: configuration,
      training: TokenSequence(randomTokens(41, classes: 7, seed: 1)),
      evaluate: nil)
    _ = try trainer.run {
      trainer.progress.step == step
    } on: { _ in
    }
    return trainer.checkpoint(fingerprint: [:])
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private func name(_ step: Int) -> String { "step-000000000\(step).safetensors" }

  @Test func keepsTheNewestTwo() throws {
    try withTemporaryFolder { folder in
      let store = CheckpointStore(folder)
      for step in 1...4 {
        try store.write(checkpoint(step: step))
        #expect(try store.newest().checkpoint.progress.step == step)
      }
      #expect(try names(folder) == ["newest", name(3), name(4)])
      let pointer = try String(contentsOf: folder.appending(path: "newest"), encoding: .utf8)
      #expect(pointer == name(4) + "\n")
    }
  }

  @Test(arguments: ["cut", "changed", "empty", "gone"])
  func fallsBackToTheOneBeforeAndSaysSo(damage: String) throws {
    try withTemporaryFolder { folder in
      let store = CheckpointStore(folder)
      for step in 1...2 { try store.write(checkpoint(step: step)) }
      let newest = folder.appending(path: name(2))
      var data = try Data(contentsOf: newest)
      switch damage {
      case "cut": try data.dropLast(5).write(to: newest)
      case "changed":
        data[data.count - 2] ^= 1
        try data.write(to: newest)
      case "empty": try Data().write(to: newest)
      default: try FileManager.default.removeItem(at: newest)
      }
      let (found, skipped) = try store.newest()
      #expect(found.progress.step == 1)
      #expect(skipped.count == (damage == "gone" ? 0 : 1))
      #expect(skipped.allSatisfy { $0.contains(name(2)) })
      // What is written now comes after the one that was whole; the damaged one counts no more.
      try store.write(checkpoint(step: 1))
      #expect(try names(folder) == ["newest", name(1)])
      #expect(try store.newest().skipped == [])
    }
  }

  @Test func aFolderWithoutCheckpointIsNamed() throws {
    try withTemporaryFolder { folder in
      let missing = folder.appending(path: "checkpoints")
      let error = CheckpointError.none(folder: missing.path)
      #expect(throws: error) { try CheckpointStore(missing).newest() }
      #expect(
        error.description
          == "There is no whole checkpoint in \(missing.path), so there is nothing to resume.")
    }
  }
}
