import ArgumentParser
import Foundation
import Interchange
import Language
import Plots
import Tensors

struct Quantize: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a smaller model: weights of 8 or 16 bits.",
    discussion: """
      Matrices are rounded (int8: to 8 bits, with a scale a row; float16: to half precision), bias \
      vectors stay as they are. Prints the perplexity of both models on a text.
      """)

  @Argument(help: "The folder of a model or of a run.", completion: .directory) var model: String
  @Argument(
    help: "A text to measure the perplexity on, or - for standard input.", completion: .file())
  var file: String
  @Option(help: "int8 or float16.") var weights: WeightFormat
  @Option(help: "The folder of the smaller model.", completion: .directory) var out: String
  @Option(help: "Cut the text into so many streams: faster, but each begins without a past.")
  var streams = 16
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard streams > 0 else { throw ValidationError("--streams must be positive, not \(streams).") }
  }

  private struct Result: Encodable {
    let weights: String
    let tokens: Int
    let perplexityBefore, perplexityAfter, ratio: Double
    let bytesBefore, bytesAfter: Int
  }

  func execute() throws {
    threads.apply()
    let folder = try ModelFolder(contentsOf: URL(filePath: model))
    let text = try SourceText(path: file)
    let corpus = try Corpus(showing: [text], vocabulary: folder.vocabulary)
    let tokens = folder.vocabulary.withContext(corpus.tokens)
    if let name = folder.model.nameOfNonFiniteWeights {
      throw WeightsError.notFinite(model: model, name: name)
    }
    if weights == .float16, let name = folder.model.nameOfWeightsBeyondHalfPrecision {
      throw WeightsError.tooLargeForHalfPrecision(model: model, name: name)
    }
    let bytesBefore = folder.model.weightBytes
    let before = folder.model.crossEntropy(of: tokens, streams: streams) { _ in }
    folder.model.quantize(as: weights)
    let after = folder.model.crossEntropy(of: tokens, streams: streams) { _ in }
    try folder.write(to: URL(filePath: out))
    let result = Result(
      weights: weights.rawValue, tokens: before.tokens, perplexityBefore: before.perplexity,
      perplexityAfter: after.perplexity, ratio: after.perplexity / before.perplexity,
      bytesBefore: bytesBefore, bytesAfter: folder.model.weightBytes)
    try Console.print(
      json
        ? Console.json(result)
        : table([
          ["", "perplexity", "bytes"],
          ["before", before.perplexity.text(4), bytesBefore.grouped],
          [weights.rawValue, after.perplexity.text(4), result.bytesAfter.grouped],
        ]))
  }
}

extension WeightFormat: ExpressibleByArgument {}
