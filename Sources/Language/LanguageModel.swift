import Learning
import Recurrence
import Tensors

/// Anything that gives probabilities to the next token: a recurrent network, an n-gram model.
public protocol LanguageModel: Sendable {
  var vocabularySize: Int { get }

  /// How well the model predicts `tokens`, each from all before it; the first is only context.
  ///
  /// - Parameters:
  ///   - streams: into how many contiguous streams the text may be cut; more are faster, but each
  ///     begins without a past. 1 is exact.
  ///   - progress: gets the fraction that is done, from time to time.
  func crossEntropy(
    of tokens: TokenSequence, streams: Int, progress: (Double) -> Void
  ) -> CrossEntropy

  /// Predicts a text exactly, each token but the first from all before it, and tells part by part,
  /// in order, how likely its tokens were.
  ///
  /// - Parameters:
  ///   - dynamic: how the model learns from the text while it reads; nil, and for models without
  ///     trainable weights anything, leaves it as it is.
  ///   - keepingHidden: whether the parts need ``PredictedPart/hidden``, where the model has it.
  ///   - progress: gets the fraction that is done, from time to time; there may be one part only.
  ///   - visit: gets the parts.
  func predict(
    _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
    progress: (Double) -> Void, visit: (PredictedPart) -> Void)

  /// ln p of each token but the first of each text, every text without a past.
  ///
  /// - Parameter progress: gets the fraction that is done, from time to time.
  func logProbabilities(ofEach texts: [[Int32]], progress: (Double) -> Void) -> [[Double]]

  /// H, the size of the hidden states behind the predictions; nil for a model without them.
  var hiddenSize: Int? { get }

  /// Begins to predict a text, without a past.
  func predictor() -> any Predictor

  /// Begins to predict `count` texts side by side, each without a past.
  func predictor(texts count: Int) -> any BatchPredictor
}

/// What a model said of some consecutive tokens of a text.
public struct PredictedPart: Sendable {
  /// The places in the text of the tokens that were predicted.
  public let places: Range<Int>
  /// ln p of each.
  public let logProbabilities: [Double]
  /// What each was predicted from, `[n, H]`; nil from a model without hidden states, or where nobody
  /// has asked for it.
  public let hidden: Tensor?

  public init(places: Range<Int>, logProbabilities: [Double], hidden: Tensor? = nil) {
    self.places = places
    self.logProbabilities = logProbabilities
    self.hidden = hidden
  }
}

extension LanguageModel {
  public var hiddenSize: Int? { nil }

  /// By means of a predictor: O(V) for each token, so that a model should do better if it can.
  public func predict(
    _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
    progress: (Double) -> Void, visit: (PredictedPart) -> Void
  ) {
    var predictor = predictor()
    for start in stride(from: 1, to: tokens.count, by: 1024) {
      let places = start..<min(start + 1024, tokens.count)
      let logProbabilities = places.map {
        LogSoftmax(predictor.logits(after: tokens[$0 - 1]))[Int(tokens[$0])]
      }
      visit(PredictedPart(places: places, logProbabilities: logProbabilities))
      progress(Double(places.upperBound) / Double(tokens.count))
    }
  }

  /// As it is, for those who don't wait.
  public func predict(
    _ tokens: TokenSequence, keepingHidden: Bool = false, visit: (PredictedPart) -> Void
  ) {
    predict(
      tokens, adapting: nil, keepingHidden: keepingHidden, progress: { _ in }, visit: visit)
  }

  public func logProbabilities(
    ofEach texts: [[Int32]], progress: (Double) -> Void
  ) -> [[Double]] {
    texts.enumerated().map { index, text in
      var all: [Double] = []
      predict(TokenSequence(text)) { all += $0.logProbabilities }
      if index & 0xFFF == 0 { progress(Double(index) / Double(texts.count)) }
      return all
    }
  }

  /// ln p of each token but the first, from all before it.
  public func logProbabilities(of tokens: TokenSequence) -> [Double] {
    Evaluation().logProbabilities(of: tokens, by: self)
  }
}

/// Predicts a text token by token.
public protocol Predictor {
  /// Unnormalised log-probabilities, `[V]`, of what comes after `token` and all tokens before.
  mutating func logits(after token: Int32) -> [Float]

  /// The same, into an array that is there already.
  mutating func read(_ token: Int32, logits: inout [Float])
}

extension Predictor {
  public mutating func read(_ token: Int32, logits: inout [Float]) {
    logits = self.logits(after: token)
  }
}

extension RecurrentLanguageModel: LanguageModel {
  public func crossEntropy(
    of tokens: TokenSequence, streams count: Int = 1, progress: (Double) -> Void = { _ in }
  ) -> CrossEntropy {
    guard tokens.count > 1 else { return CrossEntropy() }
    let streams = Streams(tokens, batch: max(1, min(count, (tokens.count - 1) / 2)))
    let window = max(16, 2048 / streams.batch)
    var state: Core.State?
    var total = 0.0
    withoutGradients {
      for start in stride(from: 0, to: streams.length, by: window) {
        let part = streams.window(start..<min(start + window, streams.length))
        let (hidden, last) = hidden(part, from: state, mode: .inference)
        total += readout.crossEntropies(hidden, targets: part.targets).each.reduce(0, +)
        state = last
        progress(Double(start + part.steps) / Double(streams.length))
      }
    }
    return CrossEntropy(totalNats: total, tokens: streams.length * streams.batch)
  }
}
