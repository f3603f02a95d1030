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

  /// Bytes of lines that are scored at once.
  private static let bytesAtOnce = 1 << 20

  private func score(_ text: SourceText, _ model: AnyModel) throws {
    var scorer = LineScorer(model, source: text.name)
    var rows = ScoreRows(vocabulary: model.vocabulary, perToken: perToken, json: json)
    let clock = ContinuousClock()
    let begin = clock.now
    var (lines, nats, tokens, done) = (0, 0.0, 0, 0.0)
    var unknown = UnknownTokens(model.vocabulary)
    var progress = ProgressLine()
    defer { progress.clear() }
    try text.forEachLines(ofBytes: Self.bytesAtOnce) { some, end in
      let scores = try scorer.scores(of: some) { fraction in
        let share = done + fraction * (end - done)
        progress.show("scoring: \((share * 100).text(0)) %")
      }
      done = end
      for (line, score) in zip(some, scores) {
        lines += 1
        try rows.append(score, line, number: lines)
        nats -= score.logProbability
        tokens += score.tokens.count
        unknown.add(score)
      }
      // Nothing is said about a text of which the model knows nothing, unless it is long.
      guard unknown.someIsKnown || rows.isLong else { return }
      progress.clear()
      try rows.print()
    }
    try unknown.check(text.name)
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let whole = CrossEntropy(totalNats: nats, tokens: tokens)
    let speed = Int(Double(tokens) / seconds)
    Console.say(
      "\(lines.grouped) \(lines == 1 ? "line" : "lines"), \(tokens.grouped) tokens, "
        + "perplexity \(whole.perplexity.text(3)); \(speed.grouped) tokens/s.")
    unknown.say()
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

  /// Pairs that are scored at once.
  private static let pairsAtOnce = 1 << 13

  private func compare(_ text: SourceText, _ model: AnyModel) throws {
    let pairs = try text.sentencePairs()
    // Errors are about lines of the text, which hold two sentences each.
    _ = try Corpus(showing: [text], vocabulary: model.vocabulary, minimumTokens: 0)
      .withKnownWords(in: model.vocabulary)
    var scorer = LineScorer(model, source: text.name)
    var right = 0
    var unknown = UnknownTokens(model.vocabulary)
    var progress = ProgressLine()
    defer { progress.clear() }
    for begin in stride(from: 0, to: pairs.count, by: Self.pairsAtOnce) {
      let some = begin..<min(begin + Self.pairsAtOnce, pairs.count)
      let scores = try scorer.scores(of: pairs[some].flatMap { [$0.first, $0.second] }) {
        let done = (Double(begin) + $0 * Double(some.count)) / Double(pairs.count)
        progress.show("scoring: \((done * 100).text(0)) %")
      }
      var output = ""
      for (index, pair) in zip(some, pairs[some]) {
        let both = Array(scores[2 * (index - begin)...2 * (index - begin) + 1])
        unknown.add(both[0], both[1], areAlike: pair.first == pair.second)
        let (row, isRight) = try compared(pair, both, number: index + 1)
        right += isRight ? 1 : 0
        output += row + "\n"
      }
      progress.clear()
      try Console.print(output, terminator: "")
    }
    let accuracy = Double(right) / Double(pairs.count)
    try Console.print(
      json
        ? Console.json(
          Accuracy(accuracy: accuracy, pairs: pairs.count, outOfVocabulary: unknown.count))
        : "accuracy \(accuracy.text(4)): the first is likelier in \(right) of \(pairs.count) pairs")
    unknown.say()
  }

  /// What is printed of a pair, and whether its first sentence is the likelier.
  private func compared(
    _ pair: (first: Data, second: Data), _ scores: [LineScorer.Score], number: Int
  ) throws -> (row: String, isRight: Bool) {
    let values = scores.map(\.logProbability)
    let likelier = values[0] > values[1] ? "first" : values[0] < values[1] ? "second" : "equal"
    let sentences = [pair.first, pair.second].map { String(decoding: $0, as: UTF8.self) }
    let object = Pair(
      line: number, likelier: likelier, logProbabilities: values, sentences: sentences,
      outOfVocabulary: scores.map(\.outOfVocabulary))
    let row =
      try json
      ? Console.json(object)
      : ([likelier] + values.map { $0.text(4) } + sentences).joined(separator: "\t")
    return (row, likelier == "first")
  }
}

/// What of a text a model doesn't know: two sentences that differ only in it are the same to it.
private struct UnknownTokens {
  private let unit: TokenUnit
  private(set) var count = 0
  /// All words of the text, and those of them that are `<unk>`, as the text itself may have it.
  private var (words, unknownWords) = (0, 0)
  /// Pairs of sentences of which the model saw the same.
  private var pairs = 0

  init(_ vocabulary: Vocabulary) { unit = vocabulary.unit }

  mutating func add(_ score: LineScorer.Score) {
    count += score.outOfVocabulary
    if !someIsKnown { unknownWords += score.tokens.count { $0 == Vocabulary.unknownWord } }
    // The last token is the line's end.
    words += score.tokens.count - 1
  }

  /// Whether the model knows anything of the text so far.
  var someIsKnown: Bool { unit != .words || unknownWords < words }

  /// - Throws: as `Corpus.withKnownWords(in:)`.
  func check(_ name: String) throws {
    if !someIsKnown { try Corpus.refuseUnknown(words: words, of: name) }
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
