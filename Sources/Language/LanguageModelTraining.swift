import Foundation
import Interchange
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
  /// Where the training stood when `run` returned.
  public private(set) var progress: TrainingProgress?
  private let isResumed: Bool

  /// What a run tells while it goes.
  public enum Event: Sendable {
    /// Before the first step: how many there are, and how many of them are done.
    case started(steps: Int, done: Int)
    case step(StepReport)
    case evaluated(EvaluationReport, sample: String)
    /// A checkpoint was written.
    case saved
    /// Something that a person should know.
    case notice(String)
  }

  /// Begins a run in a folder that holds none.
  ///
  /// - Parameter progress: gets how far the reading of the text has come, from time to time.
  public init(
    _ settings: RunSettings, folder: URL, progress: (ReadingProgress) -> Void = { _ in }
  ) throws {
    self.folder = RunFolder(folder)
    if self.folder.holdsRun { throw RunError.holdsRun(path: folder.path) }
    _ = try settings.training.validated()
    text = try TrainingText(settings.text, seed: settings.seed, progress: progress)
    try Self.checkLength(text, settings.training)
    let settings = try settings.fitted(to: text.vocabulary)
    self.settings = settings
    try settings.checkMemory(vocabularySize: text.vocabulary.count)
    model = try settings.model.validated()
      .model(vocabularySize: text.vocabulary.count, seed: settings.seed)
    isResumed = false
    try self.folder.create(settings, text.vocabulary)
  }

  /// Goes on with the run that a folder holds.
  ///
  /// - Parameters:
  ///   - files: the text, if it is to be found elsewhere than at the beginning.
  ///   - progress: gets how far the reading of the text has come, from time to time.
  public init(
    resuming folder: URL, files: [String]? = nil,
    progress: (ReadingProgress) -> Void = { _ in }
  ) throws {
    self.folder = RunFolder(folder)
    var settings = try self.folder.settings()
    if let files { settings.text.files = files }
    guard files != nil || !settings.text.files.contains("-") else {
      throw RunError.textWasStandardInput(path: folder.path)
    }
    text = try TrainingText(settings.text, seed: settings.seed, progress: progress)
    settings = try settings.fitted(to: text.vocabulary)
    self.settings = settings
    try settings.checkMemory(vocabularySize: text.vocabulary.count)
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
  ) throws -> TrainingOutcome {
    do {
      return try run(model, shouldStop: shouldStop, on: event)
    } catch let error as FileError where error.operation != .read && !store.isEmpty {
      throw RunError.stopped(error, path: folder.url.path)
    }
  }

  private func run<Model: RecurrentModel>(
    _ model: Model, shouldStop: () -> Bool, on event: @escaping (Event) throws -> Void
  ) throws -> TrainingOutcome {
    let begin = try resumedCheckpoint()
    if let notice = begin?.notice { try event(.notice(notice)) }
    let validation = text.validation
    let streams = settings.training.batch
    let trainer = try Trainer(
      model, configuration: settings.training, training: text.training,
      evaluate: validation.isEmpty
        ? nil : { $0.crossEntropy(of: validation, streams: streams, progress: { _ in }) })
    if let checkpoint = begin?.checkpoint {
      try trainer.restore(checkpoint, fingerprint: text.fingerprint)
    }
    try folder.rewind(to: trainer.progress.step)
    let clock = ContinuousClock()
    var saved = clock.now
    func save() throws {
      try store.write(trainer.checkpoint(fingerprint: text.fingerprint))
      saved = clock.now
    }
    func saveIfDue() throws {
      guard saved.duration(to: clock.now) >= checkpointInterval else { return }
      try save()
      try event(.saved)
    }
    if begin == nil { try save() }
    let interval = metricsInterval ?? max(1, trainer.updatesPerEpoch / 100)
    trainer.measurementInterval = interval
    let recorder = MetricsRecorder(folder, every: interval)
    try event(.started(steps: trainer.totalSteps, done: trainer.progress.step))
    recorder.resume()

    let outcome = try trainer.run(shouldStop: shouldStop) { report in
      switch report {
      case .step(let step):
        try recorder.record(step)
        try event(.step(step))
      case .evaluated(let evaluation):
        try recorder.record(evaluation)
        let sample = try trainer.withAveragedWeights {
          if evaluation.isBest { try write(to: folder.best) }
          return try self.sample(seed: UInt64(evaluation.step))
        }
        try Folder.append(
          line: RunFolder.sampleHeading(step: evaluation.step) + "\n\(sample)\n",
          to: folder.samples)
        try event(.evaluated(evaluation, sample: sample))
      }
      // Not between a step and its evaluation, which a resumed run would then report again.
      if !trainer.isEvaluationDue { try saveIfDue() }
      recorder.resume()
    }
    progress = trainer.progress
    if case .diverged = outcome { return outcome }
    try save()
    try trainer.withAveragedWeights { try write(to: folder.last) }
    return outcome
  }

  private var store: CheckpointStore { CheckpointStore(folder.checkpoints) }

  /// Where a resumed run goes on, and what is to be said about it; nil where a run begins. One that
  /// was stopped before its first checkpoint begins again.
  private func resumedCheckpoint() throws -> (checkpoint: Checkpoint, notice: String?)? {
    let hasMetrics = FileManager.default.fileExists(atPath: folder.metrics.path)
    guard isResumed, !store.isEmpty || hasMetrics else { return nil }
    let (checkpoint, skipped) = try store.newest()
    try checkpoint.check(text.fingerprint)
    return (
      checkpoint,
      skipped.isEmpty
        ? nil
        : "Going back to the checkpoint after step \(checkpoint.progress.step), because a newer one "
          + "can't be used: \(skipped.joined(separator: " "))"
    )
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
    let isOfWords = text.vocabulary.unit == .words || text.vocabulary.unit == .bpe
    generator.write(length: isOfWords ? 40 : 200) { sample += $0 }
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
