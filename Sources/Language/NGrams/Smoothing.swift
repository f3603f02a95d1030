/// How an n-gram model shares probability between what was seen and what wasn't.
///
/// Notation: c(h w) is how often w followed the context h, c(h) the sum over w, h′ is h without its
/// first token, V the size of the vocabulary. All but stupid backoff are probabilities, and stop at
/// p(w) interpolated with (add-k: replaced by) the uniform distribution 1/V.
///
/// - SeeAlso: S. Chen, J. Goodman, "An Empirical Study of Smoothing Techniques for Language
///   Modeling", TR-10-98 (1998).
public enum Smoothing: Sendable, Equatable {
  /// Interpolated modified Kneser–Ney, the best of the classical ones.
  ///
  ///     p(w | h) = max(c − D(c), 0) / c(h) + γ(h)·p(w | h′)
  ///     γ(h) = (D₁·n₁(h) + D₂·n₂(h) + D₃·n₃₊(h)) / c(h)
  ///
  /// where nᵢ(h) is how many tokens followed h i times. Below the highest order, c(h w) is not a
  /// count of occurrences but of the different tokens before h w, except where h begins a sentence.
  /// ``KneserNeyDiscounts`` gives D.
  ///
  /// - SeeAlso: Chen and Goodman (1998), section 3; K. Heafield et al., "Scalable Modified
  ///   Kneser-Ney Language Model Estimation", ACL 2013, whose conventions these are.
  case modifiedKneserNey

  /// Witten–Bell, interpolated: a context after which much differed leaves much for the unseen.
  ///
  ///     p(w | h) = (c(h w) + n(h)·p(w | h′)) / (c(h) + n(h))
  ///
  /// where n(h) is how many different tokens followed h.
  ///
  /// - SeeAlso: I. Witten, T. Bell, "The zero-frequency problem", IEEE Transactions on Information
  ///   Theory 37 (1991), method C; Chen and Goodman (1998), section 2.6.
  case wittenBell

  /// Adds k to each count: Laplace's rule for k = 1, Lidstone's otherwise.
  ///
  ///     p(w | h) = (c(h w) + k) / (c(h) + k·V)
  ///
  /// No shorter context is asked: after a context never seen, every token has 1/V. That is why it
  /// is only for teaching.
  ///
  /// - SeeAlso: D. Jurafsky, J. Martin, "Speech and Language Processing", section 3.6.
  case addK(Double)

  /// Relative frequencies, and a constant factor α for each token of context given up.
  ///
  ///     S(w | h) = c(h w) / c(h)  if that isn't 0, otherwise  α·S(w | h′);   S(w) = α / V if c(w) = 0
  ///
  /// S is **no probability**: it doesn't sum to one, so its “perplexity” can't be compared with
  /// others'. A context never seen costs no factor, as ARPA files have it; for one context that is
  /// the same factor for all tokens. Commonly α = 0.4.
  ///
  /// - SeeAlso: T. Brants et al., "Large Language Models in Machine Translation", EMNLP 2007,
  ///   section 4.
  case stupidBackoff(Double)

  /// Whether the scores of all tokens after a context sum to one.
  public var isNormalised: Bool {
    if case .stupidBackoff = self { return false }
    return true
  }
}

extension Smoothing: CustomStringConvertible {
  /// Reads `kneser-ney`, `witten-bell`, `add-k=0.1` or `stupid-backoff=0.4`; `add-k` alone adds 1,
  /// and `stupid-backoff` alone takes 0.4.
  ///
  /// - Throws: ``NGramError/unknownSmoothing(_:)``, also where k isn't positive or α not in (0, 1].
  public init(parsing text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let number = parts.count == 2 ? Double(parts[1]) : nil
    switch (parts[0], number) {
    case ("kneser-ney", nil) where parts.count == 1: self = .modifiedKneserNey
    case ("witten-bell", nil) where parts.count == 1: self = .wittenBell
    case ("add-k", nil) where parts.count == 1: self = .addK(1)
    case ("add-k", let k?) where k > 0 && k.isFinite: self = .addK(k)
    case ("stupid-backoff", nil) where parts.count == 1: self = .stupidBackoff(0.4)
    case ("stupid-backoff", let factor?) where factor > 0 && factor <= 1:
      self = .stupidBackoff(factor)
    default: throw NGramError.unknownSmoothing(text)
    }
  }

  /// As ``init(parsing:)`` reads it.
  public var description: String {
    switch self {
    case .modifiedKneserNey: "kneser-ney"
    case .wittenBell: "witten-bell"
    case .addK(let k): "add-k=\(k)"
    case .stupidBackoff(let factor): "stupid-backoff=\(factor)"
    }
  }
}
