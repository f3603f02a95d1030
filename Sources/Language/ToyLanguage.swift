/// English-like sentences about hunters and foxes, from a grammar whose entropy is known exactly.
///
/// What a model must learn, beside neighbouring words: a verb agrees in number with its subject,
/// and suits it, however long a relative clause stands between them ("the foxes that the hunter
/// sees run"); objects suit subject and verb ("the hunter shot the fox", rarely the reverse).
/// The grammar is unambiguous and its recursion dies out quickly.
///
///     sentence  → noun phrase, predicate
///     phrase    → determiner, adjective?, noun, ("that" predicate | "that" phrase verb)?
///     predicate → verb | verb, phrase
public struct ToyLanguage: Sendable {
  package let grammar: ProbabilisticGrammar
  package let sentence: Int
  /// H in nats of a sentence, its end included: the cross-entropy of the best possible model.
  public let entropyPerSentence: Double
  /// Mean number of words in a sentence, and one for its end.
  public let meanTokensPerSentence: Double

  public init() {
    grammar = Self.makeGrammar()
    sentence = grammar.phrase(named: "<sentence>")
    let expectations = grammar.expectations(of: sentence)
    entropyPerSentence = expectations.entropy
    meanTokensPerSentence = expectations.words + 1
  }

  /// Nats per token, `</s>` counted as one: its exponential is the lowest possible perplexity.
  public var entropyPerToken: Double { entropyPerSentence / meanTokensPerSentence }

  /// Every word of the language, without `</s>`.
  public var words: [String] { grammar.words }

  /// Draws a sentence.
  public func sentence(using generator: inout some RandomNumberGenerator) -> [String] {
    grammar.sample(sentence, using: &generator).words
  }

  /// Draws sentences, one a line, until they have `tokens` tokens or a few more, `</s>` counted.
  public func text(tokens: Int, using generator: inout some RandomNumberGenerator) -> String {
    var text = ""
    var count = 0
    while count < tokens {
      let words = sentence(using: &generator)
      text += words.joined(separator: " ") + "\n"
      count += words.count + 1
    }
    return text
  }

  /// ln p of a sentence in nats, its end included; nil if it isn't one.
  public func logProbability(of words: [some StringProtocol]) -> Double? {
    grammar.logProbability(of: words, from: sentence)
  }
}
