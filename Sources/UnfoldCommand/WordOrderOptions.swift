import ArgumentParser
import Language
import Learning

/// What the order of words is worth.
struct WordOrderOptions: ParsableArguments {
  @Flag(
    help: """
      Show the perplexity of the words in random order beside the true one. With byte pairs, \
      words without a space of their own, mostly a line's first, change places only with each other.
      """)
  var shuffleWords = false
  @Option(help: "The seed of the random order (default: 1).") var seed: UInt64?

  func validate() throws {
    if seed != nil, !shuffleWords {
      throw ValidationError("--seed is for --shuffle-words; evaluation needs no random numbers.")
    }
  }

  private struct Row: Encodable {
    let model: String
    let tokens: Int
    let perplexity, shuffledPerplexity, ratio: Double

    init(_ model: String, _ order: WordOrder) {
      self.model = model
      tokens = order.ordered.tokens
      perplexity = order.ordered.perplexity
      shuffledPerplexity = order.shuffled.perplexity
      ratio = order.ratio
    }
  }

  private struct Report: Encodable {
    let seed: UInt64
    let models: [Row]
  }

  func run(
    _ models: [(name: String, model: AnyModel)], _ text: SourceText, _ part: PartOptions,
    json: Bool
  ) throws {
    let seed = seed ?? 1
    var rows: [Row] = []
    for (name, model) in models {
      let ordered = try part.tokens(of: text, model.vocabulary).tokens
      // The tokens, not the text: cut or encoded anew, that would have others.
      let shuffled = try ordered.shufflingWords(of: model.vocabulary, seed: seed)
      if rows.isEmpty {
        // Without the line end that stands before words.
        let first = model.vocabulary.unit == .words ? 1 : 0
        rows.append(
          Row(
            "unigram of the text",
            WordOrder(
              unigramOf: TokenSequence(rebasing: ordered.dropFirst(first)),
              shuffled: TokenSequence(rebasing: shuffled.dropFirst(first)),
              vocabularySize: model.vocabulary.count)))
      }
      rows.append(Row(name, try WordOrder(model, ordered: ordered, shuffled: shuffled)))
    }
    try Console.print(
      json
        ? Console.json(Report(seed: seed, models: rows))
        : table(
          [["perplexity", "true order", "random order", "ratio"]]
            + rows.map {
              [$0.model, $0.perplexity.text(2), $0.shuffledPerplexity.text(2), $0.ratio.text(2)]
            }))
  }
}
