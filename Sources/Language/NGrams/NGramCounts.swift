import Tensors

/// All n-grams of a text up to an order, and how often they occur.
///
/// An n-gram is the (n − 1)-gram before its last token, its context, and that token. As contexts
/// are numbered, an n-gram of any order is a pair of integers; sorted by it, n-grams stand by
/// context, and those that begin with the sentence's beginning stand last.
///
///     the sentence "a b" is counted as:  <s>;  a, b, </s>;  <s> a, a b, b </s>;  <s> a b, a b </s>
struct NGramCounts {
  /// The n-grams of one order, ascending by context and then by token. All numbers of n-grams
  /// count from 0 within their order.
  struct Level {
    /// The context, an n-gram one order below; 0 at order 1.
    var contexts: [Int32]
    var words: [Int32]
    /// How often each occurs.
    var counts: [UInt32]
    /// The n-gram without its first token, one order below; 0 at order 1.
    var suffixes: [Int32]
    /// Where those begin that start a sentence.
    var beginnings: Int

    var count: Int { words.count }
  }

  /// V, which is also the number of `<s>` among the tokens.
  let vocabularySize: Int
  /// By order, from 1; those that are empty are left out.
  private(set) var levels: [Level]

  /// - Parameters:
  ///   - sentenceEnd: the token that ends a sentence; nil where the text is one long one without
  ///     an end.
  ///   - progress: gets each order before it is counted.
  /// - Complexity: O(tokens · order) time, O(tokens + n-grams) memory.
  init(
    _ tokens: [Int32], vocabularySize: Int, sentenceEnd: Int32?, order: Int,
    progress: (Int) -> Void = { _ in }
  ) {
    self.vocabularySize = vocabularySize
    progress(1)
    let text = Self.withBeginnings(tokens, begin: Int32(vocabularySize), end: sentenceEnd)
    let words = Array(0...Int32(vocabularySize))
    let zeros = [Int32](repeating: 0, count: words.count)
    var counts = [UInt32](repeating: 0, count: words.count)
    for word in text { counts[Int(word)] += 1 }
    levels = [
      Level(
        contexts: zeros, words: words, counts: counts, suffixes: zeros,
        beginnings: vocabularySize)
    ]
    // The n-gram that ends at each position, −1 if it would begin before the sentence.
    var ending = text
    while levels.count < order {
      progress(levels.count + 1)
      let level = Self.extend(levels[levels.count - 1], text, &ending, vocabularySize)
      if level.count == 0 { return }
      levels.append(level)
    }
  }

  private static func withBeginnings(_ tokens: [Int32], begin: Int32, end: Int32?) -> [Int32] {
    var text: [Int32] = []
    text.reserveCapacity(tokens.count + tokens.count / 8)
    var begins = true
    for token in tokens {
      require((0..<begin).contains(token), "token \(token) isn't below V = \(begin)")
      if begins { text.append(begin) }
      text.append(token)
      begins = token == end
    }
    return text
  }

  /// The n-grams one order above, and which of them ends where.
  private static func extend(
    _ lower: Level, _ text: [Int32], _ ending: inout [Int32], _ vocabularySize: Int
  ) -> Level {
    let wordBits = bitsNeeded(below: vocabularySize)
    var keys: [UInt64] = []
    var positions: [UInt32] = []
    keys.reserveCapacity(text.count)
    positions.reserveCapacity(text.count)
    for position in text.indices.dropFirst() {
      let (context, word) = (ending[position - 1], text[position])
      guard context >= 0, word != vocabularySize else { continue }
      keys.append(UInt64(context) << UInt64(wordBits) | UInt64(word))
      positions.append(UInt32(position))
    }
    radixSort(&keys, carrying: &positions, bits: wordBits + bitsNeeded(below: lower.count))

    var level = Level(contexts: [], words: [], counts: [], suffixes: [], beginnings: 0)
    var next = [Int32](repeating: -1, count: text.count)
    var previous = UInt64.max
    for (key, position) in zip(keys, positions) {
      if key != previous {
        previous = key
        level.contexts.append(Int32(key >> UInt64(wordBits)))
        level.words.append(text[Int(position)])
        level.suffixes.append(ending[Int(position)])
        level.counts.append(0)
      }
      level.counts[level.count - 1] += 1
      next[Int(position)] = Int32(level.count - 1)
    }
    level.beginnings = level.contexts.firstIndex { $0 >= lower.beginnings } ?? level.count
    ending = next
    return level
  }

  /// How often the n-grams of an order occur. `<s>` counts 0: it is never predicted.
  ///
  /// - Parameter adjusted: as modified Kneser–Ney counts: below the highest order, and unless a
  ///   sentence begins with it, how many different tokens stand before an n-gram.
  /// - SeeAlso: Heafield et al., ACL 2013, section 3.2, "adjusted counts".
  func counts(order: Int, adjusted: Bool) -> [UInt32] {
    let level = levels[order - 1]
    var counts = level.counts
    if adjusted, order < levels.count {
      for index in 0..<level.beginnings { counts[index] = 0 }
      for suffix in levels[order].suffixes { counts[Int(suffix)] += 1 }
    }
    if order == 1 { counts[vocabularySize] = 0 }
    return counts
  }
}
