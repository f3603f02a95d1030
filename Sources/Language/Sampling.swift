import Foundation
import Tensors

/// How the next token is drawn from its probabilities.
///
///     p_i ∝ exp(logit_i / temperature), for the tokens that top-k and top-p leave
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

  /// Draws a token and leaves probabilities, or something else, where the logits were.
  package func draw(
    consuming logits: Numbers, using generator: inout Philox
  ) -> Int32 {
    guard let base = logits.baseAddress else { fatalError("no token to draw") }
    // Below this, a quotient could be beyond what a Float can hold.
    if temperature < 1e-30 { return Int32(Self.likeliest(logits)) }
    let likeliest = topK.map { Self.likeliest($0, of: logits) }
    if temperature != 1 {
      Compute.kernels.affine(logits.count, Float(1 / temperature), 0, base, base)
    }
    _ = Compute.kernels.softmax(logits.count, base)
    if likeliest == nil, topP == 1 { return Self.draw(from: logits, base, using: &generator) }
    let order = nucleus(likeliest ?? Array(logits.indices), logits)
    let total = order.reduce(0) { $0 + Double(logits[$1]) }
    return Self.pick(from: order, logits, generator.uniformDouble() * total)
  }

  /// Draws from all tokens, passing over many at a time.
  private static func draw(
    from probabilities: Numbers, _ base: UnsafeMutablePointer<Float>,
    using generator: inout Philox
  ) -> Int32 {
    let chunk = 256
    func sum(_ start: Int) -> Double {
      Compute.kernels.sum(min(chunk, probabilities.count - start), base + start)
    }
    let starts = stride(from: 0, to: probabilities.count, by: chunk)
    var rest = generator.uniformDouble() * starts.reduce(0) { $0 + sum($1) }
    // The chunk that holds the token, or the last possible one, if rounding leaves a rest.
    var (chosen, inside) = (0, 0.0)
    for start in starts {
      let total = sum(start)
      guard total > 0 else { continue }
      (chosen, inside) = (start, rest)
      if rest < total { break }
      rest -= total
    }
    let end = min(chosen + chunk, probabilities.count)
    return pick(from: chosen..<end, probabilities, inside)
  }

  /// The token at which the sum of probabilities exceeds `rest`, or the last possible one.
  private static func pick(
    from tokens: some Sequence<Int>, _ probabilities: Numbers,
    _ rest: Double
  ) -> Int32 {
    var (rest, drawn) = (rest, 0)
    for token in tokens where probabilities[token] > 0 {
      drawn = token
      rest -= Double(probabilities[token])
      if rest < 0 { break }
    }
    return Int32(drawn)
  }

  /// Of the tokens, those that top-p leaves, the likeliest first; all if it leaves all.
  private func nucleus(_ tokens: [Int], _ probabilities: Numbers) -> [Int] {
    guard topP < 1 else { return tokens }
    let total = tokens.reduce(0) { $0 + Double(probabilities[$1]) }
    // Tokens below this weight make less than 1 − p all together, so the set needs none of them.
    let least = (1 - topP) * total / Double(tokens.count)
    var order = tokens.filter { Double(probabilities[$0]) >= least }
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

  private static func likeliest(_ logits: Numbers) -> Int {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return best
  }
}
