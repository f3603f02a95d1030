import Foundation
import Interchange
import Language
import Plots

/// `report.html` of a run folder: the story of a training, made from its files alone.
///
/// It is right at any time: under way, broken off, resumed or at the end.
public struct TrainingReport {
  private let folder: RunFolder
  private let settings: [(key: String, value: String)]
  private let history: TrainingHistory
  private let samples: [RunSample]
  private let results: RunResults?
  private let charts: TrainingCharts

  /// Reads a run.
  ///
  /// - Throws: ``RunError`` if the folder holds none.
  public init(of folder: RunFolder) throws {
    self.folder = folder
    guard folder.holdsRun else { throw RunError.holdsNoRun(path: folder.url.path) }
    guard let data = try? Data(contentsOf: folder.configuration),
      let configuration = try? JSONDecoder().decode(SettingValue.self, from: data)
    else { throw RunError.damaged(file: folder.configuration.path) }
    settings = configuration.flattened(under: "")
    history = TrainingHistory(metrics: (try? Data(contentsOf: folder.metrics)) ?? Data())
    let text = (try? Data(contentsOf: folder.samples)).map { String(decoding: $0, as: UTF8.self) }
    samples = RunSample.all(in: text ?? "")
    results = RunResults(in: folder)
    let clipNorm = settings.first { $0.key == "training.clipping.maximumNorm" }
    charts = TrainingCharts(history: history, clipNorm: clipNorm.flatMap { Double($0.value) })
  }

  /// Writes the page beside what it tells of.
  ///
  /// - Throws: `FileError`.
  public func write() throws {
    try AtomicFile.write(to: folder.report) { try $0.write(page.html) }
  }

  package var page: Page {
    var page = Page("Training: \(folder.url.lastPathComponent)", subtitle: subtitle)
    addSummary(to: &page)
    page.section("How well it predicts")
    page.figure(charts.loss, caption: validationNote)
    page.figures([charts.perplexity, charts.learningRate])
    addEvaluations(to: &page)
    page.section("Gradients")
    page.figure(charts.gradientNorm)
    if !history.layers.isEmpty { page.figure(charts.layerGradientNorms) }
    page.figures([charts.clipping, charts.speed].compactMap { $0 })
    addUpdates(to: &page)
    addSamples(to: &page)
    page.section("Settings")
    page.table(["setting", "value"], settings.map { [$0.key, $0.value] })
    return page
  }

  // MARK: The beginning

  private var subtitle: String {
    let steps =
      history.lastStep.grouped + (history.totalSteps.map { " of \($0.grouped)" } ?? "") + " steps"
    let state = results?.outcome ?? "under way, or broken off"
    return "\(state.prefix(1).uppercased())\(state.dropFirst()): \(steps), "
      + "\(history.seconds.durationText)."
  }

  private func addSummary(to page: inout Page) {
    if let message = results?.message { page.notice("\(message)") }
    if let tables = results?.tables, !tables.isEmpty {
      page.paragraph("Measured at the end, on texts that are read from beginning to end:")
    }
    for table in results?.tables ?? [] {
      page.table(
        [table.title] + table.columns, table.rows.map { [$0.name] + $0.values.map(\.brief) })
    }
    var facts: [[String]] = []
    if let best = history.best {
      let isValidated = best.validationNatsPerToken != nil
      let loss = best.validationNatsPerToken ?? best.trainingNatsPerToken ?? .nan
      facts.append([
        "best \(isValidated ? "validation" : "training") loss while training",
        "\(loss.text(4)) nats per token, perplexity \(exp(loss).text(3)), after step "
          + best.step.grouped + (isValidated ? ", \(sideBySide)" : ""),
      ])
    }
    if let shares = history.clippedShares {
      facts.append([
        "clipping acted in",
        "\((shares.byNorm * 100).text(1)) % of the steps by norm, "
          + "\((shares.byValue * 100).text(1)) % by value",
      ])
    }
    if let speed = history.medianSpeed {
      facts.append(["median speed", "\(Int(speed).grouped) tokens per second"])
    }
    if !facts.isEmpty { page.table(["", ""], facts) }
  }

  /// How the text is validated on while training.
  private var sideBySide: String {
    let batch = settings.first { $0.key == "training.batch" }?.value
    return "the text cut into \(batch.map { "\($0) " } ?? "")streams side by side"
  }

  /// Why the validation loss of the charts isn't quite that of the end.
  private var validationNote: HTML? {
    guard history.evaluations.contains(where: { $0.validationNatsPerToken != nil }) else {
      return nil
    }
    return """
      Validation while training is quick: \(sideBySide), each of which begins without a past. At the \
      end the best model reads the text from beginning to end, so that its loss there differs a little.
      """
  }

  private func addEvaluations(to page: inout Page) {
    let lines = history.evaluations.suffix(50)
    guard !lines.isEmpty else { return }
    let rows = lines.map { line -> [String] in
      let validation = line.validationNatsPerToken
      return [
        line.step.grouped, line.trainingNatsPerToken?.text(4) ?? "", validation?.text(4) ?? "",
        validation.map { exp($0).text(3) } ?? "", line.isBest == true ? "best so far" : "",
      ]
    }
    let all = history.evaluations.count
    page.table(
      ["step", "training, nats", "validation, nats", "perplexity", ""], rows,
      caption: all > 50 ? "The last 50 of \(all.grouped) evaluations" : nil)
  }

  // MARK: The rest

  private func addUpdates(to page: inout Page) {
    let ratios = charts.updateRatios
    guard !ratios.isEmpty else { return }
    page.section("Updates")
    page.paragraph(
      """
      How far each logged step moved the weights, as a part of their length. About a thousandth \
      (the dashed line) is usual; far more is unstable, far less learns slowly.
      """)
    page.figures(ratios)
  }

  private func addSamples(to page: inout Page) {
    guard !samples.isEmpty else { return }
    page.section("What it writes")
    for sample in RunSample.chosen(samples, count: 8) {
      page.heading("After step \(sample.step.grouped)")
      page.preformatted(sample.text)
    }
  }
}
