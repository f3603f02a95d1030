import Recurrence
import Tensors

/// Predicts several texts side by side: each as a `Predictor` would, number for number.
public protocol BatchPredictor {
  /// Reads the next token of each text.
  ///
  /// - Parameter logits: gets unnormalised log-probabilities of what comes after, `[B, V]`.
  mutating func read(_ tokens: [Int32], logits: inout [Float])

  /// Reads the next token of each text, where what comes after isn't of interest.
  mutating func read(_ tokens: [Int32])

  /// Reads the next token of each text and puts in its place the one that `draw` draws to come after.
  mutating func advance(_ tokens: inout [Int32], by draw: inout TokenDraw)
}

extension BatchPredictor {
  public mutating func read(_ tokens: [Int32]) {
    var logits: [Float] = []
    read(tokens, logits: &logits)
  }

  public mutating func advance(_ tokens: inout [Int32], by draw: inout TokenDraw) {
    read(tokens, logits: &draw.logits)
    draw.replace(&tokens)
  }
}

extension LanguageModel {
  public func predictor(texts count: Int) -> any BatchPredictor {
    SeparatePredictors(texts: (0..<count).map { _ in predictor() })
  }
}

/// One predictor a text.
private struct SeparatePredictors: BatchPredictor {
  var texts: [any Predictor]

  mutating func read(_ tokens: [Int32], logits: inout [Float]) {
    require(tokens.count == texts.count, "\(tokens.count) tokens for \(texts.count) texts")
    logits.removeAll(keepingCapacity: true)
    for (text, token) in tokens.enumerated() {
      logits += texts[text].logits(after: token)
    }
  }
}

extension RecurrentLanguageModel {
  public func predictor() -> any Predictor {
    if let decoding = decodingPredictor(texts: 1) { return decoding }
    return SteppingPredictor(model: self, state: initialState(batch: 1))
  }

  public func predictor(texts count: Int) -> any BatchPredictor {
    if let decoding = decodingPredictor(texts: count) { return decoding }
    return SeparatePredictors(texts: (0..<count).map { _ in predictor() })
  }

  private func decodingPredictor(texts count: Int) -> (any Predictor & BatchPredictor)? {
    func decoding(_ weight: Tensor, _ bias: Tensor, draws: Bool = true) -> DecodingPredictor? {
      Decoder(core: core, embedding: embedding.tensor, readout: weight, bias: bias, draws: draws)
        .map { DecodingPredictor(texts: .init($0, count: count)) }
    }
    switch readout {
    case .linear(let weight, let bias, _): return decoding(weight.tensor, bias.tensor)
    case .adaptive(let softmax):
      let clusters = ClusterDecoder(softmax)
      let first = clusters.firstMatrix
      return decoding(first, Tensor(zeros: [first.shape[0]]), draws: false)
        .map { AdaptivePredictor(first: $0, clusters: clusters) }
    }
  }
}

private struct DecodingPredictor: Predictor, BatchPredictor {
  var texts: Decoder.Texts

  mutating func logits(after token: Int32) -> [Float] {
    var logits: [Float] = []
    read(token, logits: &logits)
    return logits
  }

  mutating func read(_ token: Int32, logits: inout [Float]) {
    read(CollectionOfOne(token), &logits)
  }

  mutating func read(_ tokens: [Int32], logits: inout [Float]) { read(tokens, &logits) }

  mutating func read(_ tokens: [Int32]) { texts.read(tokens) }

  mutating func advance(_ tokens: inout [Int32], by draw: inout TokenDraw) {
    let isDrawn =
      draw.sampling.isUnfiltered
      && tokens.withUnsafeMutableBufferPointer { tokens in
        draw.generators.withUnsafeMutableBufferPointer { generators in
          texts.draw(
            tokens, temperature: draw.sampling.noiseFactor, forbidden: draw.forbidden,
            generators: generators)
        }
      }
    if isDrawn { return }
    read(tokens, &draw.logits)
    draw.replace(&tokens)
  }

  private mutating func read(_ tokens: some Collection<Int32>, _ logits: inout [Float]) {
    let count = texts.logitCount
    if logits.count != count { logits = Array(repeating: 0, count: count) }
    logits.withUnsafeMutableBufferPointer { texts.read(tokens, logits: $0) }
  }
}

/// With an adaptive softmax, what `DecodingPredictor` gives isn't logits yet.
private struct AdaptivePredictor: Predictor, BatchPredictor {
  var first: DecodingPredictor
  let clusters: ClusterDecoder
  var products: [Float] = []

  mutating func logits(after token: Int32) -> [Float] {
    var logits: [Float] = []
    read(token, logits: &logits)
    return logits
  }

  mutating func read(_ token: Int32, logits: inout [Float]) { read([token], logits: &logits) }

  mutating func read(_ tokens: [Int32], logits: inout [Float]) {
    first.read(tokens, logits: &products)
    clusters.join(products, into: &logits)
  }

  mutating func read(_ tokens: [Int32]) { first.read(tokens) }
}

/// The plain form, for cells of others: calls the cell once a token.
private struct SteppingPredictor<Core: RecurrentCell>: Predictor
where Core.Input == Tensor, Core.Output == Tensor {
  let model: RecurrentLanguageModel<Core>
  var state: Core.State

  mutating func logits(after token: Int32) -> [Float] {
    let (logits, next) = model.logits(after: token, from: state)
    state = next
    return logits.values
  }
}
