import ArgumentParser
import Foundation
import Language
import Learning
import Plots
import Tensors

struct Evaluate: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how well a model predicts a text.",
    usage: "unfold evaluate <model> ... <file> [<options>]",
    discussion: """
      The state is carried through the whole file, so that every token is predicted from all before \
      it. A model over characters, bytes or byte pairs can't predict the first one, which is context; a \
      model over words predicts all, and a </s> at each line's end. Prints JSON: tokens, nats_per_token, \
      bits_per_token, perplexity (per token), bits_per_byte and out_of_vocabulary, the number of \
      characters left out, or of words read as <unk>, in the whole file; with several models, an \
      object each. Bytes are those of the tokens predicted, words with one space between them; \
      where out_of_vocabulary isn't 0, they aren't the text's, and bits_per_byte is missing.

      --shuffle-words prints a table instead: the perplexity of the same words in random order \
      within each line, beside the true one. Its unigram is that of the text itself, the best that \
      there can be.
      """)

  @Argument(
    help: """
      Folders of models or of runs, files of n-grams or mixtures; then a text file, or - for standard \
      input.
      """,
    completion: .file())
  var paths: [String]
  @OptionGroup(title: "Part of the text") var part: PartOptions
  @OptionGroup(title: "Following the text") var adaptation: AdaptationOptions
  @OptionGroup(title: "Word order") var order: WordOrderOptions
  @Option(
    help: """
      Cut the text into so many streams, each of which begins without a past; 1 reads the text \
      from beginning to end (default: exact as that, but read side by side).
      """)
  var streams: Int?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print JSON, which it does anyway but for --shuffle-words.") var json = false

  func validate() throws {
    guard paths.count > 1 else {
      throw ValidationError("Give a model and a text: unfold evaluate MODEL FILE.")
    }
    if let streams, streams < 1 {
      throw ValidationError("--streams must be positive, not \(streams).")
    }
    if streams != nil, adaptation.isGiven || order.shuffleWords {
      throw ValidationError("--streams cuts the text, and is of no use to the other options.")
    }
    if adaptation.isGiven, order.shuffleWords {
      throw ValidationError("--shuffle-words is for models as they are.")
    }
    try refuseEvaluatedText("--tune", adaptation.tune, part: .valid)
    try refuseEvaluatedText("--statistics", adaptation.statistics, part: .train)
    if adaptation.settings != nil, adaptation.tune != nil, paths.count > 2 {
      throw ValidationError("--settings holds those of one model; tune one at a time.")
    }
  }

  /// Refuses an option's text if it is the one to evaluate; with --split, if both are the same part.
  private func refuseEvaluatedText(
    _ option: String, _ file: String?, part used: Corpus.Part
  ) throws {
    guard let file, let text = paths.last, isSameFile(file, text),
      part.split == nil || (part.part ?? .test) == used
    else { return }
    throw ValidationError(
      "\(option) must be another text than the one to evaluate, or the result means nothing; with "
        + "--split it is the \(used.rawValue) part of its file.")
  }

  private struct Result: Encodable {
    let tokens: Int
    let natsPerToken, bitsPerToken, perplexity: Double
    let bitsPerByte: Double?
    let outOfVocabulary: Int
    let unit: String
    let model, dynamic, cache: String?
  }

  func execute() throws {
    threads.apply()
    let names = paths.dropLast()
    let text = try SourceText(path: paths[paths.count - 1])
    if order.shuffleWords {
      let models = try names.map { ($0, try AnyModel(contentsOf: URL(filePath: $0))) }
      return try order.run(models, text, part, json: json)
    }
    for name in names {
      try evaluate(AnyModel(contentsOf: URL(filePath: name)), name: name, text)
    }
  }

  private func evaluate(_ model: AnyModel, name: String, _ text: SourceText) throws {
    let (tokens, outOfVocabulary) = try part.tokens(of: text, model.vocabulary)
    let evaluation = try adaptation.evaluation(of: model, name: name, parts: part)
    let result = try measure(model, name: name, evaluation, tokens)
    let predicted = TokenSequence(rebasing: tokens.dropFirst().prefix(result.tokens))
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
          bitsPerByte: outOfVocabulary > 0
            ? nil : result.bitsPerByte(bytes: model.vocabulary.byteCount(of: predicted)),
          outOfVocabulary: outOfVocabulary, unit: model.vocabulary.unit.rawValue,
          model: paths.count > 2 ? name : nil, dynamic: evaluation.dynamic?.description,
          cache: evaluation.cache?.description)))
  }

  private func measure(
    _ model: AnyModel, name: String, _ evaluation: Evaluation, _ tokens: TokenSequence
  ) throws -> CrossEntropy {
    let clock = ContinuousClock()
    let begin = clock.now
    let result = try crossEntropy(of: tokens, by: model, evaluation)
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    if seconds > 1 {
      let speed = Int(Double(result.tokens) / seconds)
      Console.say("\(name): \(result.tokens.grouped) tokens, \(speed.grouped) tokens/s.")
    }
    return result
  }

  private func crossEntropy(
    of tokens: TokenSequence, by model: AnyModel, _ evaluation: Evaluation
  ) throws -> CrossEntropy {
    var progress = ProgressLine()
    defer { progress.clear() }
    func show(_ fraction: Double) { progress.show("evaluating: \((fraction * 100).text(0)) %") }
    // Only networks can be cut into streams; others would pass that over.
    guard let streams, model.model is any RecurrentModel else {
      return try evaluation.crossEntropy(of: tokens, by: model, progress: show)
    }
    let result = model.model.crossEntropy(of: tokens, streams: streams, progress: show)
    guard result.totalNats.isFinite else { throw PredictionError.notNumbers(model: model.name) }
    return result
  }
}
