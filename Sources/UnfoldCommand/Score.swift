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
      log_probability, tokens, out_of_vocabulary and, with --per-token, per_token. How many words \
      were read as <unk>, or characters left out, goes to standard error.

      Byte pairs are those of one text: the line between two line feeds. The first of them, which \
      begins with the first line feed, is only context, and with it what it holds of the white \
      space that begins the line; all others are predicted. If it holds everything, as it may \
      where a line is empty, the first line feed is encoded by itself.

      --pairs takes minimal pairs, two sentences a line with a tab between them, of which the first \
      is the good one. It prints which is likelier (first, second or equal), both ln p and both \
      sentences, and at the end the accuracy: how often it is the first. With --json, a pair is an \
      object: line, likelier, log_probabilities, sentences, out_of_vocabulary (of each); the last \
      one has accuracy, pairs and out_of_vocabulary (of all).
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
    var unknown = UnknownTokens(model.vocabulary)
    var progress = ProgressLine()
    defer { progress.clear() }
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
      var output = ""
      for (index, score) in scores.enumerated() {
        output += try rows(
          of: score, lines[first + index], number: first + index + 1, model.vocabulary)
        nats -= score.logProbability
        tokens += score.tokens.count
        unknown.add(score)
      }
      try Console.print(output, terminator: "")
      first = end
    }
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let whole = CrossEntropy(totalNats: nats, tokens: tokens)
    let speed = Int(Double(tokens) / seconds)
    Console.say(
      "\(lines.count.grouped) \(lines.count == 1 ? "line" : "lines"), \(tokens.grouped) tokens, "
        + "perplexity \(whole.perplexity.text(3)); \(speed.grouped) tokens/s.")
    unknown.say()
  }

  /// - Throws: if the text is no text, or if the model knows nothing of it.
  private func check(_ text: SourceText, _ model: AnyModel) throws {
    _ = try Corpus(showing: [text], vocabulary: model.vocabulary, minimumTokens: 0)
      .withKnownWords(in: model.vocabulary)
  }

  /// What is printed of a line, each row with its line feed.
  private func rows(
    of score: LineScorer.Score, _ line: Data, number: Int, _ vocabulary: Vocabulary
  ) throws -> String {
    let text = String(decoding: line, as: UTF8.self)
    let labels = perToken ? score.tokens.map { vocabulary.label(of: $0) } : []
    if json {
      let perToken = zip(labels, score.logProbabilities).map {
        Token(token: $0, logProbability: $1)
      }
      let object = Line(
        line: number, text: text, logProbability: score.logProbability,
        tokens: score.tokens.count, outOfVocabulary: score.outOfVocabulary,
        perToken: self.perToken ? perToken : nil)
      return try Console.json(object) + "\n"
    }
    if perToken {
      return zip(labels, score.logProbabilities).map { label, logProbability in
        "\(number)\t\(label)\t\(logProbability.text(6))\n"
      }.joined()
    }
    return "\(score.logProbability.text(6))\t\(text)\n"
  }

  private struct Pair: Encodable {
    let line: Int
    let likelier: String
    let logProbabilities: [Double]
    let sentences: [String]
    let outOfVocabulary: [Int]
  }

  private struct Accuracy: Encodable {
    let accuracy: Double
    let pairs, outOfVocabulary: Int
  }

  private func compare(_ text: SourceText, _ model: AnyModel) throws {
    let pairs = try text.sentencePairs()
    try check(text, model)
    let scores = try LineScorer(model).scores(
      of: pairs.flatMap { [$0.first, $0.second] }, source: text.name)
    var (right, output) = (0, "")
    var unknown = UnknownTokens(model.vocabulary)
    for (index, pair) in pairs.enumerated() {
      let both = [scores[2 * index], scores[2 * index + 1]]
      unknown.add(both[0], both[1], areAlike: pair.first == pair.second)
      let values = both.map(\.logProbability)
      let likelier = values[0] > values[1] ? "first" : values[0] < values[1] ? "second" : "equal"
      right += likelier == "first" ? 1 : 0
      let sentences = [pair.first, pair.second].map { String(decoding: $0, as: UTF8.self) }
      let object = Pair(
        line: index + 1, likelier: likelier, logProbabilities: values, sentences: sentences,
        outOfVocabulary: both.map(\.outOfVocabulary))
      output +=
        try json
        ? Console.json(object)
        : ([likelier] + values.map { $0.text(4) } + sentences).joined(separator: "\t")
      output += "\n"
    }
    let accuracy = Double(right) / Double(pairs.count)
    output +=
      try json
      ? Console.json(
        Accuracy(accuracy: accuracy, pairs: pairs.count, outOfVocabulary: unknown.count))
      : "accuracy \(accuracy.text(4)): the first is likelier in \(right) of \(pairs.count) pairs"
    try Console.print(output)
    unknown.say()
  }
}

/// What of a text a model doesn't know: two sentences that differ only in it are the same to it.
private struct UnknownTokens {
  private let unit: TokenUnit
  private(set) var count = 0
  /// All words of the text.
  private var words = 0
  /// Pairs of sentences of which the model saw the same.
  private var pairs = 0

  init(_ vocabulary: Vocabulary) { unit = vocabulary.unit }

  mutating func add(_ score: LineScorer.Score) {
    count += score.outOfVocabulary
    // The last token is the line's end.
    words += score.tokens.count - 1
  }

  /// - Parameter areAlike: whether the sentences of the pair are the same anyway.
  mutating func add(_ first: LineScorer.Score, _ second: LineScorer.Score, areAlike: Bool) {
    add(first)
    add(second)
    let hasUnknown = first.outOfVocabulary + second.outOfVocabulary > 0
    if hasUnknown, !areAlike, first.tokens == second.tokens { pairs += 1 }
  }

  func say() {
    guard count > 0 else { return }
    let were = count == 1 ? "was" : "were"
    let lost =
      unit == .words
      ? "\(count.grouped) of \(words.grouped) words \(were) read as <unk>"
      : "\(count.grouped) \(count == 1 ? "character" : "characters") that the model doesn't know "
        + "\(were) left out"
    let differ = pairs == 1 ? "1 pair differs" : "\(pairs.grouped) pairs differ"
    Console.say(lost + (pairs == 0 ? "." : "; \(differ) only in \(count == 1 ? "it" : "them")."))
  }
}
