import Foundation
import Inspection
import Language
import Learning
import Plots

/// What a training on the toy language ends in: the model beside simpler ones and beside the truth,
/// on sentences that none of them has seen.
struct ToyReport {
  private let training: LanguageModelTraining

  init(_ training: LanguageModelTraining) { self.training = training }

  private struct Row: Encodable {
    let name: String
    let natsPerToken, perplexity: Double
  }

  private struct Report: Encodable {
    let event = "end"
    let models: [Row]
    let tokens: Int
    let exactEntropyPerToken: Double
    let recurrentOverTruth: Double
    let sentences: [Sentence]
  }

  private struct Sentence: Encodable {
    let text: String
    let recurrent, truth: Double
  }

  /// Prints the report and returns its tables.
  func print(json: Bool) throws -> [RunResults.Table] {
    let model = try training.best()
    let language = ToyLanguage()
    let vocabulary = training.text.vocabulary
    let test = training.text.test
    let uniform = log(Double(vocabulary.count)) * Double(test.count - 1)
    var rows = [row("uniform", CrossEntropy(totalNats: uniform, tokens: test.count - 1))]
    for (name, order) in [("unigram", 1), ("trigram", 3)] {
      let counts = try NGramModel(
        training: training.text.training, vocabulary: vocabulary, order: order)
      rows.append(row(name, counts.crossEntropy(of: test)))
    }
    rows.append(row("recurrent model", model.crossEntropy(of: test, streams: 1) { _ in }))
    let truth = truthOnTest(language)
    rows.append(row("truth", truth))
    let ratio = rows[rows.count - 2].perplexity / truth.perplexity
    let sentences = ["the hunter shot the fox", "the fox shot the hunter"].map { text in
      Sentence(
        text: text, recurrent: probability(of: text, model: model),
        truth: exp(language.logProbability(of: text.split(separator: " ")) ?? -.infinity))
    }
    let report = Report(
      models: rows, tokens: truth.tokens, exactEntropyPerToken: language.entropyPerToken,
      recurrentOverTruth: ratio, sentences: sentences)
    try json ? Console.print(Console.json(report)) : printText(report, model)
    return tables(report)
  }

  private func tables(_ report: Report) -> [RunResults.Table] {
    [
      RunResults.Table(
        "On \(report.tokens.grouped) held-out tokens", columns: ["nats/token", "perplexity"],
        rows: report.models.map { .init($0.name, [$0.natsPerToken, $0.perplexity]) }),
      RunResults.Table(
        "Order matters", columns: ["model", "truth"],
        rows: report.sentences.map { .init("p(\($0.text))", [$0.recurrent, $0.truth]) }),
    ]
  }

  private func row(_ name: String, _ result: CrossEntropy) -> Row {
    Row(name: name, natsPerToken: result.nats, perplexity: result.perplexity)
  }

  private func printText(_ report: Report, _ model: any RecurrentModel) throws {
    try Console.print("The model writes:\n")
    var generator = try TextGenerator(
      model, vocabulary: training.text.vocabulary, seed: training.settings.seed)
    var lines = ""
    generator.write(length: 60) { lines += $0 }
    for line in lines.split(separator: "\n").prefix(5) { try Console.print("  \(line)") }
    try Console.print("\nOn \(report.tokens.grouped) held-out tokens:\n")
    try Console.print(
      table(
        [["", "nats/token", "perplexity"]]
          + report.models.map { [$0.name, $0.natsPerToken.text(4), $0.perplexity.text(3)] }))
    try Console.print(
      """

      The model is \(((report.recurrentOverTruth - 1) * 100).text(1)) % above the truth. The \
      grammar's exact entropy is \(report.exactEntropyPerToken.text(4)) nats per token, perplexity \
      \(exp(report.exactEntropyPerToken).text(3)).

      Order matters:

      """)
    try Console.print(
      table(
        [["", "model", "truth"]]
          + report.sentences.map { sentence in
            let numbers = [sentence.recurrent, sentence.truth].map { String(format: "%.2e", $0) }
            return ["p(\(sentence.text))"] + numbers
          }))
    try Console.print("")
  }

  /// The grammar's own probability of the test sentences.
  private func truthOnTest(_ language: ToyLanguage) -> CrossEntropy {
    let text = String(
      decoding: training.text.vocabulary.decode(training.text.test.dropFirst()), as: UTF8.self)
    var truth = CrossEntropy()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let logProbability = language.logProbability(of: words) else { continue }
      truth += CrossEntropy(totalNats: -logProbability, tokens: words.count + 1)
    }
    return truth
  }

  /// The probability of a whole line.
  private func probability(of sentence: String, model: any RecurrentModel) -> Double {
    let vocabulary = training.text.vocabulary
    guard let lineEnd = vocabulary.lineEnd, let words = try? vocabulary.encode(prompt: sentence)
    else { return .nan }
    return exp(
      -model.crossEntropy(of: TokenSequence([lineEnd] + words + [lineEnd]), streams: 1) { _ in }
        .totalNats)
  }
}
