import Foundation
import Learning
import Tensors

/// A training run of a language model in its folder: from settings to the best model.
public final class LanguageModelTraining {
  public let settings: RunSettings
  public let folder: RunFolder
  public let text: TrainingText
  public let model: any RecurrentModel
  /// How often a checkpoint is written, at least, in seconds. It doesn't change the result.
  public var checkpointInterval = Duration.seconds(30)
  /// A line of metrics every so many steps; nil for about a hundred lines an epoch.
  public var metricsInterval: Int?
  private let isResumed: Bool

  /// What a run tells while it goes.
  public enum Event: Sendable {
    /// Before the first step: how many there are, and how many of them are done.
    case started(steps: Int, done: Int, tokensPerStep: Int)
    case step(StepReport)
    case evaluated(EvaluationReport, sample: String)
    /// Something that a person should know.
    case notice(String)
  }

  /// Begins a run in a folder that holds none.
  public init(_ settings: RunSettings, folder: URL) throws {
    self.settings = settings
    self.folder = RunFolder(folder)
    text = try TrainingText(settings.text, seed: settings.seed)
    model = try settings.model.validated()
      .model(vocabularySize: text.vocabulary.count, seed: settings.seed)
    isResumed = false
    _ = try settings.training.validated()
    try Self.checkLength(text, settings.training)
    try self.folder.create(settings)
  }

  /// Goes on with the run that a folder holds.
  ///
  /// - Parameter files: the text, if it is to be found elsewhere than at the beginning.
  public init(resuming folder: URL, files: [String]? = nil) throws {
    self.folder = RunFolder(folder)
    var settings = try self.folder.settings()
    if let files { settings.text.files = files }
    self.settings = settings
    text = try TrainingText(settings.text, seed: settings.seed)
    model = try settings.model.validated()
      .model(vocabularySize: text.vocabulary.count, seed: settings.seed)
    isResumed = true
  }

  private static func checkLength(_ text: TrainingText, _ training: TrainingConfiguration) throws {
    let window = training.truncation.window
    let needed = training.batch * window + 1
    if text.training.count < needed {
      throw TextTooShort(
        tokens: text.training.count, needed: needed, batch: training.batch, window: window)
    }
  }

  /// Trains until the end, or until `shouldStop`.
  ///
  /// Whatever happens, the folder holds a whole checkpoint and the best model so far.
  public func run(
    shouldStop: () -> Bool = { false }, on event: @escaping (Event) throws -> Void
  ) throws -> TrainingOutcome { try run(model, shouldStop: shouldStop, on: event) }

  private func run<Model: RecurrentModel>(
    _ model: Model, shouldStop: () -> Bool, on event: @escaping (Event) throws -> Void
  ) throws -> TrainingOutcome {
    let validation = text.validation
    let streams = settings.training.batch
    let trainer = try Trainer(
      model, configuration: settings.training, training: text.training,
      evaluate: validation.isEmpty
        ? nil : { $0.crossEntropy(of: validation, streams: streams, progress: { _ in }) })
    let store = CheckpointStore(folder.checkpoints)
    if isResumed {
      let (checkpoint, skipped) = try store.newest()
      try trainer.restore(checkpoint, fingerprint: text.fingerprint)
      for sentence in skipped {
        try event(.notice("A newer checkpoint was passed over: \(sentence)"))
      }
      try folder.truncateMetrics(after: trainer.progress.step)
    } else {
      try store.write(trainer.checkpoint(fingerprint: text.fingerprint))
    }
    let recorder = MetricsRecorder(
      folder, every: metricsInterval ?? max(1, trainer.updatesPerEpoch / 100))
    let tokensPerStep = settings.training.batch * settings.training.truncation.stride
    try event(
      .started(
        steps: trainer.totalSteps, done: trainer.progress.step, tokensPerStep: tokensPerStep))

    let clock = ContinuousClock()
    var saved = clock.now
    let outcome = try trainer.run(shouldStop: shouldStop) { report in
      switch report {
      case .step(let step):
        try recorder.record(step)
        try event(.step(step))
      case .evaluated(let evaluation):
        try recorder.record(evaluation)
        if evaluation.isBest { try self.write(to: self.folder.best) }
        let sample = try self.sample(seed: UInt64(evaluation.step))
        try self.folder.append(
          "— after step \(evaluation.step) —\n\(sample)\n", to: self.folder.samples)
        try event(.evaluated(evaluation, sample: sample))
      }
      // Not between a step and its evaluation, which a resumed run would then report again.
      if !trainer.isEvaluationDue, saved.duration(to: clock.now) >= self.checkpointInterval {
        try store.write(trainer.checkpoint(fingerprint: self.text.fingerprint))
        saved = clock.now
      }
    }
    if case .diverged = outcome { return outcome }
    try store.write(trainer.checkpoint(fingerprint: text.fingerprint))
    try write(to: folder.last)
    return outcome
  }

  /// The best model of the run, if one has been written, or else the model as it is.
  public func best() throws -> any RecurrentModel {
    FileManager.default.fileExists(atPath: folder.best.path)
      ? try ModelFolder(contentsOf: folder.best).model : model
  }

  private func write(to url: URL) throws {
    try ModelFolder(
      configuration: settings.model, vocabulary: text.vocabulary, model: model
    ).write(to: url)
  }

  /// A little text that the model writes, to see how it is doing.
  private func sample(seed: UInt64) throws -> String {
    var generator = try TextGenerator(
      model, vocabulary: text.vocabulary, sampling: Sampling(temperature: 0.8),
      seed: settings.seed &+ seed)
    var sample = ""
    generator.write(length: text.vocabulary.unit == .words ? 40 : 200) { sample += $0 }
    return sample.trimmingCharacters(in: .newlines)
  }
}

/// A text that doesn't fill one window of every stream.
public struct TextTooShort: Error, Equatable, Sendable, CustomStringConvertible {
  public let tokens, needed, batch, window: Int

  public var description: String {
    "The training text has \(tokens) tokens, but a batch of \(batch) and a window of \(window) need "
      + "at least \(needed); use more text, or lower --batch or --window."
  }
}

/// Writes `metrics.jsonl`: every few steps, and every evaluation.
private final class MetricsRecorder {
  private let folder: RunFolder
  private let every: Int
  private let encoder = JSONEncoder()
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant
  private var tokens = 0

  init(_ folder: RunFolder, every: Int) {
    self.folder = folder
    self.every = every
    last = clock.now
    encoder.outputFormatting = .sortedKeys
    encoder.keyEncodingStrategy = .convertToSnakeCase
  }

  private struct StepLine: Encodable {
    let step, epoch: Int
    let trainingNats: Double
    let learningRate: Float
    let gradientNorm: Double
    let clipped: Bool
    let tokensPerSecond: Double
  }

  private struct EvaluationLine: Encodable {
    let step, epoch: Int
    let trainingNatsPerToken: Double
    let validationNatsPerToken: Double?
    let validationPerplexity: Double?
    let isBest: Bool
  }

  func record(_ report: StepReport) throws {
    tokens += report.tokens
    guard report.step % every == 0 else { return }
    let seconds = last.duration(to: clock.now) / .seconds(1)
    try write(
      StepLine(
        step: report.step, epoch: report.epoch, trainingNats: report.loss,
        learningRate: report.learningRate, gradientNorm: report.gradientNorm,
        clipped: report.clipped, tokensPerSecond: (Double(tokens) / seconds).rounded()))
    (last, tokens) = (clock.now, 0)
  }

  func record(_ report: EvaluationReport) throws {
    try write(
      EvaluationLine(
        step: report.step, epoch: report.epoch, trainingNatsPerToken: report.training.nats,
        validationNatsPerToken: report.validation?.nats,
        validationPerplexity: report.validation?.perplexity, isBest: report.isBest))
  }

  private func write(_ line: some Encodable) throws {
    let text = String(decoding: try encoder.encode(line), as: UTF8.self)
    try folder.append(text, to: folder.metrics)
  }
}
