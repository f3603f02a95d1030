import Tensors

/// Writes several texts side by side: each is what `TextGenerator` writes with its seed.
///
/// Much faster than one after the other, since a step reads the model's weights once for all.
public struct TextBatch {
  private let vocabulary: Vocabulary
  private var draw: TokenDraw
  private var predictor: any BatchPredictor
  /// The last token of each text, which the model hasn't read yet.
  private var tokens: [Int32]

  /// Reads the prompt.
  ///
  /// An empty prompt begins where a line begins, if the vocabulary has line ends, or else with the
  /// first token.
  ///
  /// - Parameter seeds: one a text, at least one.
  /// - Throws: `VocabularyError` for a prompt with tokens that the model doesn't know.
  public init(
    _ model: any LanguageModel, vocabulary: Vocabulary, prompt: String = "",
    sampling: Sampling = Sampling(), seeds: [UInt64]
  ) throws {
    require(!seeds.isEmpty, "there are no seeds for texts")
    self.vocabulary = vocabulary
    draw = TokenDraw(sampling, seeds: seeds, forbidden: vocabulary.undrawn)
    predictor = model.predictor(texts: seeds.count)
    let context = try vocabulary.context(prompt: prompt)
    for token in context.dropLast() {
      predictor.read(Array(repeating: token, count: seeds.count))
    }
    tokens = Array(repeating: context[context.count - 1], count: seeds.count)
  }

  /// Draws the next token of each text.
  public mutating func next() -> [Int32] {
    predictor.advance(&tokens, by: &draw)
    return tokens
  }

  /// Writes texts of `length` tokens, or until they hold `stop`.
  ///
  /// - Parameters:
  ///   - prompt: the tokens that the texts go on after.
  ///   - progress: gets how many tokens of each text are done, from time to time.
  public mutating func texts(
    length: Int, until stop: String? = nil, after prompt: [Int32] = [],
    progress: (Int) -> Void = { _ in }
  ) -> [Text] {
    var writers = tokens.map { _ in Writer(vocabulary, stop: stop, after: prompt) }
    for step in 0..<length where writers.contains(where: { !$0.isDone }) {
      for (index, token) in next().enumerated() { writers[index].write(token) }
      progress(step + 1)
    }
    return writers.map { $0.finished() }
  }

  /// A text and how many tokens it took.
  public struct Text: Sendable, Equatable {
    public var text: String
    public var tokens: Int
  }

  /// Puts the tokens of one text together.
  private struct Writer {
    private var stream: TextStream
    private var guardian: StopString
    private var written = Text(text: "", tokens: 0)
    private(set) var isDone = false

    init(_ vocabulary: Vocabulary, stop: String?, after prompt: [Int32]) {
      stream = TextStream(vocabulary, after: prompt)
      guardian = StopString(stop)
    }

    mutating func write(_ token: Int32) {
      guard !isDone else { return }
      let (piece, stopped) = guardian.pass(stream.append(token))
      written.text += piece
      written.tokens += 1
      isDone = stopped
    }

    func finished() -> Text {
      guard !isDone else { return written }
      var (end, stream, guardian) = (written, stream, guardian)
      end.text += guardian.pass(stream.finish()).text + guardian.finish()
      return end
    }
  }
}
