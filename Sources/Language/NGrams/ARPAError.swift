/// Why a file isn't an n-gram model, and in which line that shows.
public struct ARPAError: Error, Equatable, Sendable {
  public let file: String
  /// From 1.
  public let line: Int
  public let problem: Problem

  /// The rule that is broken. Orders count from 1.
  public enum Problem: Error, Equatable {
    case noData(found: String)
    case malformedCount(String)
    case orderGap(expected: Int, found: Int)
    case highOrder(Int)
    case noCounts
    case tooLarge(declared: Int)
    case missingSection(order: Int, found: String)
    case tooFew(order: Int, declared: Int, found: Int)
    case tooMany(order: Int, declared: Int)
    case fieldCount(order: Int, found: Int)
    case notANumber(String)
    case positiveLogProbability(String)
    case hugeLogProbability(String)
    case invalidBackoff(String)
    case largeBackoff(String)
    case backoffAtHighestOrder(String)
    case unknownWord(String)
    case unknownContext(String)
    case duplicate(String)
    case longWord
    case whiteSpace(String)
    case zeroByte(String)
    case noToken(String, TokenUnit)
    case unknownUnit(String)
    case unknownSplitting(String)
    case noTokenizer
    case unusableTokenizer(String)
    case noSentenceMark(String)
    case tooFewTokens
    case missingEnd(found: String)
    case truncated
    case trailing(String)
  }
}

extension ARPAError: CustomStringConvertible {
  public var description: String { "\(file), line \(line): \(problem)." }
}

extension ARPAError.Problem: CustomStringConvertible {
  /// A sentence without its full stop.
  public var description: String {
    switch self {
    case .noData(let found):
      "an ARPA file begins with \\data\\ after blank lines and comments (#), but this is “\(found)”"
    case .malformedCount(let found):
      "a line such as “ngram 2=47” is expected, but this is “\(found)”"
    case .orderGap(let expected, let found):
      "the number of \(expected)-grams is expected, but this is the number of \(found)-grams"
    case .highOrder(let order):
      "the order \(order) is above \(NGramModel.largestOrder), the highest that a model may have"
    case .noCounts: "\\data\\ declares no n-grams; at least “ngram 1=…” is needed"
    case .tooLarge(let declared):
      "\(declared) n-grams are declared, more than the file can hold"
    case .missingSection(let order, let found):
      "the section \\\(order)-grams: is expected, but this is “\(found)”"
    case .tooFew(let order, let declared, let found):
      "the section ends after \(found) \(order)-grams, but \\data\\ declares \(declared)"
    case .tooMany(let order, let declared):
      "the section should have ended: \\data\\ declares \(declared) \(order)-grams"
    case .fieldCount(let order, let found):
      "a log-probability, \(order) \(order == 1 ? "word" : "words") and perhaps a backoff are "
        + "expected, but the line has \(found) \(found == 1 ? "field" : "fields")"
    case .notANumber(let text): "“\(text)” is no number"
    case .positiveLogProbability(let text):
      "the logarithm of a probability can't be above 0, but this is \(text)"
    case .hugeLogProbability(let text):
      "a log-probability must be a number of single precision or -inf, but this is \(text)"
    case .invalidBackoff(let text):
      "a backoff must be a finite number of single precision, but this is \(text)"
    case .largeBackoff(let text):
      "the logarithm of a backoff can't be above \(Int(NGramTree.largestBackoff)), but this is "
        + text
    case .backoffAtHighestOrder(let text):
      "n-grams of the highest order have no backoff, but this one has \(text)"
    case .unknownWord(let word): "the word “\(word)” isn't among the 1-grams"
    case .unknownContext(let context):
      "its context “\(context)” isn't among the n-grams one order below"
    case .duplicate(let ngram): "“\(ngram)” stands twice"
    case .longWord: "a word is longer than a megabyte, so this can't be a model of words"
    case .whiteSpace(let word): "the word “\(word)” holds white space, so no text can have it"
    case .zeroByte(let word): "the word “\(word)” holds a zero byte, which no word may"
    case .noToken(let word, let unit): "“\(word)” doesn't spell one of the \(unit)"
    case .unknownUnit(let unit):
      "the tokens are said to be “\(unit)”, which is none of "
        + TokenUnit.allCases.map(\.rawValue).joined(separator: ", ")
    case .unknownSplitting(let name):
      "words are said to be split by “\(name)”, which is none of "
        + WordSplitting.allCases.map(\.rawValue).joined(separator: ", ")
    case .noTokenizer:
      "tokens are said to be bpe, but no comment “\(ARPASpelling.tokenizerComment)…” before says which"
    case .unusableTokenizer(let reason): "its tokenizer can't be used: \(reason)"
    case .noSentenceMark(let word):
      "the 1-grams lack \(word), so that sentences can't be scored"
    case .tooFewTokens: "the 1-grams hold fewer than two tokens to predict"
    case .missingEnd(let found): "\\end\\ is expected, but this is “\(found)”"
    case .truncated: "the file ends before \\end\\, so a part of it is missing"
    case .trailing(let text): "nothing may follow \\end\\, but this is “\(text)”"
    }
  }
}
