import Foundation
import Inspection
import Language
import Learning
import Plots

/// Shows a training: progress and evaluations while it runs, and its results.
final class TrainingConsole {
  private let training: LanguageModelTraining
  private let json: Bool
  private var progress = ProgressLine()
  private let clock = ContinuousClock()
  private var begin: ContinuousClock.Instant
  private var firstStep = 0
  private var tokens = 0
  private var smoothedLoss: Double?
  private var best: EvaluationReport?
  /// Whether the program that read the JSON has ended, so that nobody waits for more of it.
  private(set) var readerHasLeft = false

  init(_ training: LanguageModelTraining, json: Bool) {
    self.training = training
    self.json = json
    begin = clock.now
  }

  func show(_ event: LanguageModelTraining.Event) throws {
    switch event {
    case .started(let steps, let done):
      begin = clock.now
      firstStep = done
      introduce(steps: steps, done: done)
    case .step(let step):
      tokens += step.tokens
      smoothedLoss = smoothedLoss.map { 0.95 * $0 + 0.05 * step.loss } ?? step.loss
      progress.show(line(for: step))
    case .evaluated(let report, let sample):
      progress.clear()
      try evaluated(report, sample: sample)
    case .saved: break
    case .notice(let sentence):
      progress.clear()
      Console.say(sentence)
    }
  }

  private var elapsed: Double { begin.duration(to: clock.now) / .seconds(1) }

  private func introduce(steps: Int, done: Int) {
    let settings = training.settings
    let shape = settings.model
    let files = settings.text.files
    let source = files.isEmpty ? "the toy language" : files.joined(separator: ", ")
    Console.say(
      """
      \(shape.cell.rawValue) \(shape.layers)×\(shape.hiddenSize), \
      \(training.model.parameterCount.grouped) parameters, over \(settings.text.unit.rawValue) \
      (\(training.text.vocabulary.count.grouped) different)
      text: \(source): \(training.text.training.count.grouped) tokens for training, \
      \(training.text.validation.count.grouped) for validation, \
      \(training.text.test.count.grouped) for test
      \(done > 0 ? "resuming after step \(done.grouped) of " : "")\(steps.grouped) steps in \
      \(settings.training.epochs) epochs; everything goes to \(training.folder.url.path)
      """)
  }

  private func line(for step: StepReport) -> String {
    let rate = Double(tokens) / elapsed
    let done = Double(step.step - firstStep)
    let left = elapsed / done * Double(step.totalSteps - step.step)
    let loss = smoothedLoss ?? step.loss
    return "epoch \(step.epoch)/\(training.settings.training.epochs)  step \(step.step.grouped)/"
      + "\(step.totalSteps.grouped)  loss \(loss.text(3)) nats  perplexity \(exp(loss).text(2))  "
      + "\(Int(rate).grouped) tokens/s  \(left.durationText) left"
  }

  private struct EvaluationLine: Encodable {
    let event = "evaluation"
    let step, epoch: Int
    let seconds, trainingNatsPerToken: Double
    let validationNatsPerToken, validationPerplexity: Double?
    let tokensPerSecond: Double
    let isBest: Bool
  }

  private func evaluated(_ report: EvaluationReport, sample: String) throws {
    if report.isBest { best = report }
    if json, !readerHasLeft {
      let line = try Console.json(
        EvaluationLine(
          step: report.step, epoch: report.epoch, seconds: elapsed,
          trainingNatsPerToken: report.training.nats,
          validationNatsPerToken: report.validation?.nats,
          validationPerplexity: report.validation?.perplexity,
          tokensPerSecond: (Double(tokens) / elapsed).rounded(), isBest: report.isBest))
      do {
        try Console.print(line)
      } catch {
        guard error.readerHasLeft else { throw error }
        readerHasLeft = true
      }
    }
    let validation = report.validation.map {
      "validation \($0.nats.text(4)) nats, perplexity \($0.perplexity.text(3))"
    }
    Console.say(
      "epoch \(report.epoch)  step \(report.step.grouped)  \(elapsed.durationText)  training "
        + "\(report.training.nats.text(4))  \(validation ?? "")\(report.isBest ? "  best" : "")")
    let lines = sample.split(separator: "\n").prefix(2).joined(separator: " ⏎ ")
    Console.say(Console.dim("  “\(lines.prefix(100))…”"))
  }

  // MARK: The end

  private struct Summary: Encodable {
    let event = "end"
    let outcome: String
    let steps: Int
    let seconds, tokensPerSecond: Double
    /// In how many steps clipping by norm and by value acted.
    let clippedByNorm, clippedByValue: Int
    var validationNatsPerToken, validationPerplexity: Double?
    var testNatsPerToken, testPerplexity: Double?
    /// Where the best model is; nil if none has been evaluated.
    let model: String?
    let folder: String
  }

  private func summary(_ outcome: String) -> Summary {
    let progress = training.progress
    return Summary(
      outcome: outcome, steps: progress?.step ?? 0, seconds: elapsed,
      tokensPerSecond: tokens == 0 ? 0 : (Double(tokens) / elapsed).rounded(),
      clippedByNorm: progress?.clipping.byNorm ?? 0,
      clippedByValue: progress?.clipping.byValue ?? 0,
      model: FileManager.default.fileExists(atPath: training.folder.best.path)
        ? training.folder.best.path : nil,
      folder: training.folder.url.path)
  }

  /// Says how it ended, and measures and prints the results of a training that came to its end.
  func finish(_ outcome: TrainingOutcome) throws -> [RunResults.Table] {
    progress.clear()
    let folder = training.folder.url.path
    switch outcome {
    case .diverged(let divergence):
      let hasBest = FileManager.default.fileExists(atPath: training.folder.best.path)
      Console.say(
        "\(divergence) The last good checkpoint\(hasBest ? " and the best model so far are" : " is")"
          + " in \(folder).")
      if json { try Console.print(Console.json(summary("diverged"))) }
      return []
    case .interrupted:
      Console.say(
        "Stopped, with a checkpoint. Go on with:  unfold train --resume \(folder)")
      if json, !readerHasLeft { try Console.print(Console.json(summary("interrupted"))) }
      return []
    case .stoppedEarly:
      Console.say("The validation loss had stopped falling, so training ended early.")
    case .finished: break
    }
    if let clipping = training.progress?.clipping, clipping.byNorm + clipping.byValue > 0 {
      Console.say(
        "Clipping acted in \(clipping.byNorm.grouped) of \(clipping.steps.grouped) steps by norm, in "
          + "\(clipping.byValue.grouped) by value.")
    }
    let tables =
      training.settings.text.files.isEmpty
      ? try ToyReport(training).print(json: json) : try printResults(outcome)
    Console.say("The model is in \(training.folder.best.path)")
    Console.say("How the training went is in \(training.folder.report.path)")
    return tables
  }

  private func printResults(_ outcome: TrainingOutcome) throws -> [RunResults.Table] {
    let model = try training.best()
    let test = training.text.test
    let tested = test.isEmpty ? nil : model.crossEntropy(of: test, streams: 1) { _ in }
    let validated =
      training.text.validation.isEmpty
      ? nil : model.crossEntropy(of: training.text.validation, streams: 1) { _ in }
    let parts = [("validation", validated), ("test", tested)].compactMap { part, result in
      result.map { (part, $0) }
    }
    let unit = training.settings.text.unit
    let name =
      switch unit {
      case .bytes: "byte"
      case .characters: "character"
      case .words: "word"
      case .bpe: "token"
      }
    let columns = ["tokens", "nats/\(name)", "bits/\(name)", "perplexity"]
    if json {
      var summary = summary(outcome == .finished ? "finished" : "stopped early")
      (summary.validationNatsPerToken, summary.validationPerplexity) = (
        validated?.nats, validated?.perplexity
      )
      (summary.testNatsPerToken, summary.testPerplexity) = (tested?.nats, tested?.perplexity)
      try Console.print(Console.json(summary))
    } else if !parts.isEmpty {
      let rows = parts.map { part, result in
        [
          part, result.tokens.grouped, result.nats.text(4), result.bits.text(4),
          result.perplexity.text(3),
        ]
      }
      try Console.print(table([["best model"] + columns] + rows))
    }
    let rows = parts.map { part, result in
      RunResults.Row(part, [Double(result.tokens), result.nats, result.bits, result.perplexity])
    }
    return rows.isEmpty ? [] : [RunResults.Table("best model", columns: columns, rows: rows)]
  }
}
