import Foundation
import Tensors

/// How the next token is drawn from its probabilities.
///
///     p_i ∝ exp(logit_i / temperature), for the tokens that top-k and top-p leave
///
/// The token drawn is that with the largest logit_i + temperature·g_i, where g_i = −ln(−ln u_i) is
/// Gumbel noise: it comes with probability p_i, and there is no softmax to be computed. At temperatures
/// so low that noise is lost in the rounding of the logits, the first of equals is drawn.
public struct Sampling: Sendable, Equatable {
  package typealias Numbers = UnsafeMutableBufferPointer<Float>

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
    var copy = logits
    return copy.withUnsafeMutableBufferPointer { draw(consuming: $0, using: &generator) }
  }

  /// Draws a token and leaves something else where the logits were.
  package func draw(
    consuming logits: Numbers, using generator: inout Philox
  ) -> Int32 {
    guard let base = logits.baseAddress else { fatalError("no token to draw") }
    guard noiseFactor > 0 else { return Int32(Compute.kernels.largest(logits.count, base)) }
    return withPooled(Float.self, count: logits.count) { noise in
      generator.fillWithGumbelNoise(noise)
      guard isUnfiltered else { return Self.draw(from: kept(logits), logits, noise, noiseFactor) }
      if let noise = noise.baseAddress {
        Compute.kernels.scale_add(logits.count, noiseFactor, noise, base)
      }
      return Int32(Compute.kernels.largest(logits.count, base))
    }
  }

  /// Whether all tokens may be drawn.
  var isUnfiltered: Bool { topK == nil && topP == 1 }

  /// By what noise is multiplied: the temperature, or 0 where a quotient by it could be beyond what a
  /// Float can hold.
  var noiseFactor: Float { temperature < 1e-30 ? 0 : Float(min(temperature, 1e30)) }

  /// The largest of logits with noise, among some tokens.
  private static func draw(
    from tokens: [Int], _ logits: Numbers, _ noise: Numbers, _ factor: Float
  ) -> Int32 {
    var (drawn, most) = (tokens[0], -Float.infinity)
    for token in tokens {
      let key = logits[token] + factor * noise[token]
      if key > most { (drawn, most) = (token, key) }
    }
    return Int32(drawn)
  }

  /// The tokens that top-k and top-p leave.
  private func kept(_ logits: Numbers) -> [Int] {
    let likeliest = topK.map { Self.likeliest($0, of: logits) } ?? Array(logits.indices)
    guard topP < 1 else { return likeliest }
    return withPooled(Float.self, count: logits.count) { probabilities in
      guard let from = logits.baseAddress, let to = probabilities.baseAddress else { return [] }
      Compute.kernels.affine(logits.count, 1 / noiseFactor, 0, from, to)
      _ = Compute.kernels.softmax(logits.count, to)
      return nucleus(likeliest, probabilities)
    }
  }

  /// Of the tokens, those that top-p leaves, the likeliest first.
  private func nucleus(_ tokens: [Int], _ probabilities: Numbers) -> [Int] {
    let total = tokens.reduce(0) { $0 + Double(probabilities[$1]) }
    // Tokens below this weight make less than 1 − p all together, so the set needs none of them.
    let least = (1 - topP) * total / Double(tokens.count)
    var order = tokens.filter { Double(probabilities[$0]) >= least }
    // None, if probabilities are no numbers.
    guard !order.isEmpty else { return tokens }
    order.sort { Self.precedes($0, $1, in: probabilities) }
    var reached = 0.0
    let end = order.firstIndex { token in
      reached += Double(probabilities[token])
      return reached >= topP * total
    }
    return Array(order.prefix(through: end ?? order.count - 1))
  }

  /// The likelier token first; ties in the order of ids, so that the result doesn't depend on the
  /// sort.
  private static func precedes(_ a: Int, _ b: Int, in logits: Numbers) -> Bool {
    logits[a] != logits[b] ? logits[a] > logits[b] : a < b
  }

  /// The `count` likeliest tokens, the likeliest first.
  private static func likeliest(_ count: Int, of logits: Numbers) -> [Int] {
    var best: [Int] = []
    for token in logits.indices {
      if best.count == count, !precedes(token, best[count - 1], in: logits) { continue }
      let place = best.firstIndex { precedes(token, $0, in: logits) } ?? best.count
      best.insert(token, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
