import Foundation
import Interchange
import Language
import Learning

/// Keeps `report.html` and TensorBoard's event file of a run up to date while it trains.
///
/// `unfold train` always writes both: with a hundred logged steps an epoch they cost less than can
/// be measured, and about a megabyte for a long training. Logging every step of a small model costs
/// up to a tenth of its speed.
///
///     let reporter = TrainingReporter(training.folder)
///     let outcome = try training.run { try reporter.note($0) }
///     try reporter.finish(RunResults(outcome, tables: []))
public final class TrainingReporter {
  private let folder: RunFolder
  private var log: TensorBoardLog?
  private let clock = ContinuousClock()
  /// When the report was last written, and how long that took.
  private var written: ContinuousClock.Instant
  private var cost = Duration.zero
  /// Between two evaluations the report is made anew after so long.
  private static let interval = Duration.seconds(30)
  /// When the step began that is noted next: evaluations and reports aren't a part of it.
  private var stepBegin: ContinuousClock.Instant
  /// Of the steps since TensorBoard's last: their tokens, and the seconds that they took.
  private var tokens = 0
  private var seconds = 0.0

  public init(_ folder: RunFolder) {
    self.folder = folder
    written = clock.now
    stepBegin = written
  }

  /// Takes what the training tells, after the run's own files have it.
  ///
  /// - Throws: `FileError`.
  public func note(_ event: LanguageModelTraining.Event) throws {
    defer { stepBegin = clock.now }
    switch event {
    case .started(_, let done):
      // A run that goes on hasn't ended.
      try? FileManager.default.removeItem(at: folder.results)
      log = try TensorBoardLog(in: folder.url, after: done)
      try write()
    case .step(let step):
      tokens += step.tokens
      seconds += stepBegin.duration(to: clock.now) / .seconds(1)
      if !step.parameters.isEmpty { try add(step) }
      try write(after: Self.interval)
    case .evaluated(let evaluation, _):
      try add(evaluation)
      try write(after: .zero)
    case .saved, .notice: break
    }
  }

  /// Writes the last report, with the tables of the end.
  ///
  /// - Throws: `FileError`.
  public func finish(_ results: RunResults) throws {
    try results.write(to: folder)
    try write()
  }

  /// Writes the report if the last one is older than that, and if all reports together take a
  /// fiftieth of the time at most; but one that took long for once is no reason to wait for more than
  /// some seconds.
  private func write(after interval: Duration) throws {
    let wait = max(interval, min(cost * 50, .seconds(10)))
    if written.duration(to: clock.now) >= wait { try write() }
  }

  private func write() throws {
    let begin = clock.now
    try TrainingReport(of: folder).write()
    written = clock.now
    cost = begin.duration(to: written)
  }

  // MARK: TensorBoard

  private func add(_ step: StepReport) throws {
    var values: [(tag: String, value: TensorBoardLog.Value)] = [
      ("loss/training_window", .scalar(step.loss)),
      ("learning_rate", .scalar(Double(step.learningRate))),
      ("gradient_norm/all", .scalar(step.gradientNorm)),
      ("tokens_per_second", .scalar(Double(tokens) / seconds)),
    ]
    for parameter in step.parameters {
      values.append(("gradient_norm/\(parameter.name)", .scalar(parameter.gradientNorm)))
      if let ratio = parameter.updateRatio {
        values.append(("update_ratio/\(parameter.name)", .scalar(ratio)))
      }
      guard let histograms = parameter.histograms else { continue }
      values.append(("weights/\(parameter.name)", .histogram(.init(histograms.weights))))
      values.append(("gradients/\(parameter.name)", .histogram(.init(histograms.gradients))))
    }
    try log?.add(values, step: step.step)
    (tokens, seconds) = (0, 0)
  }

  private func add(_ evaluation: EvaluationReport) throws {
    var values: [(tag: String, value: TensorBoardLog.Value)] = [
      ("loss/training", .scalar(evaluation.training.nats)),
      ("perplexity/training", .scalar(evaluation.training.perplexity)),
    ]
    if let validation = evaluation.validation {
      values.append(("loss/validation", .scalar(validation.nats)))
      values.append(("perplexity/validation", .scalar(validation.perplexity)))
    }
    try log?.add(values, step: evaluation.step)
  }
}

extension TensorBoardLog.Histogram {
  fileprivate init(_ histogram: NumberHistogram) {
    self.init(
      smallest: histogram.smallest, largest: histogram.largest, count: Double(histogram.count),
      sum: histogram.sum, sumOfSquares: histogram.sumOfSquares, upperEdges: histogram.upperEdges,
      counts: histogram.counts.map(Double.init))
  }
}
