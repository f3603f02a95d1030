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
  func crossEntropy(of tokens: [Int32], streams: Int, progress: (Double) -> Void) -> CrossEntropy

  /// Begins to predict a text, without a past.
  func predictor() -> any Predictor

  /// Begins to predict `count` texts side by side, each without a past.
  func predictor(texts count: Int) -> any BatchPredictor
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
    of tokens: [Int32], streams count: Int = 1, progress: (Double) -> Void = { _ in }
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
        total += SoftmaxReadout.totalNats(
          hidden, weight: readout.tensor, bias: readoutBias.tensor, targets: part.targets)
        state = last
        progress(Double(start + part.steps) / Double(streams.length))
      }
    }
    return CrossEntropy(totalNats: total, tokens: streams.length * streams.batch)
  }
}
