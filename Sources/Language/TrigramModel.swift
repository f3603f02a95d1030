import Foundation
import Tensors

/// Counts of one, two and three tokens, interpolated: what a recurrent network is compared with.
///
///     p₀(w) = 1 / V,   pₖ(w | h) = λ·c(h w) / c(h) + (1 − λ)·pₖ₋₁(w | h′)
///
/// where h is the k − 1 tokens before w, h′ all but the first of them, and λ depends on k and on
/// how often h was seen; λ = 0 if never. The weights are estimated by expectation maximisation on
/// a tenth of the training tokens, held out of the counts and then added to them.
///
/// - SeeAlso: F. Jelinek, R. Mercer, "Interpolated estimation of Markov source parameters from
///   sparse data" (1980); S. Chen, J. Goodman, "An Empirical Study of Smoothing Techniques for
///   Language Modeling", TR-10-98 (1998), section 2.3.
public struct TrigramModel: Sendable {
  /// 3 for the trigram, 1 for the unigram, 0 for the uniform distribution.
  public let order: Int
  /// V.
  public let vocabularySize: Int
  private let lineEnd: Int32?
  private var levels: [Level]

  private struct Level: Sendable {
    var histories = CountTable()
    var grams = CountTable()
    /// λ, by ⌊log₂ of the count of the history⌋.
    var weights = [Double](repeating: 0.5, count: 32)
  }

  /// What one level says of a token: its relative frequency, and which λ goes with it.
  private struct Evidence {
    let frequency: Double
    /// Nil if the history was never seen.
    let bucket: Int?
  }

  /// Counts tokens and estimates the weights.
  ///
  /// - Parameters:
  ///   - lineEnd: the token that ends a line, after which no earlier token is looked at; nil where
  ///     text runs on.
  /// - Precondition: `order` is 0 to 3, tokens are below `vocabularySize`, and that is below 2²¹.
  /// - Complexity: O(tokens) time and memory.
  public init(
    order: Int = 3, vocabularySize: Int, lineEnd: Int32? = nil, training tokens: [Int32]
  ) {
    require((0...3).contains(order), "the order is \(order), not 0 to 3")
    require((1..<1 << 21).contains(vocabularySize), "V is \(vocabularySize), not below 2²¹")
    self.order = order
    self.vocabularySize = vocabularySize
    self.lineEnd = lineEnd
    levels = [Level](repeating: Level(), count: order)
    let heldOut = tokens.count - tokens.count / 10
    count(tokens, in: 0..<heldOut)
    estimateWeights(tokens, in: heldOut..<tokens.count)
    count(tokens, in: heldOut..<tokens.count)
  }

  /// The sum of −ln p over all tokens, in nats, and how many there are.
  ///
  /// The first token is predicted as one that begins a line.
  public func crossEntropy(of tokens: [Int32]) -> (nats: Double, tokens: Int) {
    let nats = tokens.indices.reduce(0) { $0 - log(probability(at: $1, of: tokens)) }
    return (nats, tokens.count)
  }

  /// p(tokens[position] | the tokens before it).
  package func probability(at position: Int, of tokens: [Int32]) -> Double {
    let history = history(at: position, of: tokens)
    return levels.indices.reduce(1 / Double(vocabularySize)) { lower, k in
      let evidence = evidence(level: k, history, tokens[position])
      guard let bucket = evidence.bucket else { return lower }
      let weight = levels[k].weights[bucket]
      return weight * evidence.frequency + (1 - weight) * lower
    }
  }

  // MARK: Counts

  /// The two tokens before a position, packed; V stands for what lies before the line.
  private func history(at position: Int, of tokens: [Int32]) -> UInt64 {
    let none = UInt64(vocabularySize)
    guard position > 0, tokens[position - 1] != lineEnd else { return none << 21 | none }
    let last = UInt64(tokens[position - 1])
    guard position > 1, tokens[position - 2] != lineEnd else { return none << 21 | last }
    return UInt64(tokens[position - 2]) << 21 | last
  }

  /// The last k tokens of a history.
  private static func shorten(_ history: UInt64, to k: Int) -> UInt64 {
    history & (1 << UInt64(21 * k) - 1)
  }

  private mutating func count(_ tokens: [Int32], in range: Range<Int>) {
    for position in range {
      let history = history(at: position, of: tokens)
      for k in levels.indices {
        let key = Self.shorten(history, to: k)
        levels[k].histories.increment(key)
        levels[k].grams.increment(key << 21 | UInt64(tokens[position]))
      }
    }
  }

  private func evidence(level k: Int, _ history: UInt64, _ token: Int32) -> Evidence {
    let key = Self.shorten(history, to: k)
    let seen = levels[k].histories[key]
    guard seen > 0 else { return Evidence(frequency: 0, bucket: nil) }
    let count = levels[k].grams[key << 21 | UInt64(token)]
    return Evidence(
      frequency: Double(count) / Double(seen), bucket: Int.bitWidth - 1 - seen.leadingZeroBitCount)
  }

  // MARK: Weights

  private mutating func estimateWeights(_ tokens: [Int32], in range: Range<Int>) {
    let evidence = range.map { position in
      let history = history(at: position, of: tokens)
      return levels.indices.map { self.evidence(level: $0, history, tokens[position]) }
    }
    for _ in 0..<30 { maximise(evidence) }
  }

  /// One step of expectation maximisation: λ becomes the share of the tokens that reach a level
  /// which are, by the present weights, the level's own.
  private mutating func maximise(_ evidence: [[Evidence]]) {
    let buckets = levels.first?.weights.count ?? 0
    var own = levels.map { _ in [Double](repeating: 0, count: buckets) }
    var reaching = own
    for token in evidence {
      var probabilities = [1 / Double(vocabularySize)]
      for (level, here) in zip(levels, token) {
        let weight = here.bucket.map { level.weights[$0] } ?? 0
        probabilities.append(
          weight * here.frequency + (1 - weight) * probabilities[probabilities.count - 1])
      }
      var reach = 1.0
      for k in levels.indices.reversed() {
        guard let bucket = token[k].bucket else { continue }
        let share = levels[k].weights[bucket] * token[k].frequency / probabilities[k + 1]
        own[k][bucket] += reach * share
        reaching[k][bucket] += reach
        reach *= 1 - share
      }
    }
    for k in levels.indices {
      for bucket in 0..<buckets where reaching[k][bucket] > 0 {
        // Below one, so that no token is impossible.
        levels[k].weights[bucket] = min(own[k][bucket] / reaching[k][bucket], 1 - 1e-6)
      }
    }
  }
}
