import Foundation
import Tensors

/// How badly a model predicted some tokens: the sum of their negative log-probabilities.
///
///     total = −Σ ln p(token | context)        in nats, over `tokens` tokens
///
/// Nats, bits and perplexity are views of the one number, so that they never meet by accident.
/// Without any token the averages are NaN.
public struct CrossEntropy: Sendable, Equatable {
  /// Nats over all tokens together.
  public private(set) var totalNats: Double
  /// The number of tokens that were predicted.
  public private(set) var tokens: Int

  /// - Precondition: `tokens` isn't negative.
  public init(totalNats: Double = 0, tokens: Int = 0) {
    require(tokens >= 0, "a cross-entropy over \(tokens) tokens")
    self.totalNats = totalNats
    self.tokens = tokens
  }

  /// Nats per token: total / tokens.
  public var nats: Double { totalNats / Double(tokens) }

  /// Bits per token: nats / ln 2.
  public var bits: Double { nats / M_LN2 }

  /// e^nats: the number of equally likely tokens that would be as hard to guess.
  ///
  /// - SeeAlso: Jelinek, Mercer, Bahl, Baker, "Perplexity: a measure of the difficulty of speech
  ///   recognition tasks", JASA 62 (1977).
  public var perplexity: Double { exp(nats) }

  /// Bits per byte, total / (ln 2 · bytes): comparable between vocabularies.
  ///
  /// - Parameter bytes: the length of the text in UTF-8 that the tokens stand for.
  public func bitsPerByte(bytes: Int) -> Double { totalNats / M_LN2 / Double(bytes) }

  /// Over the tokens of both.
  public static func + (a: CrossEntropy, b: CrossEntropy) -> CrossEntropy {
    CrossEntropy(totalNats: a.totalNats + b.totalNats, tokens: a.tokens + b.tokens)
  }

  public static func += (a: inout CrossEntropy, b: CrossEntropy) { a = a + b }
}
