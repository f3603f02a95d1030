import ArgumentParser
import Foundation
import Language
import Learning
import Tensors

struct Score: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Log-probabilities of lines, each on its own.",
    discussion: """
      Each line is predicted as if it followed the end of another, without any other past, and with \
      its own end: </s> for words, so that an empty line has the probability of </s>; the line feed \
      for other tokens. Prints ln p (in nats), a tab and the line; with --per-token the \
      line's number, the token and its ln p. With --json, a line is an object: line, text, \
      log_probability, tokens, out_of_vocabulary and, with --per-token, per_token.

      --pairs takes minimal pairs, two sentences a line with a tab between them, of which the first \
      is the good one. It prints which is likelier (first, second or equal), both ln p and both \
      sentences, and at the end the accuracy: how often it is the first.
      """)

  @Argument(help: .anyModel, completion: .file()) var model: String
  @Argument(help: "A text file; - or nothing for standard input.", completion: .file())
  var file: String?
  @Option(help: "Minimal pairs to compare, instead of FILE.", completion: .file())
  var pairs: String?
  @Flag(help: "Print ln p of each token.") var perToken = false
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a JSON object a line.") var json = false

  func validate() throws {
    if pairs != nil, file != nil {
      throw ValidationError(
        "--pairs \(pairs ?? "") takes the place of FILE; leave one of them out.")
    }
    if pairs != nil, perToken {
      throw ValidationError("--per-token is for lines, not for --pairs.")
    }
  }

  func execute() throws {
    threads.apply()
    let model = try AnyModel(contentsOf: URL(filePath: self.model))
    if let pairs { return try compare(SourceText(path: pairs), model) }
    try score(SourceText(path: file ?? "-"), model)
  }

  private struct Line: Encodable {
    let line: Int
    let text: String
    let logProbability: Double
    let tokens, outOfVocabulary: Int
    let perToken: [Token]?
  }

  private struct Token: Encodable {
    let token: String
    let logProbability: Double
  }

  /// Bytes of lines that are scored at once.
  private static let bytesAtOnce = 1 << 20

  private func score(_ text: SourceText, _ model: AnyModel) throws {
    try check(text, model)
    let scorer = LineScorer(model)
    let lines = text.lines
    let clock = ContinuousClock()
    let begin = clock.now
    var (first, nats, tokens) = (0, 0.0, 0)
    var progress = ProgressLine()
    while first < lines.count {
      var (end, bytes) = (first, 0)
      while end < lines.count, end == first || bytes < Self.bytesAtOnce {
        bytes += lines[end].count + 1
        end += 1
      }
      let share = 1 / Double(lines.count)
      let scores = try scorer.scores(of: lines[first..<end], source: text.name) { fraction in
        let done = (Double(first) + fraction * Double(end - first)) * share
        progress.show("scoring: \((done * 100).text(0)) %")
      }
      progress.clear()
      for (index, score) in scores.enumerated() {
        try print(score, lines[first + index], number: first + index + 1, model.vocabulary)
        nats -= score.logProbability
        tokens += score.tokens.count
      }
      first = end
    }
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let whole = CrossEntropy(totalNats: nats, tokens: tokens)
    Console.say(
      "\(lines.count.grouped) \(lines.count == 1 ? "line" : "lines"), \(tokens.grouped) tokens, perplexity "
        + "\(whole.perplexity.text(3)); \(Int(Double(tokens) / seconds).grouped) tokens/s.")
  }

  /// - Throws: if the text is no text, or if the model knows nothing of it.
  private func check(_ text: SourceText, _ model: AnyModel) throws {
    _ = try Corpus(showing: [text], vocabulary: model.vocabulary, minimumTokens: 0)
      .withKnownWords(in: model.vocabulary)
  }

  private func print(
    _ score: LineScorer.Score, _ line: Data, number: Int, _ vocabulary: Vocabulary
  ) throws {
    let text = String(decoding: line, as: UTF8.self)
    let labels = perToken ? score.tokens.map { vocabulary.label(of: $0) } : []
    if json {
      let perToken = zip(labels, score.logProbabilities).map {
        Token(token: $0, logProbability: $1)
      }
      try Console.print(
        Console.json(
          Line(
            line: number, text: text, logProbability: score.logProbability,
            tokens: score.tokens.count, outOfVocabulary: score.outOfVocabulary,
            perToken: self.perToken ? perToken : nil)))
    } else if perToken {
      for (label, logProbability) in zip(labels, score.logProbabilities) {
        try Console.print("\(number)\t\(label)\t\(logProbability.text(6))")
      }
    } else {
      try Console.print("\(score.logProbability.text(6))\t\(text)")
    }
  }

  private struct Pair: Encodable {
    let line: Int
    let likelier: String
    let logProbabilities: [Double]
    let sentences: [String]
  }

  private struct Accuracy: Encodable {
    let accuracy: Double
    let pairs: Int
  }

  private func compare(_ text: SourceText, _ model: AnyModel) throws {
    let pairs = try text.sentencePairs()
    try check(text, model)
    let scores = try LineScorer(model).scores(
      of: pairs.flatMap { [$0.first, $0.second] }, source: text.name)
    var right = 0
    for (index, pair) in pairs.enumerated() {
      let both = [scores[2 * index].logProbability, scores[2 * index + 1].logProbability]
      let likelier = both[0] > both[1] ? "first" : both[0] < both[1] ? "second" : "equal"
      right += likelier == "first" ? 1 : 0
      let sentences = [pair.first, pair.second].map { String(decoding: $0, as: UTF8.self) }
      try Console.print(
        json
          ? Console.json(
            Pair(
              line: index + 1, likelier: likelier, logProbabilities: both, sentences: sentences))
          : ([likelier] + both.map { $0.text(4) } + sentences).joined(separator: "\t"))
    }
    let accuracy = Double(right) / Double(pairs.count)
    try Console.print(
      json
        ? Console.json(Accuracy(accuracy: accuracy, pairs: pairs.count))
        : "accuracy \(accuracy.text(4)): the first is likelier in \(right) of \(pairs.count) pairs")
  }
}
