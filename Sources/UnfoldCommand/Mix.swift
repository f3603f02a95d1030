import ArgumentParser
import Foundation
import Interchange
import Language
import Tensors

struct Mix: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Mix models into one that interpolates their probabilities.",
    discussion: """
      All must have the same tokens. The weights are those under which a text is likeliest that \
      none of the models was trained on. The mixture is a small file that names the models by \
      paths relative to itself; evaluate, score and generate take it as a model. With --json a \
      summary goes to standard output: models, weights, perplexity, iterations, out.
      """)

  @Argument(
    help: "Two or more models: folders of models or of runs, files of n-grams, mixtures.",
    completion: .file())
  var models: [String]
  @Option(
    help: "The text to find the weights on; with --split, its valid part.", completion: .file())
  var tune: String
  @Option(help: "Percentages by which `train --split` cut that text.") var split: String?
  @Option(help: "The file to write.", completion: .file(extensions: ["json"])) var out: String
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a summary as one JSON object.") var json = false

  func validate() throws {
    guard models.count > 1 else { throw ValidationError("Give two models or more to mix.") }
    try refuseWriting(over: models + [tune], out: out)
    try parts.validate()
  }

  private var parts: PartOptions {
    var parts = PartOptions()
    parts.split = split
    parts.part = split == nil ? nil : .valid
    return parts
  }

  private struct Summary: Encodable {
    let models: [String]
    let weights: [Double]
    let perplexity: Double
    let iterations, tokens: Int
    let out: String
  }

  func execute() throws {
    threads.apply()
    let url = URL(filePath: out)
    try AtomicFile.check(url)
    let read = try models.map { (name: $0, model: try AnyModel(contentsOf: URL(filePath: $0))) }
    let mixture = try MixtureModel(read)
    let tokens = try parts.tokens(of: SourceText(path: tune), mixture.vocabulary).tokens
    var last: MixtureModel.Iteration?
    var progress = ProgressLine()
    defer { progress.clear() }
    func show(_ fraction: Double) { progress.show("reading: \((fraction * 100).text(0)) %") }
    let tuned = try mixture.tuned(on: tokens, progress: show) { iteration in
      progress.clear()
      let weights = iteration.weights.map { $0.text(4) }.joined(separator: " ")
      Console.say(
        "iteration \(iteration.number): weights \(weights), perplexity "
          + iteration.result.perplexity.text(4))
      last = iteration
    }
    if let last, !last.isBest {
      Console.say(
        "The search for the best weights was given up; others may be better by up to "
          + "\(last.gap.text(7)) nats a token.")
    }
    try MixtureFile.write(tuned, of: models.map { URL(filePath: $0) }, to: url)
    guard json, let last else { return }
    try Console.print(
      Console.json(
        Summary(
          models: models, weights: tuned.weights, perplexity: last.result.perplexity,
          iterations: last.number, tokens: last.result.tokens, out: out)))
  }
}
