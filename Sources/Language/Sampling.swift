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

  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
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
    var order = Array(logits.indices)
    var candidates = order.count
    if topK != nil || topP < 1 {
      // Ties in the order of ids, so that the result doesn't depend on the sort.
      order.sort { (logits[$0], $1) > (logits[$1], $0) }
      candidates = min(max(topK ?? candidates, 1), candidates)
    }
    let top = Double(logits[Self.likeliest(logits)])
    var weights = order.prefix(candidates).map { exp((Double(logits[$0]) - top) / temperature) }
    var total = weights.reduce(0, +)
    if topP < 1 {
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

  private static func likeliest(_ logits: [Float]) -> Int {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return best
  }
}
