import Interchange
import Tensors

/// All n-grams of a text up to an order, and how often they occur.
///
/// An n-gram is the (n − 1)-gram before its last token, its context, and that token. As contexts
/// are numbered, an n-gram of any order is a pair of integers; sorted by it, n-grams stand by
/// context, and those that begin with the sentence's beginning stand last.
///
///     the sentence "a b" is counted as:  <s>;  a, b, </s>;  <s> a, a b, b </s>;  <s> a b, a b </s>
///
/// Nothing here needs the text, or the n-grams, in memory: what is looked up elsewhere goes
/// through sorting or through an ``Exchange``.
struct NGramCounts {
  /// An n-gram. All numbers of n-grams count from 0 within their order.
  struct NGram: BitwiseCopyable {
    /// An n-gram one order below; 0 at order 1.
    let context: UInt32
    let word: Int32
    /// How often it occurs.
    var count: UInt32
  }

  /// The n-grams of one order, ascending by context and then by token.
  struct Level {
    let ngrams: Spool<NGram>
    /// By the n-gram without its first token, one order below: the n-grams.
    let extensions: Exchange<UInt32>
    /// Where those begin that start a sentence.
    let beginnings: Int
    var count: Int { ngrams.count }
  }

  /// An n-gram of the text that ends at a position.
  private struct Occurrence: Keyed {
    /// Context and token.
    let key: UInt64
    let position: UInt32
    /// The n-gram without its first token.
    let suffix: UInt32
  }

  /// V, which is also the number of `<s>` among the tokens.
  let vocabularySize: Int
  /// By order, from 1; those that are empty are left out.
  private(set) var levels: [Level] = []
  private let scratch: Scratch

  /// Stands for an n-gram that would begin before its sentence.
  private static let none = UInt32.max

  /// - Parameters:
  ///   - count: how many of the tokens are to be counted.
  ///   - sentenceEnd: the token that ends a sentence; nil where the text is one long one without
  ///     an end.
  ///   - progress: gets each order before it is counted, and then the fraction that is done.
  /// - Throws: ``NGramError/tooMuchText``, `FileError`, and what `progress` throws.
  /// - Complexity: O(tokens · order) time, and as much scratch memory.
  init(
    _ tokens: Spool<Int32>, first count: Int, vocabularySize: Int, sentenceEnd: Int32?,
    order: Int, scratch: Scratch, progress: (Int, Double) throws -> Void
  ) throws {
    self.vocabularySize = vocabularySize
    self.scratch = scratch
    try progress(1, 0)
    let text = try countWords(tokens, first: count, sentenceEnd)
    // The n-gram that ends at each position.
    var ending = text
    while levels.count < order {
      let next = levels.count + 1
      let isLast = next == order
      let (level, following) = try extend(
        levels[levels.count - 1], text, ending, keepingEnds: !isLast
      ) { try progress(next, $0) }
      if level.count == 0 { return }
      levels.append(level)
      ending = following
    }
  }

  /// Counts order 1; returns the text with `<s>` where sentences begin.
  private mutating func countWords(
    _ tokens: Spool<Int32>, first count: Int, _ sentenceEnd: Int32?
  ) throws -> Spool<UInt32> {
    let begin = Int32(vocabularySize)
    let text = Spool<UInt32>(scratch)
    var counts = [UInt32](repeating: 0, count: vocabularySize + 1)
    func note(_ token: Int32) throws {
      counts[Int(token)] += 1
      try text.append(UInt32(token))
    }
    var begins = true
    let reader = tokens.reader()
    for _ in 0..<count {
      guard let token = try reader.next() else { break }
      require((0..<begin).contains(token), "token \(token) isn't below V = \(begin)")
      if begins { try note(begin) }
      try note(token)
      begins = token == sentenceEnd
    }
    guard text.count < Self.none else { throw NGramError.tooMuchText }
    let words = Spool<NGram>(scratch)
    for (word, count) in counts.enumerated() {
      try words.append(NGram(context: 0, word: Int32(word), count: count))
    }
    let extensions = Exchange<UInt32>(count: 1, scratch)
    for word in 0...UInt32(begin) { try extensions.append(0, word) }
    levels = [Level(ngrams: words, extensions: extensions, beginnings: vocabularySize)]
    return text
  }

  /// The n-grams one order above, and which of them ends where.
  private func extend(
    _ lower: Level, _ text: Spool<UInt32>, _ ending: Spool<UInt32>, keepingEnds: Bool,
    progress: (Double) throws -> Void
  ) throws -> (Level, Spool<UInt32>) {
    let wordBits = UInt64(bitsNeeded(below: vocabularySize))
    let occurrences = RecordSorter<Occurrence>(
      bits: Int(wordBits) + bitsNeeded(below: lower.count), atMost: text.count, scratch)
    let (words, ends) = (text.reader(), ending.reader())
    var (context, position) = (Self.none, UInt32(0))
    while let word = try words.next(), let end = try ends.next() {
      if context != Self.none, word != UInt32(vocabularySize) {
        try occurrences.append(
          Occurrence(
            key: UInt64(context) << wordBits | UInt64(word), position: position, suffix: end))
      }
      if position & 0xFFFFF == 0 { try progress(0.4 * Double(position) / Double(text.count)) }
      context = end
      position += 1
    }
    return try number(occurrences, wordBits, lower, text.count, keepingEnds, progress)
  }

  /// Numbers n-grams in the order of their keys.
  private func number(
    _ occurrences: RecordSorter<Occurrence>, _ wordBits: UInt64, _ lower: Level, _ length: Int,
    _ keepingEnds: Bool, _ progress: (Double) throws -> Void
  ) throws -> (Level, Spool<UInt32>) {
    let ngrams = Spool<NGram>(scratch)
    let extensions = Exchange<UInt32>(count: lower.count, scratch)
    let ends = Exchange<UInt32>(count: keepingEnds ? length : 0, scratch)
    var (previous, number, beginnings, done) = (UInt64.max, UInt32(0), UInt32.max, 0)
    var ngram = NGram(context: 0, word: 0, count: 0)
    try occurrences.visit { occurrence in
      if occurrence.key != previous {
        if ngram.count > 0 {
          try ngrams.append(ngram)
          number += 1
        }
        previous = occurrence.key
        let context = UInt32(truncatingIfNeeded: previous >> wordBits)
        ngram = NGram(
          context: context, word: Int32(truncatingIfNeeded: previous & (1 << wordBits - 1)),
          count: 0)
        if context >= lower.beginnings { beginnings = min(beginnings, number) }
        try extensions.append(occurrence.suffix, number)
      }
      ngram.count += 1
      if keepingEnds { try ends.append(occurrence.position, number) }
      done += 1
      if done & 0xFFFFF == 0 { try progress(0.4 + 0.4 * Double(done) / Double(length)) }
    }
    if ngram.count > 0 { try ngrams.append(ngram) }
    let ending = Spool<UInt32>(scratch)
    try ends.drain(missing: Self.none) { try ending.append($0) }
    let level = Level(
      ngrams: ngrams, extensions: extensions, beginnings: min(Int(beginnings), ngrams.count))
    return (level, ending)
  }

  /// How often the n-grams of an order occur. `<s>` counts 0: it is never predicted.
  ///
  /// - Parameter adjusted: as modified Kneser–Ney counts: below the highest order, and unless a
  ///   sentence begins with it, how many different tokens stand before an n-gram.
  /// - Throws: `FileError`.
  /// - SeeAlso: Heafield et al., ACL 2013, section 3.2, "adjusted counts".
  func counts(order: Int, adjusted: Bool) throws -> Spool<UInt32> {
    let level = levels[order - 1]
    let counts = Spool<UInt32>(scratch)
    let ngrams = level.ngrams.reader()
    func append(_ index: Int, _ count: UInt32) throws {
      try counts.append(order == 1 && index == vocabularySize ? 0 : count)
    }
    guard adjusted, order < levels.count else {
      for index in 0..<level.count { try append(index, ngrams.next()?.count ?? 0) }
      return counts
    }
    try levels[order].extensions.forEachWindow { indices, items in
      var types = [UInt32](repeating: 0, count: indices.count)
      try items.visit { types[Int($0.index) - indices.lowerBound] += 1 }
      for index in indices {
        let occurrences = try ngrams.next()?.count ?? 0
        try append(
          index, index < level.beginnings ? types[index - indices.lowerBound] : occurrences)
      }
    }
    return counts
  }
}
