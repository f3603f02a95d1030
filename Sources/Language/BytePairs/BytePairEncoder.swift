/// Makes tokens of a text that comes in blocks, which may end anywhere: they are those of the whole.
///
/// Most pieces of a text have been there before, so their tokens are kept.
package struct BytePairEncoder {
  private var reader = PreTokenReader()
  private var pieces: PieceTokens

  init(_ encoding: BytePairEncoding) { pieces = PieceTokens(encoding) }

  /// Calls `body` with the tokens of each piece that is certainly whole.
  ///
  /// - Parameter isLast: whether the text ends with this block; then another may begin.
  package mutating func read(
    _ block: UnsafeRawBufferPointer, isLast: Bool, _ body: (ArraySlice<Int32>) throws -> Void
  ) rethrows {
    var pieces = pieces
    self.pieces = PieceTokens(pieces.encoding)
    defer { self.pieces = pieces }
    try reader.read(block, isLast: isLast) { try body(pieces.tokens(of: $0)) }
  }
}

extension Vocabulary {
  /// What encodes a text in blocks; nil unless tokens are byte pairs.
  package var bytePairEncoder: BytePairEncoder? { bytePairs.map { BytePairEncoder($0) } }
}

/// The tokens of pieces of text, of which those that come often are remembered.
private struct PieceTokens {
  let encoding: BytePairEncoding
  private var merger = BytePairMerger()
  private var known = WordTable()
  /// Of all known pieces, one after the other, and where those of each end.
  private var (tokens, ends): ([Int32], [Int]) = ([], [])
  private var unknown: [Int32] = []

  /// Longer pieces, which hardly come twice, are merged anew.
  private static let longestKnown = 128
  /// When so many pieces are known, they are forgotten.
  private static let largestCount = 1 << 18

  init(_ encoding: BytePairEncoding) { self.encoding = encoding }

  mutating func tokens(of piece: UnsafeRawBufferPointer) -> ArraySlice<Int32> {
    guard piece.count <= Self.longestKnown else {
      unknown.removeAll(keepingCapacity: true)
      merger.encode(piece, encoding, to: &unknown)
      return unknown[...]
    }
    if ends.count == Self.largestCount { self = PieceTokens(encoding) }
    let index = Int(known.insert(piece))
    let begin = index == 0 ? 0 : ends[index - 1]
    if index == ends.count {
      merger.encode(piece, encoding, to: &tokens)
      ends.append(tokens.count)
    }
    return tokens[begin..<ends[index]]
  }
}
