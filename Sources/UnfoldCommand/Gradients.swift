import ArgumentParser
import Foundation
import Inspection
import Interchange
import Language
import Learning
import Plots
import Synchronization
import Tensors

struct Gradients: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "See how gradients vanish and explode, in fresh cells or in a trained model.",
    discussion: """
      Writes report.html, one file that needs nothing else: gradients on their way back through time \
      beside the product of exact Jacobians and beside eigenvalues, spectra of the recurrent \
      matrices, truncated BPTT beside full, the cliff that clipping is for. Without MODEL it studies \
      fresh Elman, LSTM and GRU cells, in some seconds; with one, the trained model on FILE, or on \
      the validation part of what its run was trained on.

      --long-memory first trains cells on the adding and the copy problem, for 20 minutes at most. \
      Results are kept in long-memory.jsonl beside the report: stop with Ctrl-C, or let the time run \
      out, and the same command goes on.
      """)

  @Argument(help: "The folder of a model or of a run.", completion: .directory) var model: String?
  @Argument(help: "A text file, or - for standard input.", completion: .file()) var file: String?
  @Option(
    help: "The folder for the report (default: gradients in the folder of the run, or here).",
    completion: .directory)
  var out: String?
  @Option(help: "Over how many steps gradients are followed back.") var steps = 60
  @Option(help: "The seed of fresh cells.") var seed: UInt64 = 1
  @Flag(help: "Train cells on problems of long memory, too.") var longMemory = false
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print everything that was found as one JSON object.") var json = false

  func validate() throws {
    guard (20...1000).contains(steps) else {
      throw ValidationError("--steps must be from 20 to 1000, not \(steps).")
    }
    if out?.isEmpty == true { throw ValidationError("--out needs the name of a folder.") }
  }

  func execute() throws {
    threads.apply()
    let subject = try model.map { try GradientSubject(path: $0, file: file) }
    let tokens = try subject?.tokens()
    let folder = outFolder(subject)
    let report = folder.appending(path: "report.html")
    let study = try Folder.make(folder) {
      // Before the work, so that it isn't done in vain.
      try AtomicFile.check(report)
      let memoryFile = folder.appending(path: "long-memory.jsonl")
      if longMemory { try trainOnLongMemory(memoryFile) }
      let line = Mutex(ProgressLine())
      var study = try makeStudy(subject, tokens ?? []) { text in line.withLock { $0.show(text) } }
      line.withLock { $0.clear() }
      study.longMemory = MemoryStudy.results(in: memoryFile)
      try AtomicFile.write(to: report) { try $0.write(study.page.html) }
      return study
    }
    try json ? Console.print(Console.json(study)) : printSummary(study)
    Console.say("The report is \(report.relativePath).")
  }

  private func outFolder(_ subject: GradientSubject?) -> URL {
    if let out { return URL(filePath: out) }
    return subject?.run?.url.appending(path: "gradients") ?? URL(filePath: "gradients")
  }

  private func makeStudy(
    _ subject: GradientSubject?, _ tokens: TokenSequence,
    _ progress: @escaping @Sendable (String) -> Void
  )
    throws -> GradientStudy
  {
    guard let subject else {
      return try .ofFreshCells(steps: steps, seed: seed, progress: progress)
    }
    let study = try GradientStudy.of(
      subject.folder, name: subject.name, tokens: tokens, steps: steps,
      seed: subject.seed, training: subject.history, progress: progress)
    guard let study else { throw GradientSubjectError.noRecurrence(path: subject.name) }
    return study
  }

  private func trainOnLongMemory(_ file: URL) throws {
    let lanes = Compute.threads
    Compute.threads = 1
    defer { Compute.threads = lanes }
    let interrupts = Interrupts()
    let clock = ContinuousClock()
    let begin = clock.now
    let line = Mutex(ProgressLine())
    let study = MemoryStudy()
    let results = try study.run(keeping: file, lanes: lanes) {
      interrupts.isAskedToStop
    } progress: { progress in
      let (last, seconds) = (progress.last, begin.duration(to: clock.now) / .seconds(1))
      let trial = last.trial
      line.withLock {
        $0.show(
          "long memory: \(progress.done) of at most \(progress.total) trainings, "
            + "\(seconds.durationText); \(trial.task.rawValue), \(trial.cell.rawValue), "
            + "lag \(trial.lag): \(last.isLearned ? "learned" : "not learned")")
      }
    }
    line.withLock { $0.clear() }
    interrupts.end()
    if interrupts.isAskedToStop {
      Console.say(
        "\(results.count) trainings are kept in \(file.relativePath); the same command goes on.")
      throw ExitCode(130)
    }
    let missing = study.missing(in: results).count
    if missing > 0 {
      Console.say(
        "The time was up before \(missing) trainings on long memory had ended; the same command "
          + "goes on with them.")
    }
  }

  private func printSummary(_ study: GradientStudy) throws {
    if study.model != nil, let verdict = study.verdicts.first {
      try Console.print(verdict.finding)
      for advice in verdict.advice { try Console.print("  try: \(advice)") }
      if let flow = study.modelFlow { try Console.print(flow.agreement.finding) }
    } else {
      try Console.print(
        table(
          [["fresh cell", "gradients", "a step", "1 % left after", "grows at most"]]
            + study.verdicts.map { verdict in
              [
                verdict.subject, verdict.kind.rawValue,
                verdict.factorPerStep.map { "× \($0.text(2))" } ?? "–",
                verdict.reach > verdict.steps
                  ? "more than \(verdict.steps) steps" : "\(verdict.reach) steps",
                "× \(GradientVerdict.readable(verdict.largestGrowth))",
              ]
            }))
    }
    try Console.print("")
    try Console.print(
      table(
        [["recurrent matrix", "spectral radius", "largest singular value", "outside"]]
          + study.spectra.map { change in
            let now = change.now
            return [now.name, now.spectralRadius.text(3), now.norm.text(3), "\(now.outside)"]
          }))
    for entry in study.truncation {
      guard let window = entry.study.window(reachingCosine: 0.99) else { continue }
      try Console.print(
        "\n\(entry.name): from a window of \(window) on the truncated gradient has a cosine of "
          + "0.99 or more to the full one.")
    }
  }
}

/// The model that a person has named, with its text.
private struct GradientSubject {
  let name: String
  let folder: ModelFolder
  /// The run that it comes from, if it does.
  let run: RunFolder?
  private let settings: RunSettings?
  private let file: String?

  init(path: String, file: String?) throws {
    let url = URL(filePath: path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      throw GradientSubjectError.noRecurrence(path: path)
    }
    name = path
    folder = try ModelFolder(contentsOf: url)
    let candidates = [url, url.standardizedFileURL.deletingLastPathComponent()].map(RunFolder.init)
    run = candidates.first { $0.holdsRun }
    settings = try run?.settings()
    self.file = file
  }

  /// Of the weights that the training began with, if it is known.
  var seed: UInt64? { settings?.seed }

  /// The text as tokens: the file given, or what the run was validated on.
  func tokens() throws -> TokenSequence {
    let vocabulary = folder.vocabulary
    func corpus(_ texts: [SourceText]) throws -> Corpus {
      try Corpus(showing: texts, vocabulary: vocabulary)
    }
    if let file { return try corpus([SourceText(path: file)]).tokens }
    guard let settings, !settings.text.files.contains("-") else {
      throw GradientSubjectError.noText(path: name)
    }
    let text = settings.text
    if text.files.isEmpty {
      return try corpus([ToyText(seed: settings.seed).validation]).tokens
    }
    if let held = text.validationFile { return try corpus([SourceText(path: held)]).tokens }
    let whole = try corpus(text.files.map(SourceText.init(path:)))
    let parts = try whole.split(Split(parsing: text.split))
    return parts.validation.isEmpty ? parts.train : parts.validation
  }

  /// The gradient's norm in the run's training.
  var history: GradientHistory? {
    guard let run, let data = try? Data(contentsOf: run.metrics) else { return nil }
    let limit = settings?.training.clipping.maximumNorm.map(Double.init)
    return GradientHistory(TrainingHistory(metrics: data), clipNorm: limit)
  }
}

/// Why a model's gradients can't be studied.
enum GradientSubjectError: Error, CustomStringConvertible {
  case noText(path: String)
  case noRecurrence(path: String)

  var description: String {
    switch self {
    case .noText(let path):
      "The text that \(path) was trained on isn't known here; give one: unfold gradients \(path) FILE."
    case .noRecurrence(let path):
      "\(path) is no recurrent model, so it has no gradients through time; give the folder of a "
        + "model or of a run."
    }
  }
}
