import ArgumentParser
import Foundation
import Inspection
import Language
import Learning
import Tensors

struct Train: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a language model, on text files or on the built-in toy language.",
    discussion: """
      A run folder gets everything: settings, the best and the last model, checkpoints, metrics, \
      samples, and report.html, which shows how the training goes and can be opened at any time. \
      `tensorboard --logdir FOLDER` shows the same and histograms of weights and gradients. Ctrl-C saves a checkpoint; --resume goes on from it, bit for bit.

      A text may be larger than memory: its tokens, two or four bytes each, go to a file in TMPDIR, \
      which is gone when the command ends, however it ends.

      The defaults suit a text of about a megabyte: two LSTM layers of 256 units over characters. \
      For words try --tokens words --tie --dropout 0.4, or a recipe: \(Recipe.list). For 50,000 words \
      and more, --softmax adaptive trains several times as fast.
      """)

  @Argument(
    help: """
      Text files, read one after the other; - is standard input. Without any: the toy language.
      """,
    completion: .file())
  var files: [String] = []

  @Option(
    help: """
      A full setting, which the other options change: \(Recipe.names), or the path of a JSON file, \
      an object with the names of options.
      """)
  var recipe: String?
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Large vocabularies") var softmax: SoftmaxOptions
  @OptionGroup(title: "Regularisation") var regularisation: RegularisationOptions
  @OptionGroup(title: "Text") var text: TextOptions
  @OptionGroup(title: "Training") var training: TrainingOptions

  @Option(help: "The folder of the run. It must not hold one yet.", completion: .directory)
  var out: String?
  @Option(help: "Go on with the run in this folder, with its settings.", completion: .directory)
  var resume: String?
  @Option(help: "Stop after so many seconds, with a checkpoint.") var maxSeconds: Seconds?
  @Option(help: "Write a checkpoint at least every so many seconds.")
  var checkpointSeconds: Seconds = .init(30)
  @Option(help: "Write a line of metrics every N steps (default: about 100 lines an epoch).")
  var logEvery: Int?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a JSON object per evaluation and one at the end on standard output.")
  var json = false

  func validate() throws {
    if out?.isEmpty == true { throw ValidationError("--out needs the name of a folder.") }
    if let logEvery, logEvery < 1 {
      throw ValidationError("--log-every must be at least 1, not \(logEvery).")
    }
    if resume != nil {
      guard recipe == nil, !model.isGiven, !softmax.isGiven, !regularisation.isGiven,
        !text.isGiven, !training.isGiven, out == nil
      else {
        throw ValidationError(
          "--resume goes on with the settings of the run, so it takes no other settings; only "
            + "--max-seconds, --checkpoint-seconds, --log-every, --threads and --json.")
      }
    }
  }

  func execute() throws {
    threads.apply()
    let training = try makeTraining()
    training.checkpointInterval = checkpointSeconds.duration
    training.metricsInterval = logEvery
    let console = TrainingConsole(training, json: json)
    let reporter = TrainingReporter(training.folder)
    let interrupts = Interrupts()
    let clock = ContinuousClock()
    let begin = clock.now
    let outcome = try training.run {
      interrupts.isAskedToStop || console.readerHasLeft
        || maxSeconds.map { begin.duration(to: clock.now) >= $0.duration } ?? false
    } on: {
      try reporter.note($0)
      try console.show($0)
    }
    interrupts.end()
    try reporter.finish(RunResults(outcome, tables: try console.finish(outcome)))
    switch outcome {
    case .finished, .stoppedEarly: break
    case .interrupted:
      if interrupts.isAskedToStop || console.readerHasLeft { throw ExitCode(130) }
    case .diverged: throw ExitCode(75)
    }
  }

  private func makeTraining() throws -> LanguageModelTraining {
    var line = ReadingLine()
    if let resume {
      return try LanguageModelTraining(
        resuming: URL(filePath: resume), files: files.isEmpty ? nil : absolute(files)
      ) { line.show($0) }
    }
    let given = RecipeContents(
      model: model, softmax: softmax, regularisation: regularisation, text: text,
      training: training)
    let files = absolute(files)
    let settings =
      try recipe.map { try Recipe.settings(of: given, files: files, recipe: $0) }
      ?? given.settings(files: files)
    return try LanguageModelTraining(settings, folder: outFolder()) { line.show($0) }
  }

  private func absolute(_ paths: [String]) -> [String] {
    paths.map { $0 == "-" ? $0 : URL(filePath: $0).standardizedFileURL.path }
  }

  /// The folder asked for, or the first free one under `runs`.
  private func outFolder() -> URL {
    if let out { return URL(filePath: out) }
    let name = files.first.map {
      $0 == "-" ? "stdin" : URL(filePath: $0).deletingPathExtension().lastPathComponent
    }
    let base = "runs/\(name ?? "toy")"
    var (path, number) = (base, 1)
    while FileManager.default.fileExists(atPath: path) {
      number += 1
      path = "\(base)-\(number)"
    }
    return URL(filePath: path)
  }
}
