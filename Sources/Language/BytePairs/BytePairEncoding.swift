import Tensors

/// The merges of byte-level byte-pair encoding: two tokens beside each other become one, in the
/// order in which the merges were learned.
///
/// - SeeAlso: R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words with
///   Subword Units" (2016); A. Radford et al. (2019) for bytes.
struct BytePairEncoding: Sendable, Equatable {
  struct Merge: Sendable, Equatable {
    let left, right, result: Int32
  }

  /// The token of each byte.
  let byteTokens: [Int32]
  /// By rank: the first are made first. Of a pair that stands twice the last counts.
  let merges: [Merge]
  /// Tokens that no text becomes, such as `<|endoftext|>`.
  let specialTokens: [Int32]
  /// By the number that ``pairs`` gives a pair: its rank.
  private let ranks: [Int32]
  private let pairs: PairTable

  /// As many merges as there may be.
  static let largestCount = 1 << 24

  /// - Precondition: there are at most ``largestCount`` merges.
  init(byteTokens: [Int32], merges: [Merge], specialTokens: [Int32] = []) {
    require(merges.count <= Self.largestCount, "\(merges.count) merges")
    self.byteTokens = byteTokens
    self.merges = merges
    self.specialTokens = specialTokens
    var pairs = PairTable()
    var ranks: [Int32] = []
    for (rank, merge) in merges.enumerated() {
      let index = pairs.insert(PairTable.pair(merge.left, merge.right))
      if index < ranks.count { ranks[index] = Int32(rank) } else { ranks.append(Int32(rank)) }
    }
    (self.pairs, self.ranks) = (pairs, ranks)
  }

  static func == (a: Self, b: Self) -> Bool {
    a.byteTokens == b.byteTokens && a.merges == b.merges && a.specialTokens == b.specialTokens
  }

  /// The rank of the merge of two tokens; nil if they stay apart.
  @inline(__always)
  func rank(_ left: Int32, _ right: Int32) -> Int? {
    pairs.index(of: PairTable.pair(left, right)).map { Int(ranks[$0]) }
  }
}

/// Merges the bytes of one piece of a text: always the pair of the least rank, the first of them.
///
/// The tokens are a linked list, in which a merge takes one away; the pairs that may be merged
/// wait in a queue.
///
/// - Complexity: O(n log n) for n bytes; the space is used again.
struct BytePairMerger {
  /// By the position of a token's first byte; −1 where a token was merged into the one before it.
  private var tokens: [Int32] = []
  /// Positions of the tokens after and before.
  private var (next, previous): ([Int], [Int]) = ([], [])
  /// Rank above position.
  private var queue = Heap<UInt64>()

  private static let positionBits: UInt64 = 40

  /// Appends the tokens of a piece.
  mutating func encode(
    _ piece: UnsafeRawBufferPointer, _ encoding: BytePairEncoding, to result: inout [Int32]
  ) {
    require(piece.count < 1 << Self.positionBits, "a piece of \(piece.count) bytes")
    tokens.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    for (position, byte) in piece.enumerated() {
      tokens.append(encoding.byteTokens[Int(byte)])
      next.append(position + 1)
      previous.append(position - 1)
    }
    for position in tokens.indices { enqueue(position, encoding) }
    while let top = queue.pop() {
      let rank = Int(top >> Self.positionBits)
      merge(at: Int(top & (1 << Self.positionBits - 1)), encoding.merges[rank].result, encoding)
    }
    var position = 0
    while position < tokens.count {
      result.append(tokens[position])
      position = next[position]
    }
  }

  private mutating func enqueue(_ position: Int, _ encoding: BytePairEncoding) {
    guard next[position] < tokens.count,
      let rank = encoding.rank(tokens[position], tokens[next[position]])
    else { return }
    queue.push(UInt64(rank) << Self.positionBits | UInt64(position))
  }

  /// Merges the token at a position with the next one, if that still gives `result`.
  private mutating func merge(at position: Int, _ result: Int32, _ encoding: BytePairEncoding) {
    let other = next[position]
    guard tokens[position] >= 0, other < tokens.count,
      let rank = encoding.rank(tokens[position], tokens[other]),
      encoding.merges[rank].result == result
    else { return }
    tokens[position] = result
    tokens[other] = -1
    next[position] = next[other]
    if next[other] < tokens.count { previous[next[other]] = position }
    if previous[position] >= 0 { enqueue(previous[position], encoding) }
    enqueue(position, encoding)
  }
}
