import ArgumentParser
import Foundation
import Language
import Plots
import Tensors

struct Evaluate: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how well a model predicts a text.",
    discussion: """
      The state is carried through the whole file, so that every token is predicted from all before \
      it. A model over characters can't predict the first one, which is context; a model over words \
      predicts all, and a </s> at each line's end. Prints JSON: tokens, nats_per_token, \
      bits_per_token, perplexity (per token), bits_per_byte and out_of_vocabulary, the number of \
      characters left out, or of words read as <unk>.
      """)

  @Argument(help: "The folder of a model or of a run, or an ARPA file.", completion: .file())
  var model: String
  @Argument(help: "A text file, or - for standard input.", completion: .file()) var file: String
  @Option(help: "Cut the text into so many streams: faster, but each begins without a past.")
  var streams = 1
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print JSON, which it does anyway.") var json = false

  func validate() throws {
    guard streams > 0 else { throw ValidationError("--streams must be positive, not \(streams).") }
  }

  private struct Result: Encodable {
    let tokens: Int
    let natsPerToken, bitsPerToken, perplexity, bitsPerByte: Double
    let outOfVocabulary: Int
    let unit: String
  }

  func execute() throws {
    threads.apply()
    let model = try AnyModel(contentsOf: URL(filePath: self.model))
    let text = try SourceText(path: file)
    let corpus = try Corpus([text], vocabulary: model.vocabulary)
    let tokens = model.vocabulary.withContext(corpus.tokens)
    var progress = ProgressLine()
    let result = model.model.crossEntropy(of: tokens, streams: streams) { fraction in
      progress.show("evaluating: \((fraction * 100).text(0)) %")
    }
    progress.clear()
    guard result.totalNats.isFinite else {
      throw ModelFolderError.damaged(
        file: self.model, reason: "its predictions aren't numbers, so its weights can't be whole")
    }
    if !model.isNormalised {
      Console.say(
        "This model's scores don't sum to one (stupid backoff), so they are no probabilities and "
          + "its perplexity compares with no other.")
    }
    try Console.print(
      Console.json(
        Result(
          tokens: result.tokens, natsPerToken: result.nats, bitsPerToken: result.bits,
          perplexity: result.perplexity,
          bitsPerByte: result.bitsPerByte(
            bytes: model.vocabulary.byteCount(of: tokens.dropFirst().prefix(result.tokens))),
          outOfVocabulary: corpus.outOfVocabulary, unit: model.vocabulary.unit.rawValue)))
  }
}
