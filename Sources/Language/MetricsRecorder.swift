import Foundation
import Interchange
import Learning

/// Writes `metrics.jsonl`: every few steps, and every evaluation.
final class MetricsRecorder {
  private let folder: RunFolder
  private let every: Int
  private let encoder = JSONEncoder()
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  /// When the step began that is recorded next.
  private var stepBegin: ContinuousClock.Instant
  /// Of the steps since the last line: their tokens, and the seconds that they themselves took.
  private var tokens = 0
  private var seconds = 0.0

  init(_ folder: RunFolder, every: Int) {
    self.folder = folder
    self.every = every
    begin = clock.now
    stepBegin = begin
    encoder.outputFormatting = .sortedKeys
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  }

  private struct StepLine: Encodable {
    let step, epoch: Int
    let seconds, trainingNatsPerToken: Double
    let learningRate: Float
    let gradientNorm: Double
    let clipped: Bool
    let tokensPerSecond: Double
    let totalSteps: Int
    /// In how many steps clipping acted, since the first.
    let clippedByNorm, clippedByValue: Int
    /// Of each parameter, before clipping.
    let gradientNorms: [String: Float]
    /// ‖Δw‖ / ‖w‖ of each parameter.
    let updateRatios: [String: Float]
  }

  private struct EvaluationLine: Encodable {
    let step, epoch: Int
    let seconds, trainingNatsPerToken: Double
    let validationNatsPerToken: Double?
    let validationPerplexity: Double?
    let isBest: Bool
  }

  /// Seconds since the run began or went on.
  private var elapsed: Double { begin.duration(to: clock.now) / .seconds(1) }

  /// Says that a step begins now: after a checkpoint, a sample or whatever else took time that isn't
  /// a step's.
  func resume() { stepBegin = clock.now }

  func record(_ report: StepReport) throws {
    defer { resume() }
    tokens += report.tokens
    seconds += stepBegin.duration(to: clock.now) / .seconds(1)
    guard report.step % every == 0 else { return }
    try write(
      StepLine(
        step: report.step, epoch: report.epoch, seconds: elapsed, trainingNatsPerToken: report.loss,
        learningRate: report.learningRate, gradientNorm: report.gradientNorm,
        clipped: report.clipped, tokensPerSecond: (Double(tokens) / seconds).rounded(),
        totalSteps: report.totalSteps, clippedByNorm: report.clipping.byNorm,
        clippedByValue: report.clipping.byValue,
        gradientNorms: report.figures { $0.gradientNorm },
        updateRatios: report.figures(\.updateRatio)))
    (tokens, seconds) = (0, 0)
  }

  func record(_ report: EvaluationReport) throws {
    defer { resume() }
    try write(
      EvaluationLine(
        step: report.step, epoch: report.epoch, seconds: elapsed,
        trainingNatsPerToken: report.training.nats,
        validationNatsPerToken: report.validation?.nats,
        validationPerplexity: report.validation?.perplexity, isBest: report.isBest))
  }

  private func write(_ line: some Encodable) throws {
    let text = String(decoding: try encoder.encode(line), as: UTF8.self)
    try Folder.append(line: text, to: folder.metrics)
  }
}

extension StepReport {
  /// A figure of each parameter, by name.
  fileprivate func figures(_ figure: (ParameterStep) -> Double?) -> [String: Float] {
    let figures = parameters.compactMap { parameter in
      figure(parameter).map { (parameter.name, Float($0)) }
    }
    return Dictionary(uniqueKeysWithValues: figures)
  }
}
