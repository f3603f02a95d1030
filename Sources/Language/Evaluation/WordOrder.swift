import Foundation
import Learning
import Tensors

extension TokenSequence {
  /// The same tokens, the words of each line in random order.
  ///
  /// Words and lines are those of the text that the tokens stand for: what is between white space
  /// (of ASCII), and what is between line feeds. A word's tokens stay together; tokens of white space
  /// only stay in their places, and so do those that hold a line feed. So no token is gained or lost,
  /// and the same white space follows the same number of words.
  ///
  /// Among byte pairs the space before a word belongs to its first token. Such words change places
  /// only with each other, and so do words without: the first of a line, which mostly is the only
  /// one, then stays where it is. Otherwise words would run into each other, or need other tokens than theirs.
  ///
  /// - Parameters:
  ///   - vocabulary: the tokens'.
  ///   - seed: the same seed gives the same order, also among the bytes, characters or words of
  ///     another text of lines with as many words.
  /// - Throws: `FileError`, if many tokens can't be kept.
  /// - Precondition: tokens are below the vocabulary's count.
  /// - Complexity: O(tokens); a line is in memory at a time.
  public func shufflingWords(of vocabulary: Vocabulary, seed: UInt64) throws -> TokenSequence {
    var writer = TokenWriter(vocabularySize: vocabulary.count)
    var generator = Philox(seed: seed, stream: 32)
    var line = LineOfWords(vocabulary)
    var shuffled: [Int32] = []
    for token in self {
      guard line.append(token) else { continue }
      line.finish(into: &shuffled, using: &generator)
      // Where tokens go to a file, a line would be little to write.
      if shuffled.count > 1 << 16 { try writer.take(&shuffled) }
    }
    line.finish(into: &shuffled, using: &generator)
    try writer.take(&shuffled)
    return try writer.finish()
  }
}

/// The tokens of one line after the other, and which of them are its words.
private struct LineOfWords {
  /// What a token is in the text that it stands for.
  private struct Shape {
    let endsLine, isFixed, beginsWithSpace, endsWithSpace: Bool

    init(_ spelling: [UInt8]) {
      endsLine = spelling.contains(0x0A)
      isFixed = endsLine || spelling.allSatisfy { WordScanner.isWhiteSpace($0) }
      beginsWithSpace = spelling.first.map { WordScanner.isWhiteSpace($0) } ?? false
      endsWithSpace = spelling.last.map { WordScanner.isWhiteSpace($0) } ?? false
    }
  }

  private struct Word {
    var tokens: Range<Int>
    /// Whether the space before it moves with it.
    let holdsSpace: Bool
  }

  private let vocabulary: Vocabulary
  /// By token.
  private let shapes: [Shape]
  private var tokens: [Int32] = []
  private var words: [Word] = []
  /// Whether the next token may belong to the last word.
  private var isInWord = false

  init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    let lineEnd = vocabulary.unit == .words ? Int(Vocabulary.lineEndWord) : nil
    shapes = vocabulary.spellings.enumerated().map { Shape($0 == lineEnd ? [0x0A] : $1) }
  }

  /// - Returns: whether the line ends with this token.
  mutating func append(_ token: Int32) -> Bool {
    let shape = shapes[Int(token)]
    let place = tokens.count
    if !shape.isFixed {
      if isInWord, !shape.beginsWithSpace, !isSpaceBefore(token) {
        words[words.count - 1].tokens = words[words.count - 1].tokens.lowerBound..<place + 1
      } else {
        words.append(Word(tokens: place..<place + 1, holdsSpace: shape.beginsWithSpace))
      }
    }
    isInWord = !shape.isFixed && !shape.endsWithSpace
    tokens.append(token)
    return shape.endsLine
  }

  /// Whether a space stands between the last token and this one, which neither of them holds.
  private func isSpaceBefore(_ token: Int32) -> Bool {
    guard vocabulary.unit == .words, let last = tokens.last else { return false }
    return vocabulary.splitting.isSpace(
      between: vocabulary.spellings[Int(last)], and: vocabulary.spellings[Int(token)])
  }

  /// Appends the line with its words in random order, and begins the next.
  mutating func finish(into shuffled: inout [Int32], using generator: inout Philox) {
    var order = Array(words.indices)
    for holdsSpace in [false, true] {
      let places = words.indices.filter { words[$0].holdsSpace == holdsSpace }
      for (place, word) in zip(places, places.shuffled(using: &generator)) { order[place] = word }
    }
    var rest = 0
    for (place, word) in zip(words, order) {
      shuffled += tokens[rest..<place.tokens.lowerBound]
      shuffled += tokens[words[word].tokens]
      rest = place.tokens.upperBound
    }
    shuffled += tokens[rest...]
    tokens.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
    isInWord = false
  }
}

/// What order is worth: a text with its words as they are, and in random order within each line.
public struct WordOrder: Sendable {
  public let ordered, shuffled: CrossEntropy

  /// How many times harder the shuffled text is to guess: the quotient of the perplexities.
  public var ratio: Double { shuffled.perplexity / ordered.perplexity }

  /// The unigram whose probabilities are the shares of the tokens in the text itself: no unigram can
  /// do better, and to all of them order is nothing, so that the ratio is 1.
  ///
  ///     p(w) = c(w) / N
  ///
  /// - Parameter shuffled: the same tokens in another order.
  public init(unigramOf ordered: TokenSequence, shuffled: TokenSequence, vocabularySize: Int) {
    func counts(_ tokens: TokenSequence) -> [Int] {
      var counts = [Int](repeating: 0, count: vocabularySize)
      for token in tokens { counts[Int(token)] += 1 }
      return counts
    }
    let shares = counts(ordered)
    // Token by token of the vocabulary, so that no order makes a difference by rounding either.
    func crossEntropy(_ tokens: TokenSequence) -> CrossEntropy {
      var nats = 0.0
      for (count, share) in zip(counts(tokens), shares) where count > 0 {
        nats -= Double(count) * log(Double(share) / Double(ordered.count))
      }
      return CrossEntropy(totalNats: nats, tokens: tokens.count)
    }
    self.ordered = crossEntropy(ordered)
    self.shuffled = crossEntropy(shuffled)
  }

  /// What order is worth to a model.
  ///
  /// - Throws: ``PredictionError``.
  public init(_ model: AnyModel, ordered: TokenSequence, shuffled: TokenSequence) throws {
    self.ordered = try Evaluation().crossEntropy(of: ordered, by: model)
    self.shuffled = try Evaluation().crossEntropy(of: shuffled, by: model)
  }
}
