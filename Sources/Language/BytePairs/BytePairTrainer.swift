import Foundation

/// Learns the merges of byte-pair encoding: the pair of tokens that is most frequent in a text
/// becomes a token, again and again.
///
/// The same text gives the same merges as `BpeTrainer` of Hugging Face's `tokenizers`: of equally
/// frequent pairs the one with the smaller numbers comes first, and two merges may give one token.
/// Counts are brought up to date where a merge changes the text, and a queue knows the most frequent
/// pair.
///
/// - Complexity: a merge reads each distinct piece that holds its pair from end to end, so a piece
///   costs O(its length · the merges made in it). That is little where pieces are words; a text of
///   letters without white space is one piece, which each merge reads as a whole. The queue adds
///   O(log pairs) for each pair that becomes new.
struct BytePairTrainer {
  /// The pieces of the text, one after the other, where each begins and ends, and how often it is
  /// there. Each shrinks as its tokens are merged.
  private var tokens: [Int32] = []
  private var (begins, ends): ([Int], [Int]) = ([], [])
  private let weights: [Int]
  /// What is known of a pair, by its number.
  private var pairs = PairTable()
  private var counts: [Int] = []
  /// The list that gathers the pieces in which a pair is new, −1 for none.
  private var gathering: [Int32] = []
  private var lists: [[Int32]] = []
  /// Pairs for which a list is being gathered.
  private var gathered: [Int] = []
  private var queue = Heap<Candidate>()
  /// What the tokens spell, by number.
  private var spellings = WordTable()
  private var merges: [BytePairEncoding.Merge] = []

  /// A pair with its count of some time ago, and pieces that hold it.
  private struct Candidate: Comparable {
    let pair: Int
    let key: UInt64
    var count: Int
    let list: Int

    static func < (a: Self, b: Self) -> Bool {
      a.count != b.count ? a.count > b.count : a.key < b.key
    }
  }

  /// - Parameters:
  ///   - pieces: the distinct pieces of the text; see ``PreTokenScanner``.
  ///   - counts: how often each is there.
  init(_ pieces: WordTable, counts: [Int]) {
    weights = counts
    var byteTokens = [Int32](repeating: 0, count: 256)
    for (token, byte) in ByteAlphabet.bytes.enumerated() {
      byteTokens[Int(byte)] = Int32(token)
      _ = withUnsafeBytes(of: byte) { spellings.insert($0) }
    }
    for piece in 0..<pieces.count {
      begins.append(tokens.count)
      for byte in pieces[piece] { tokens.append(byteTokens[Int(byte)]) }
      ends.append(tokens.count)
      for position in (begins[piece] + 1..<max(begins[piece] + 1, ends[piece])) {
        count(tokens[position - 1], tokens[position], counts[piece], in: piece)
      }
    }
    enqueue()
  }

  /// The vocabulary of the 256 bytes and of what the most frequent pairs became.
  ///
  /// - Parameters:
  ///   - size: as many tokens as there may be, at least 256; there are fewer where no pair is left.
  ///   - minimumCount: pairs that occur less often stay apart.
  mutating func vocabulary(size: Int, minimumCount: Int) -> Vocabulary {
    while spellings.count < size, var top = queue.pop() {
      let count = counts[top.pair]
      if count != top.count {
        top.count = count
        queue.push(top)
        continue
      }
      if count < max(1, minimumCount) || merges.count == BytePairEncoding.largestCount { break }
      merge(top)
    }
    let byteTokens = (0...255 as ClosedRange<UInt8>).map { byte in
      withUnsafeBytes(of: byte) { spellings.index(of: $0) } ?? 0
    }
    return Vocabulary(
      BytePairEncoding(byteTokens: byteTokens, merges: merges),
      spellings: (0..<spellings.count).map { Array(spellings[$0]) })
  }

  private mutating func merge(_ top: Candidate) {
    let left = Int32(truncatingIfNeeded: top.key >> 32)
    let right = Int32(truncatingIfNeeded: top.key)
    let spelling = Array(spellings[Int(left)] + spellings[Int(right)])
    let result = spelling.withUnsafeBytes { spellings.insert($0) }
    merges.append(.init(left: left, right: right, result: result))
    let list = lists[top.list]
    lists[top.list] = []
    for piece in list { merge(left, right, into: result, in: Int(piece)) }
    enqueue()
  }

  /// Merges a pair wherever it stands in a piece, from its beginning to its end.
  private mutating func merge(_ left: Int32, _ right: Int32, into result: Int32, in piece: Int) {
    let (begin, end, weight) = (begins[piece], ends[piece], weights[piece])
    var (read, write) = (begin, begin)
    while read < end {
      if tokens[read] == left, read + 1 < end, tokens[read + 1] == right {
        if write > begin {
          count(tokens[write - 1], left, -weight, in: piece)
          count(tokens[write - 1], result, weight, in: piece)
        }
        if read + 2 < end {
          count(right, tokens[read + 2], -weight, in: piece)
          count(result, tokens[read + 2], weight, in: piece)
        }
        tokens[write] = result
        read += 2
      } else {
        tokens[write] = tokens[read]
        read += 1
      }
      write += 1
    }
    ends[piece] = write
  }

  private mutating func count(_ left: Int32, _ right: Int32, _ change: Int, in piece: Int) {
    let pair = pairs.insert(PairTable.pair(left, right))
    if pair == counts.count {
      counts.append(0)
      gathering.append(-1)
    }
    counts[pair] += change
    guard change > 0 else { return }
    if gathering[pair] < 0 {
      gathering[pair] = Int32(lists.count)
      gathered.append(pair)
      lists.append([])
    }
    let list = Int(gathering[pair])
    if lists[list].last != Int32(piece) { lists[list].append(Int32(piece)) }
  }

  /// Puts the pairs that have become new into the queue.
  private mutating func enqueue() {
    for pair in gathered {
      if counts[pair] > 0 {
        queue.push(
          Candidate(
            pair: pair, key: pairs.pairs[pair], count: counts[pair], list: Int(gathering[pair])))
      }
      gathering[pair] = -1
    }
    gathered.removeAll(keepingCapacity: true)
  }
}

/// The distinct pieces of texts, and how often each is there.
struct PreTokenCounts {
  private(set) var table = WordTable()
  private(set) var counts: [Int] = []
  private var reader = PreTokenReader()

  /// Counts the pieces of a block.
  ///
  /// - Parameters:
  ///   - isLast: whether a text ends with it.
  ///   - body: gets the number of each piece.
  mutating func read(
    _ block: UnsafeRawBufferPointer, isLast: Bool, _ body: (Int32) throws -> Void
  ) rethrows {
    var reader = reader
    self.reader = PreTokenReader()
    defer { self.reader = reader }
    try reader.read(block, isLast: isLast) { piece in
      let number = table.insert(piece)
      if Int(number) == counts.count { counts.append(0) }
      counts[Int(number)] += 1
      try body(number)
    }
  }

  /// The vocabulary that is learned from the texts.
  func vocabulary(size: Int?, minimumCount: Int?) -> Vocabulary {
    var trainer = BytePairTrainer(table, counts: counts)
    return trainer.vocabulary(
      size: size ?? Vocabulary.defaultBytePairCount, minimumCount: minimumCount ?? 1)
  }
}
