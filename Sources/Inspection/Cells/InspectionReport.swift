import Foundation
import Language
import Plots

/// What an inspection found, as a page that needs nothing else and as data.
public struct InspectionReport: Sendable {
  /// How the page calls the model.
  public let model: String
  public let vocabulary: Vocabulary
  public let text: InspectedText
  public let recording: ModelRecording
  public let excerpt: Excerpt
  public let results: [CellInspection.ProbeResult]
  /// How often labels were shifted for the control.
  private let shifts: Int
  /// How many units the page lists for each question.
  private static let listedUnits = 10
  /// The labels of all tokens, by question.
  private let labels: [[Float]]

  /// Reads a text with a model and asks all questions.
  ///
  /// - Parameters:
  ///   - probes: questions about the text.
  ///   - files: labels that a user has made.
  ///   - signal: what of the units is asked about: see `UnitRecorder`.
  ///   - excerptLength: how many tokens the page shows, of those that no threshold was chosen on;
  ///     fewer where the units are so many that the page would be larger than 10 MB.
  ///   - progress: gets what is being done, and its fraction that is done.
  /// - Throws: ``RecordingError``, ``ProbeError``.
  public init(
    of model: some RecurrentModel, named name: String, vocabulary: Vocabulary,
    reading text: InspectedText, probes: [Probe] = Probe.builtIn, labels files: [LabelFile] = [],
    settings: CellInspection.Settings = .init(), streams: Int = 32, signal: String? = nil,
    excerptLength: Int = 5000,
    progress: @Sendable (String, Double) -> Void = { _, _ in }
  ) throws {
    let questions =
      try probes.map { ($0, text.labels(of: $0)) }
      + files.map { (Probe($0), try text.labels(of: $0)) }
    let largest = ViewerData.largestCount / max(ModelRecording.unitCount(of: model), 1)
    let excerpt = Excerpt(
      of: text, from: text.tokens.count / 2, length: min(excerptLength, max(largest, 64)))
    recording = try ModelRecording.record(
      model, reading: text, excerpt: excerpt.tokens, streams: streams, signal: signal
    ) { progress("reading", $0) }
    var inspection = CellInspection(recording.units, settings: settings)
    for (probe, labels) in questions { try inspection.ask(probe, labels: labels) }
    results = inspection.results { progress("probing", $0) }
    shifts = settings.shifts
    self.excerpt = excerpt
    self.labels = questions.map(\.1)
    (self.model, self.vocabulary, self.text) = (name, vocabulary, text)
  }

  /// The report.
  public func page() throws -> Page {
    var page = Page(
      "What single cells respond to", subtitle: "\(model), reading \(text.name)",
      style: InspectionPage.style, script: InspectionPage.script)
    page.paragraph(introduction)
    page.section("Findings")
    addFindings(to: &page)
    page.section("Text")
    try addViewer(to: &page)
    page.section("Rankings")
    addRankings(to: &page)
    let gates = SaturationCharts.charts(recording.units)
    if !gates.isEmpty {
      page.section("Gates")
      page.paragraph(SaturationCharts.explanation)
      page.figures(gates)
    }
    return page
  }

  private var introduction: HTML {
    let read =
      text.bytes.read < text.bytes.whole
      ? "\(text.tokens.count.grouped) \(text.unitName) of it, in \(text.passages.count) passages,"
      : "All its \(text.tokens.count.grouped) \(text.unitName)"
    let nats = String(format: "%.3f", recording.crossEntropy.nats)
    let units = recording.units.layers.map { "\($0.size)" }.joined(separator: " + ")
    return """
      \(read) were read, at \(nats) nats each. For every question about the text, each of the \
      \(units) units was scored by how well it alone answers, on the second half of the text; its \
      threshold or sign was chosen on the first. A unit counts as responsive if its score (and, for \
      a yes/no question, the area under its ROC curve, AUC) is beyond chance: the best that any unit \
      reached when the labels of each half were shifted against its text, which in at most one of \
      \(shifts + 1) questions happens without a reason. The best unit’s score is that of \
      a winner: on another text it tends to be a little lower.
      """
  }

  private func addFindings(to page: inout Page) {
    page.figures(FindingsCharts.charts(results, layers: recording.units.layers.count))
    let head =
      ["question", "best unit", "score", "AUC", "chance", "responsive"]
      + recording.units.layers.indices.map { "layer \($0), linear" }
    let rows = results.enumerated().filter { $0.element.obstacle == nil }.map { index, result in
      let best = result.units.first
      let name: HTML =
        best.map { best in
          best.isResponsive ? link(best.unit, index) : "\(link(best.unit, index)) (chance)"
        } ?? ""
      return [HTML(raw: HTML.escaped(result.probe)), name]
        + [
          best.map { Self.number($0.correlation ?? $0.score) }, best?.auc.map(Self.number),
          [result.chance, result.chanceAuc].compactMap { $0.map(Self.number) }
            .joined(separator: ", "),
          "\(result.responsiveUnits)",
        ].map { HTML(raw: $0 ?? "") }
        + recording.units.layers.indices.map { layer in
          let score = result.layers.first { $0.layer == layer }
          return HTML(raw: (score?.f1 ?? score?.correlation).map(Self.number) ?? "")
        }
    }
    page.table(
      head, rows,
      caption: "Score: F1 for yes/no questions, the correlation for graded ones; all on the second "
        + "half of the text. Chance: of the score and, for yes/no questions, of the AUC.")
    let obstacles = results.filter { $0.obstacle != nil }.map {
      "\($0.probe) (\($0.obstacle ?? ""))"
    }
    if !obstacles.isEmpty {
      page.paragraph("Not ranked: \(obstacles.joined(separator: ", ")).")
    }
  }

  private func addViewer(to page: inout Page) throws {
    let (unit, mark) = opening
    let isGraded = mark.map { results[$0].kind == .graded } ?? false
    let values = recording.units.values(of: unit, at: excerpt.tokens)
    let activations =
      isGraded
      ? stretched(values)
      : squashed(values, signal: recording.units.layers[unit.layer].signal)
    let pieces = excerpt.pieces.map {
      (text: $0.text, activation: activations[$0.token - excerpt.tokens.lowerBound])
    }
    let marks = zip(results, labels).map { result, labels in
      ViewerData.Mark(
        result.probe, result.kind, labels: excerpt.pieces.map { labels[$0.token] })
    }
    let data = ViewerData(recording, excerpt, vocabulary, marks: marks)
    let panel = InspectionPage.panel(
      layers: recording.units.layers.count, size: recording.units.layers[unit.layer].size,
      unit: unit, marks: results.map(\.probe), mark: mark, isRange: isGraded)
    page.raw(
      """
      <div id="viewer">\(panel)\
      <div class="read" id="read" tabindex="0" role="group" aria-describedby="detail" \
      aria-label="Text coloured by the unit; arrow keys move from character to character">\
      \(InspectionPage.spans(pieces))</div></div>
      \(try data.html())
      """)
  }

  /// The unit that the page shows first: the responsive one that stands out most from chance.
  private var opening: (unit: UnitName, mark: Int?) {
    let margins = results.enumerated().compactMap { index, result in
      result.units.first.flatMap {
        $0.isResponsive ? (index, $0.unit, $0.score - (result.chance ?? 0)) : nil
      }
    }
    guard let best = margins.max(by: { $0.2 < $1.2 }) else {
      return (UnitName(layer: 0, unit: 0), nil)
    }
    return (best.1, best.0)
  }

  private func addRankings(to page: inout Page) {
    for (index, result) in results.enumerated() where result.obstacle == nil {
      let yes = result.yes.map { " \($0) of \(result.labelled) are yes." } ?? ""
      page.raw("<details><summary>\(result.probe)</summary>\n<p>\(result.explanation)\(yes)</p>\n")
      let isYesNo = result.kind == .yesNo
      page.table(
        isYesNo ? ["unit", "F1", "AUC", "yes if"] : ["unit", "correlation"],
        result.units.prefix(Self.listedUnits).map { finding in
          let name =
            finding.isResponsive
            ? link(finding.unit, index) : "\(link(finding.unit, index)) (chance)"
          guard isYesNo else { return [name, HTML(raw: Self.number(finding.correlation ?? 0))] }
          let signal = recording.units.layers[finding.unit.layer].signal
          let rule: HTML =
            "\(signal) \(finding.yesIsBelow == true ? "<" : "≥") \(Self.number(finding.threshold ?? 0))"
          return [
            name, HTML(raw: Self.number(finding.score)), HTML(raw: Self.number(finding.auc ?? 0)),
            rule,
          ]
        })
      page.raw("</details>\n")
    }
  }

  private func link(_ unit: UnitName, _ mark: Int) -> HTML {
    "<a href=\"#unit=\(unit)&amp;mark=\(mark)\">\(unit)</a>"
  }

  private static func number(_ value: Double) -> String {
    String(format: "%.3f", value).replacingOccurrences(of: "-", with: "−")
  }
}

extension Probe {
  /// A question whose labels come from a file.
  init(_ file: LabelFile) {
    self.init(file.name, file.kind, "Labels from a file.") { file.labels(of: 0..<$0.count) }
  }
}

extension InspectedText {
  /// What its tokens are.
  fileprivate var unitName: String { tokens.count == characters.count ? "characters" : "tokens" }
}
