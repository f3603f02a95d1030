import Interchange

/// Collects the tokens of a text, however many they become: a few stay in memory, more go to a file
/// without a name, which nothing that happens to the process leaves behind.
package struct TokenWriter {
  private let isNarrow: Bool
  private let limit: Int
  /// Those that aren't in the file.
  private var tokens: [Int32] = []
  private var file: ScratchFile?
  /// Bytes in the file.
  private var written = 0

  /// - Parameters:
  ///   - size: V; where it is at most 65,536, a token takes two bytes of the file, otherwise four.
  ///   - limit: as many tokens as are kept in memory.
  package init(vocabularySize size: Int, limit: Int = 1 << 20) {
    isNarrow = size <= 1 << 16
    self.limit = limit
    // Room that isn't used takes no memory; growing would, for a moment, take twice as much.
    tokens.reserveCapacity(limit + 1 << 18)
  }

  /// Takes over all tokens of an array, which is then empty.
  ///
  /// - Throws: `FileError`, if the file can't be made or written.
  /// - Precondition: tokens are below V.
  package mutating func take(_ block: inout [Int32]) throws {
    tokens += block
    block.removeAll(keepingCapacity: true)
    if tokens.count > limit || file != nil { try spill() }
  }

  /// All tokens.
  ///
  /// - Throws: `FileError`.
  package mutating func finish() throws -> TokenSequence {
    try file.map { TokenSequence(try $0.map(count: written), isNarrow: isNarrow) }
      ?? TokenSequence(tokens)
  }

  private mutating func spill() throws {
    let file = try file ?? ScratchFile()
    if isNarrow {
      try write(tokens.map { UInt16(truncatingIfNeeded: $0) }, to: file)
    } else {
      try write(tokens, to: file)
    }
    (self.file, tokens) = (file, [])
  }

  private mutating func write(_ values: [some BitwiseCopyable], to file: ScratchFile) throws {
    try values.withUnsafeBytes {
      try file.write($0, at: written)
      written += $0.count
    }
  }
}
