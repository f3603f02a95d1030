import ArgumentParser
import Foundation
import Interchange
import Language
import Plots

struct NGram: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "ngram",
    abstract: "Make an n-gram model of texts.",
    discussion: """
      Counts all sequences of up to --order tokens and writes a file that every command takes as a \
      model. If its name ends in .ngram, it is small and ready at once; otherwise it is an ARPA \
      file, which KenLM and SRILM read. --from turns one form into the other. Each line is a \
      sentence, if tokens are words.

      A text may be larger than memory: what doesn't fit into --memory goes to a file in TMPDIR, \
      which is gone when the command ends, however it ends.

      With --json a summary goes to standard output: order, smoothing, tokens, ngrams (of each \
      order), discounts (of each order, for kneser-ney), seconds.
      """)

  @Argument(help: "Text files, or - for standard input.", completion: .file())
  var files: [String] = []
  @Option(help: "The longest sequence, in tokens (default: 3).") var order: Int?
  @Option(
    help: "The file to write: .ngram, or anything else for ARPA.",
    completion: .file(extensions: ["arpa", "ngram"]))
  var out: String
  @Option(help: "Convert this model instead of reading texts.", completion: .file())
  var from: String?
  @Option(help: "kneser-ney, witten-bell, add-k=K or stupid-backoff=A (default: kneser-ney).")
  var smoothing: String?
  @Option(help: "\(TokenUnit.names) (default: words).") var tokens: TokenUnit?
  @OptionGroup var vocabulary: VocabularyOptions
  @Option(
    help: """
      Use the first part only: percentages for training, validation and test, by position, such as \
      80,10,10. The vocabulary is that of the whole.
      """)
  var split: String?
  @Option(
    help: """
      Leave out what occurs at most so often, by order, such as 0,0,1: of three tokens and more, \
      what occurs once (default: 0).
      """)
  var prune: String?
  @Option(help: "Memory to use besides the vocabulary, at least 1M, such as 512M or 4G.")
  var memory = MemorySize(bytes: 1 << 30)
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a summary as one JSON object.") var json = false

  func validate() throws {
    guard (1...NGramModel.largestOrder).contains(settings.order) else {
      throw ValidationError(
        "--order must be from 1 to \(NGramModel.largestOrder), not \(settings.order).")
    }
    guard files.isEmpty != (from == nil) else {
      throw ValidationError(
        from == nil
          ? "Name a text, or a model with --from." : "--from converts a model and reads no texts.")
    }
    if from != nil {
      guard order == nil, smoothing == nil, tokens == nil, !vocabulary.isGiven, split == nil,
        prune == nil
      else {
        throw ValidationError(
          "--from converts a model as it is, so it takes no other settings; only --out, --memory, "
            + "--threads and --json.")
      }
    }
    try refuseWriting(over: files + [from, vocabulary.tokenizer].compactMap { $0 }, out: out)
    do {
      _ = try (
        Smoothing(parsing: settings.smoothing), Pruning(parsing: settings.prune),
        vocabularySettings()
      )
      if let split { _ = try Split(parsing: split) }
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// What was said, or the usual.
  private var settings: (order: Int, smoothing: String, prune: String) {
    (order ?? 3, smoothing ?? "kneser-ney", prune ?? "0")
  }

  private func vocabularySettings() throws -> VocabularySettings {
    try vocabulary.settings(tokens ?? (vocabulary.tokenizer == nil ? .words : .bpe))
  }

  func execute() throws {
    threads.apply()
    let begin = ContinuousClock().now
    let url = URL(filePath: out)
    try AtomicFile.check(url)
    let scratch = Scratch(memory: memory.bytes)
    var report = NGramReport(out: out)
    defer { report.end() }
    let (contents, count) =
      try from.map { (try converted($0, scratch), nil) }
      ?? estimated(scratch, &report)
    if url.pathExtension == NGramFile.pathExtension {
      try contents.writeBinary(to: url) { try report.show("writing \(report.out)", $0) }
    } else {
      try contents.writeARPA(to: url) { try report.show("writing \(report.out)", $0) }
    }
    report.end()
    try say(contents, tokens: count, seconds: begin.duration(to: .now) / .seconds(1))
  }

  private func converted(_ path: String, _ scratch: Scratch) throws -> NGramContents {
    let url = URL(filePath: path)
    return try NGramModel(contentsOf: url).contents(scratch, name: url.relativePath)
  }

  private func estimated(
    _ scratch: Scratch, _ report: inout NGramReport
  ) throws -> (NGramContents, tokens: Int?) {
    let text = try SpooledText(reading: files, vocabularySettings(), scratch: scratch) {
      try report.show("reading: \(($0 >> 20).grouped) MiB")
    }
    let count =
      try split.map { try Split(parsing: $0).cuts(of: text.count).validation }
      ?? text.count
    let contents = try NGramContents(
      training: text, first: count, order: settings.order,
      smoothing: Smoothing(parsing: settings.smoothing),
      pruning: Pruning(parsing: settings.prune), scratch: scratch
    ) { stage, fraction in
      switch stage {
      case .counting(let order): try report.show("counting \(order)-grams", fraction)
      case .estimating(let order): try report.show("estimating \(order)-grams", fraction)
      }
    }
    return (contents, count)
  }

  private struct Summary: Encodable {
    let order: Int
    /// Nil for a model that was made elsewhere.
    let smoothing, prune: String?
    let unit, out: String
    let tokens: Int?
    let vocabulary: Int
    let ngrams: [Int]
    let discounts: [[Double]]
    let seconds: Double
  }

  private func say(_ model: NGramContents, tokens: Int?, seconds: Double) throws {
    let counts = model.counts.map(\.grouped).joined(separator: ", ")
    Console.say(
      "\(out): \(tokens.map { "\($0.grouped) tokens, " } ?? "")n-grams of orders 1 to "
        + "\(model.order): \(counts); \(seconds.text(1)) s.")
    if !model.isNormalised {
      Console.say("Stupid backoff gives scores, not probabilities: they don't sum to one.")
    }
    guard json else { return }
    try Console.print(
      Console.json(
        Summary(
          order: model.order, smoothing: from == nil ? settings.smoothing : nil,
          prune: from == nil ? settings.prune : nil, unit: model.vocabulary.unit.rawValue,
          out: out, tokens: tokens, vocabulary: model.vocabulary.count, ngrams: model.counts,
          discounts: model.discounts.map(\.amounts), seconds: seconds)))
  }
}

/// Shows how far the work has come, and ends it when asked to.
private struct NGramReport {
  let out: String
  private var line = ProgressLine()
  private let interrupts = Interrupts()

  init(out: String) { self.out = out }

  mutating func show(_ work: String, _ fraction: Double? = nil) throws {
    if interrupts.isAskedToStop {
      line.clear()
      throw ExitCode(128 + SIGINT)
    }
    line.show(work + (fraction.map { ": \(($0 * 100).text(0)) %" } ?? ""))
  }

  mutating func end() {
    line.clear()
    interrupts.end()
  }
}

/// An amount of memory: bytes, or a number with K, M, G or T for powers of 1024.
struct MemorySize: ExpressibleByArgument {
  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let units = ["K": 10, "M": 20, "G": 30, "T": 40]
    let shift = argument.last.flatMap { units[$0.uppercased()] }
    let digits = shift == nil ? argument[...] : argument.dropLast()
    guard let number = Double(digits), number > 0 else { return nil }
    let bytes = number * Double(1 << (shift ?? 0))
    guard bytes >= Double(1 << 20), bytes < 1e15 else { return nil }
    self.bytes = Int(bytes)
  }

  var defaultValueDescription: String { "\(bytes >> 20)M" }
}
