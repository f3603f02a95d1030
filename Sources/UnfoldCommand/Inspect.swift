import ArgumentParser
import Foundation
import Inspection
import Interchange
import Language
import Tensors

struct Inspect: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Find out what single cells of a model respond to.",
    discussion: """
      Reads a text, best one that the model wasn't trained on, and asks questions about every \
      character: where in its line it is, whether it is inside quotes, brackets, a comment or a URL, \
      and so on. For each question all units are ranked by how well one alone answers it, and \
      compared with chance. Writes report.html, in which the text can be coloured by any unit.

        unfold inspect runs/mine other.txt --probe "year=[12][0-9]{3}"
        unfold inspect runs/mine other.txt --unit 1:37

      The file of --labels has a line for each range of characters, counted from 0: START END, or \
      START END LABEL, where LABEL is a number, or ? where the question doesn't apply. All other \
      characters have the label 0.

      A long text is sampled: passages, evenly spaced. --limit sets how many bytes are read.
      """)

  @Argument(help: "The folder of a model or of a run.", completion: .file()) var model: String
  @Argument(help: "A text file, or - for standard input.", completion: .file()) var file: String
  @Option(help: "The folder for report.html.", completion: .directory) var out: String?
  @OptionGroup(title: "Questions") var questions: QuestionOptions
  @Option(
    help: """
      What of the units is asked about: c or h, or a gate, such as forget (default: c of a cell that \
      has one, else h).
      """)
  var signal: String?
  @Option(help: ArgumentHelp("Show one unit only, both from 0.", valueName: "layer:number"))
  var unit: UnitName?
  @Option(
    help: """
      How --unit is shown: terminal, svg, html or json. Where NO_COLOR is set, the terminal shows \
      tenths: 1 to 9 and X, and a to j below zero.
      """)
  var format: UnitFormat?
  @Option(
    help: "What is blue and red: squashed, −1 and 1 of tanh(c); or range, least and greatest.")
  var colours: UnitTrace.Colours?
  @Option(help: "How many characters of the text are shown.") var excerpt = 5000
  @Option(help: "Read at most N bytes of the text (default: what takes about 1 GiB of memory).")
  var limit: Int?
  @Option(
    help:
      "Read in so many streams: 1 is exact, more are faster, each after 256 tokens (default: 32).")
  var streams: Int?
  @Option(help: "How often labels are shifted to find the level of chance (default: 20).")
  var shifts: Int?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print the whole result as one JSON object.") var json = false

  func validate() throws {
    if out?.isEmpty == true { throw ValidationError("--out needs the name of a folder.") }
    if format != nil, unit == nil { throw ValidationError("--format goes with --unit.") }
    if json, format.map({ $0 != .json }) ?? false {
      throw ValidationError("--json and another --format exclude each other.")
    }
    let isForQuestions = [
      ("--signal", signal != nil), ("--limit", limit != nil), ("--streams", streams != nil),
      ("--shifts", shifts != nil), ("--probe", !questions.expressions.isEmpty),
      ("--labels", !questions.labels.isEmpty), ("--ahead", !questions.ahead.isEmpty),
    ]
    if unit != nil, let (name, _) = isForQuestions.first(where: \.1) {
      throw ValidationError("\(name) is for questions; --unit shows what one unit does.")
    }
    if colours != nil, unit == nil { throw ValidationError("--colours goes with --unit.") }
    if unit != nil, out != nil {
      throw ValidationError("--unit prints its picture, so it takes no --out; redirect it instead.")
    }
    for (name, value, range) in [
      ("--excerpt", excerpt, 16...1_000_000), ("--limit", limit ?? 1024, 1024...1 << 40),
      ("--streams", streams ?? 32, 1...1024), ("--shifts", shifts ?? 20, 1...1000),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) must be from \(range.lowerBound) to \(range.upperBound), not \(value).")
    }
  }

  func execute() throws {
    threads.apply()
    let probes = try questions.probes()
    let labels = try questions.labelFiles()
    let any = try AnyModel(contentsOf: URL(filePath: model))
    guard let recurrent = any.model as? any RecurrentModel else { throw NoUnits(path: model) }
    let source = try SourceText(path: file)
    if let unit { return try show(unit, of: recurrent, any.vocabulary, source) }
    // What a token takes: numbers of all units in half precision, the text, and labels.
    let size = 2 * ModelRecording.unitCount(of: recurrent) + 12 + 20 * (probes.count + labels.count)
    let text = try InspectedText(
      source, vocabulary: any.vocabulary, limit: limit ?? (1 << 30) / size,
      syntax: questions.syntax)
    var settings = CellInspection.Settings()
    settings.shifts = shifts ?? 20
    let folder = URL(filePath: out ?? "inspection")
    let url = folder.appending(path: "report.html")
    // Before the work, so that it isn't done in vain.
    let report = try Folder.make(folder) {
      try AtomicFile.check(url)
      let progress = SharedProgressLine()
      let report = try InspectionReport(
        of: recurrent, named: model, vocabulary: any.vocabulary, reading: text, probes: probes,
        labels: labels, settings: settings, streams: streams ?? 32, signal: signal,
        excerptLength: excerpt
      ) { what, fraction in progress.show("\(what): \((fraction * 100).text(0)) %") }
      progress.clear()
      let page = try report.page().html
      try AtomicFile.write(to: url) { try $0.write(page) }
      return report
    }
    try Console.print(
      json ? Console.json(InspectionSummary(report)) : summary(of: report, at: url))
  }

  private func show(
    _ unit: UnitName, of model: some RecurrentModel, _ vocabulary: Vocabulary, _ source: SourceText
  ) throws {
    // A character has at most four bytes.
    let beginning = SourceText(
      name: source.name, bytes: source.bytes.prefix(4 * excerpt + 4).wholeCharacters)
    let text = try InspectedText(
      beginning, vocabulary: vocabulary, limit: beginning.bytes.count, syntax: questions.syntax)
    let excerpt = Excerpt(of: text, from: 0, length: excerpt)
    let trace = try UnitTrace(
      of: unit, model, reading: text, excerpt: excerpt, colours: colours ?? .squashed)
    switch format ?? (json ? .json : .terminal) {
    case .terminal:
      let isColoured = (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
      try Console.print(trace.terminalText(isColoured: isColoured), terminator: "")
    case .svg: try Console.print(trace.svg, terminator: "")
    case .html: try Console.print(trace.page.html, terminator: "")
    case .json: try Console.print(Console.json(trace.json))
    }
  }

  /// A table of the best unit for each question.
  private func summary(of report: InspectionReport, at url: URL) -> String {
    let head = ["", "best unit", "F1", "|r|", "AUC", "chance", "responsive"]
    let rows = report.results.filter { $0.obstacle == nil }.map { result -> [String] in
      let best = result.units.first
      let isYesNo = result.kind == .yesNo
      return [
        result.probe, best.map { $0.isResponsive ? "\($0.unit)" : "\($0.unit) (chance)" } ?? "",
        isYesNo ? best?.score.text(3) ?? "" : "", isYesNo ? "" : best?.score.text(3) ?? "",
        best?.auc?.text(3) ?? "", result.chance?.text(3) ?? "", result.responsiveUnits.grouped,
      ]
    }
    let unasked = report.results.filter { $0.obstacle != nil }.map {
      "Not asked: \($0.probe); \($0.obstacle ?? "").\n"
    }
    let nats = report.recording.crossEntropy.nats.text(3)
    return """
      \(report.text.tokens.count.grouped) tokens at \(nats) nats each; scores on the second half.

      \(table([head] + rows))

      \(unasked.joined())\(unasked.isEmpty ? "" : "\n")Report: \(url.relativePath)
      """
  }
}

/// How one unit is shown.
enum UnitFormat: String, ExpressibleByArgument, CaseIterable {
  case terminal, svg, html, json
}

extension UnitName: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension TextSyntax: ExpressibleByArgument {}
extension UnitTrace.Colours: ExpressibleByArgument {}

extension Data {
  /// Without the beginning of a character whose end was cut off.
  fileprivate var wholeCharacters: Data {
    let tail = suffix(3)
    guard let lead = tail.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return self }
    let length = self[lead] < 0x80 ? 1 : self[lead] < 0xE0 ? 2 : self[lead] < 0xF0 ? 3 : 4
    return endIndex - lead < length ? self[..<lead] : self
  }
}

/// A model that has nothing to look into.
struct NoUnits: Error, CustomStringConvertible {
  let path: String
  var description: String {
    "\(path) is a model of n-grams, which has no units; inspect a recurrent model."
  }
}
