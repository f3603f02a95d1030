import Tensors

/// Draws the next tokens of some texts, each with random numbers of its own.
public struct TokenDraw {
  public let sampling: Sampling
  /// A token that isn't drawn.
  let forbidden: Int32?
  /// One a text.
  var generators: [Philox]
  /// Room for the logits of all texts, `[B, V]`.
  public var logits: [Float] = []

  /// - Parameters:
  ///   - seeds: one a text.
  ///   - forbidden: a token that isn't drawn.
  public init(_ sampling: Sampling, seeds: [UInt64], forbidden: Int32? = nil) {
    self.sampling = sampling
    self.forbidden = forbidden
    generators = seeds.map { Philox(seed: $0) }
  }

  /// Puts a token drawn from `logits` in the place of each of the tokens, and leaves something else
  /// where the logits were.
  public mutating func replace(_ tokens: inout [Int32]) {
    let (count, size) = (generators.count, logits.count / max(generators.count, 1))
    require(
      tokens.count == count && logits.count == count * size && size > 0,
      "\(tokens.count) tokens and \(logits.count) logits for \(count) texts")
    require(
      forbidden.map { 0..<size ~= Int($0) } ?? true,
      "token \(forbidden ?? 0) of a vocabulary of \(size)")
    let (sampling, forbidden) = (sampling, forbidden)
    logits.withUnsafeMutableBufferPointer { logits in
      generators.withUnsafeMutableBufferPointer { generators in
        tokens.withUnsafeMutableBufferPointer { tokens in
          // Texts are drawn for by several threads, each of which changes what is its text's.
          nonisolated(unsafe) let (logits, generators, tokens) = (logits, generators, tokens)
          Compute.forEach(count, cost: 10 * size) { text in
            let row = Sampling.Numbers(rebasing: logits[text * size..<(text + 1) * size])
            if let forbidden { row[Int(forbidden)] = -.infinity }
            tokens[text] = sampling.draw(consuming: row, using: &generators[text])
          }
        }
      }
    }
  }
}
