import Foundation
import Learning

/// A language model that looks at the last N − 1 tokens: p(w | h), by counting.
///
/// Words are counted sentence by sentence, a line being a sentence: it begins with `<s>`, which is
/// context only, and ends with `</s>`, which is predicted like a word. Characters and bytes are one
/// long text without an end. `<unk>` in a text is a word like any other; where the text has none,
/// it keeps the probability that smoothing leaves for what was never seen.
///
/// - SeeAlso: ``Smoothing`` for the equations.
public struct NGramModel: Sendable {
  public let vocabulary: Vocabulary
  /// Whether the scores after a context sum to one; stupid backoff's don't.
  public let isNormalised: Bool
  /// D of each order, from 1, if modified Kneser–Ney made the model here; otherwise empty.
  public let discounts: [KneserNeyDiscounts]
  let tree: NGramTree

  /// What takes time; counting and estimating go from order 1 upwards.
  public enum Stage: Sendable, Equatable {
    case counting(order: Int)
    case estimating(order: Int)
  }

  /// Counts tokens and estimates the model.
  ///
  /// Orders for which the text is too short are left out, which changes no probability.
  ///
  /// - Parameters:
  ///   - tokens: of `vocabulary`; words hold `</s>` at the end of each line.
  ///   - order: N, the longest n-gram, at least 1.
  ///   - progress: gets each stage as it begins.
  /// - Throws: ``NGramError/noText``; ``NGramError/reservedWord(_:)`` if `<s>` is a word.
  /// - Precondition: tokens are below the vocabulary's count.
  /// - Complexity: O(tokens · N) time and memory; about 70 bytes for each n-gram at
  ///   the peak.
  public init(
    training tokens: [Int32], vocabulary: Vocabulary, order: Int,
    smoothing: Smoothing = .modifiedKneserNey, pruning: Pruning = .none,
    progress: (Stage) -> Void = { _ in }
  ) throws {
    guard !tokens.isEmpty else { throw NGramError.noText }
    if vocabulary.unit == .words, vocabulary.spellings.contains(ARPASpelling.begin) {
      throw NGramError.reservedWord("<s>")
    }
    let counts = NGramCounts(
      tokens, vocabularySize: vocabulary.count,
      sentenceEnd: vocabulary.unit == .words ? Vocabulary.lineEndWord : nil, order: max(order, 1)
    ) { progress(.counting(order: $0)) }
    let estimation = NGramEstimation(counts, smoothing: smoothing, pruning: pruning) {
      progress(.estimating(order: $0))
    }
    self.init(
      vocabulary: vocabulary, tree: estimation.tree, isNormalised: smoothing.isNormalised,
      discounts: estimation.discounts)
  }

  init(
    vocabulary: Vocabulary, tree: NGramTree, isNormalised: Bool,
    discounts: [KneserNeyDiscounts] = []
  ) {
    self.vocabulary = vocabulary
    self.tree = tree
    self.isNormalised = isNormalised
    self.discounts = discounts
  }

  /// N, the longest n-gram.
  public var order: Int { tree.order }

  /// How many n-grams there are of each order, from 1; `<s>` counts among those of order 1.
  public var counts: [Int] { (1...order).map { tree.nodes(order: $0).count } }

  /// log₁₀ p of each token but the first, from all before it. Before words, let the first one be
  /// `</s>`: after it a sentence begins.
  ///
  /// - Precondition: tokens are below the vocabulary's count.
  /// - Complexity: O(tokens · N · log V) at worst.
  public func scores(of tokens: [Int32]) -> [Float] {
    var context = NGramTree.root
    var scores: [Float] = []
    scores.reserveCapacity(tokens.count)
    guard let first = tokens.first else { return [] }
    read(first, into: &context)
    for token in tokens.dropFirst() { scores.append(score(token, after: &context)) }
    return scores
  }

  /// Begins a sentence after a token that ends one.
  @inline(__always)
  private func beginSentence(after token: Int32, _ context: inout Int32) {
    if token == Vocabulary.lineEndWord, vocabulary.unit == .words {
      context = tree.order > 1 ? Int32(vocabulary.count) + 1 : NGramTree.root
    }
  }

  @inline(__always)
  private func score(_ token: Int32, after context: inout Int32) -> Float {
    let score = tree.score(token, after: &context)
    beginSentence(after: token, &context)
    return score
  }

  fileprivate func read(_ token: Int32, into context: inout Int32) {
    _ = score(token, after: &context)
  }
}

extension NGramModel: LanguageModel {
  public var vocabularySize: Int { vocabulary.count }

  /// How well the model predicts `tokens`, each from the N − 1 before it; the first is only context.
  ///
  /// If the model isn't normalised, this is no cross-entropy, and compares with no other.
  ///
  /// - Parameter streams: is passed over: nothing would become faster.
  /// - Precondition: tokens are below the vocabulary's count.
  public func crossEntropy(
    of tokens: [Int32], streams: Int = 1, progress: (Double) -> Void = { _ in }
  ) -> CrossEntropy {
    guard let first = tokens.first, tokens.count > 1 else { return CrossEntropy() }
    var context = NGramTree.root
    read(first, into: &context)
    var total = 0.0
    for position in 1..<tokens.count {
      total += Double(score(tokens[position], after: &context))
      if position & 0xFFFFF == 0 { progress(Double(position) / Double(tokens.count)) }
    }
    progress(1)
    return CrossEntropy(totalNats: -total * log(10), tokens: tokens.count - 1)
  }

  public func predictor() -> any Predictor { NGramPredictor(model: self) }
}

private struct NGramPredictor: Predictor {
  let model: NGramModel
  private var context = NGramTree.root

  init(model: NGramModel) { self.model = model }

  /// Natural logarithms of the probabilities, or of stupid backoff's scores.
  mutating func logits(after token: Int32) -> [Float] {
    model.read(token, into: &context)
    return model.tree.scores(after: context, vocabularySize: model.vocabularySize).map {
      $0 * Float(log(10.0))
    }
  }
}
