import Foundation
import Tensors

/// How the next token is drawn from its probabilities.
///
///     p_i ∝ exp(logit_i / temperature), for the tokens that top-k and top-p leave
public struct Sampling: Sendable, Equatable {
  /// Below 1 sharper, above 1 flatter; 0 always takes the likeliest.
  public var temperature: Double
  /// Only the k likeliest tokens; nil for all.
  public var topK: Int?
  /// Only the likeliest tokens whose probabilities together reach p, in (0, 1]; 1 for all.
  ///
  /// - SeeAlso: Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020.
  public var topP: Double

  /// - Precondition: temperature ≥ 0, topK > 0, topP in (0, 1].
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    require(temperature >= 0, "a temperature of \(temperature)")
    require(topK ?? 1 > 0, "the \(topK ?? 1) likeliest tokens")
    require(topP > 0 && topP <= 1, "the likeliest tokens up to a probability of \(topP)")
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }

  /// Draws a token.
  ///
  /// - Parameter logits: unnormalised log-probabilities, at least one.
  public func draw(from logits: [Float], using generator: inout Philox) -> Int32 {
    require(!logits.isEmpty, "no token to draw")
    if temperature == 0 { return Int32(Self.likeliest(logits)) }
    let top = Double(logits[Self.likeliest(logits)])
    let weight = { (token: Int) in exp((Double(logits[token]) - top) / temperature) }
    var order = topK.map { Self.likeliest($0, of: logits) } ?? Array(logits.indices)
    var weights = order.map(weight)
    var total = weights.reduce(0, +)
    if topP < 1 {
      // Tokens below this weight make less than 1 − p all together, so the set needs none of them.
      let least = (1 - topP) * total / Double(order.count)
      order = zip(order, weights).filter { $1 >= least }.map(\.0)
      order.sort { Self.precedes($0, $1, in: logits) }
      weights = order.map(weight)
      let limit = topP * total
      var reached = 0.0
      var kept = 0
      while kept < weights.count, reached < limit {
        reached += weights[kept]
        kept += 1
      }
      weights.removeLast(weights.count - max(kept, 1))
      total = weights.reduce(0, +)
    }
    var rest = generator.uniformDouble() * total
    var drawn = 0
    for (index, weight) in weights.enumerated() where weight > 0 {
      drawn = index  // The last possible one, if rounding leaves a rest.
      rest -= weight
      if rest < 0 { break }
    }
    return Int32(order[drawn])
  }

  /// The likelier token first; ties in the order of ids, so that the result doesn't depend on the
  /// sort.
  private static func precedes(_ a: Int, _ b: Int, in logits: [Float]) -> Bool {
    logits[a] != logits[b] ? logits[a] > logits[b] : a < b
  }

  /// The `count` likeliest tokens, the likeliest first.
  private static func likeliest(_ count: Int, of logits: [Float]) -> [Int] {
    var best: [Int] = []
    for token in logits.indices {
      if best.count == count, !precedes(token, best[count - 1], in: logits) { continue }
      let place = best.firstIndex { precedes(token, $0, in: logits) } ?? best.count
      best.insert(token, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }

  private static func likeliest(_ logits: [Float]) -> Int {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return best
  }
}
