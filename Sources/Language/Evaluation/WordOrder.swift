import Foundation
import Learning
import Tensors

extension SourceText {
  /// The same words in random order within each line; the white space between them stays.
  ///
  /// - Parameter seed: the same seed gives the same order, also for another text of lines with as
  ///   many words.
  public func shufflingWords(seed: UInt64) -> SourceText {
    var shuffled = Data(capacity: bytes.count)
    var generator = Philox(seed: seed, stream: 32)
    var line = bytes.startIndex
    while line < bytes.endIndex {
      let end = bytes[line...].firstIndex(of: 0x0A) ?? bytes.endIndex
      Self.shuffle(bytes[line..<end], into: &shuffled, using: &generator)
      if end < bytes.endIndex { shuffled.append(0x0A) }
      line = end + (end < bytes.endIndex ? 1 : 0)
    }
    return SourceText(name: name, bytes: shuffled)
  }

  private static func shuffle(
    _ line: Data, into shuffled: inout Data, using generator: inout Philox
  ) {
    var words: [Range<Int>] = []
    var begin: Int?
    for place in line.indices {
      let isSpace = line[place] == 0x20 || (0x09...0x0D).contains(line[place])
      if let start = begin, isSpace { words.append(start..<place) }
      begin = isSpace ? nil : begin ?? place
    }
    if let begin { words.append(begin..<line.endIndex) }
    var rest = line.startIndex
    for (place, word) in zip(words, words.shuffled(using: &generator)) {
      shuffled.append(line[rest..<place.lowerBound])
      shuffled.append(line[word])
      rest = place.upperBound
    }
    shuffled.append(line[rest...])
  }
}

/// What order is worth: a text with its words as they are, and in random order within each line.
public struct WordOrder: Sendable {
  public let ordered, shuffled: CrossEntropy

  /// How many times harder the shuffled text is to guess: the quotient of the perplexities.
  public var ratio: Double { shuffled.perplexity / ordered.perplexity }

  /// The unigram whose probabilities are the shares of the tokens in the text itself: no unigram can
  /// do better, and to all of them order is nothing.
  ///
  ///     p(w) = c(w) / N
  public init(unigramOf ordered: TokenSequence, shuffled: TokenSequence, vocabularySize: Int) {
    var counts = [Int](repeating: 0, count: vocabularySize)
    for token in ordered { counts[Int(token)] += 1 }
    func crossEntropy(_ tokens: TokenSequence) -> CrossEntropy {
      let nats = tokens.reduce(0.0) {
        $0 - log(Double(counts[Int($1)]) / Double(ordered.count))
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
