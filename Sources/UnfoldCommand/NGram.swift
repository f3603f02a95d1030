import ArgumentParser
import Foundation
import Language
import Plots

struct NGram: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "ngram",
    abstract: "Make an n-gram model of a text.",
    discussion: """
      Counts all sequences of up to --order tokens and writes an ARPA file, which evaluate and \
      generate take as a model, and KenLM and SRILM read. Each line is a sentence, if tokens are \
      words. With --json a summary goes to standard output: order, smoothing, tokens, ngrams (of \
      each order), discounts (of each order, for kneser-ney), seconds.
      """)

  @Argument(help: "A text file.", completion: .file()) var file: String
  @Option(help: "The longest sequence, in tokens.") var order = 3
  @Option(help: "The file to write.", completion: .file(extensions: ["arpa"])) var out: String
  @Option(help: "kneser-ney, witten-bell, add-k=K or stupid-backoff=A.")
  var smoothing = "kneser-ney"
  @Option(help: "words, characters or bytes.") var tokens = TokenUnit.words
  @Option(
    help: """
      Leave out what occurs at most so often, by order, such as 0,0,1: of three tokens and more, \
      what occurs once.
      """)
  var prune = "0"
  @Flag(help: "Print a summary as one JSON object.") var json = false

  func validate() throws {
    guard (1...1000).contains(order) else {
      throw ValidationError("--order must be from 1 to 1000, not \(order).")
    }
    do {
      _ = try (Smoothing(parsing: smoothing), Pruning(parsing: prune))
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private struct Summary: Encodable {
    let order: Int
    let smoothing, unit, prune, out: String
    let tokens, vocabulary: Int
    let ngrams: [Int]
    let discounts: [[Double]]
    let seconds: Double
  }

  func execute() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let smoothing = try Smoothing(parsing: smoothing)
    var progress = ProgressLine()
    let text = try SourceText(contentsOf: URL(filePath: file))
    let vocabulary = try Vocabulary(unit: tokens, building: [text])
    let corpus = try Corpus([text], vocabulary: vocabulary, minimumTokens: 1)
    let model = try NGramModel(
      training: corpus.tokens, vocabulary: vocabulary, order: order, smoothing: smoothing,
      pruning: Pruning(parsing: prune)
    ) { stage in
      switch stage {
      case .counting(let order): progress.show("counting \(order)-grams")
      case .estimating(let order): progress.show("estimating \(order)-grams")
      }
    }
    progress.show("writing \(out)")
    try ARPAFile.write(model, to: URL(filePath: out))
    progress.clear()
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let counts = model.counts.map(\.grouped).joined(separator: ", ")
    Console.say(
      "\(out): \(corpus.tokens.count.grouped) tokens, n-grams of orders 1 to \(model.order): "
        + "\(counts); \(seconds.text(1)) s.")
    if !smoothing.isNormalised {
      Console.say("Stupid backoff gives scores, not probabilities: they don't sum to one.")
    }
    guard json else { return }
    try Console.print(
      Console.json(
        Summary(
          order: model.order, smoothing: "\(smoothing)", unit: tokens.rawValue, prune: prune,
          out: out, tokens: corpus.tokens.count, vocabulary: vocabulary.count,
          ngrams: model.counts, discounts: model.discounts.map(\.amounts), seconds: seconds)))
  }
}
