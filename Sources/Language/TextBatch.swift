import Tensors

/// Writes several texts side by side: each is what `TextGenerator` writes with its seed.
///
/// Much faster than one after the other, since a step reads the model's weights once for all.
public struct TextBatch {
  private let vocabulary: Vocabulary
  private let sampling: Sampling
  private var generators: [Philox]
  private var predictor: any BatchPredictor
  private var logits: [Float]  // [B, V]

  /// Reads the prompt.
  ///
  /// - Parameter seeds: one a text.
  /// - Throws: `VocabularyError` for a prompt with tokens that the model doesn't know.
  public init(
    _ model: any LanguageModel, vocabulary: Vocabulary, prompt: String = "",
    sampling: Sampling = Sampling(), seeds: [UInt64]
  ) throws {
    self.vocabulary = vocabulary
    self.sampling = sampling
    generators = seeds.map { Philox(seed: $0) }
    predictor = model.predictor(texts: seeds.count)
    logits = []
    for token in try vocabulary.context(prompt: prompt) {
      predictor.read(Array(repeating: token, count: seeds.count), logits: &logits)
    }
  }

  /// Draws the next token of each text and reads it.
  public mutating func next() -> [Int32] {
    let (count, size) = (generators.count, logits.count / max(generators.count, 1))
    var tokens = [Int32](repeating: 0, count: count)
    let (vocabulary, sampling) = (vocabulary, sampling)
    logits.withUnsafeMutableBufferPointer { logits in
      generators.withUnsafeMutableBufferPointer { generators in
        tokens.withUnsafeMutableBufferPointer { tokens in
          // Texts are drawn for by several threads, each of which changes what is its text's.
          nonisolated(unsafe) let (logits, generators, tokens) = (logits, generators, tokens)
          Compute.forEach(count, cost: 10 * size) { text in
            let row = Sampling.Numbers(rebasing: logits[text * size..<(text + 1) * size])
            vocabulary.forbidUnknown(in: row)
            tokens[text] = sampling.draw(consuming: row, using: &generators[text])
          }
        }
      }
    }
    predictor.read(tokens, logits: &logits)
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
    var writers = generators.map { _ in Writer(vocabulary, stop: stop, after: prompt) }
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
