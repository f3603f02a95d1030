/// Finds the words of a text that comes in one piece or in several, each of which ends between words.
///
/// Lines end with a line feed; a byte-order mark at the beginning belongs to no word.
struct WordScanner {
  /// What can't be a word.
  struct Unusable: Error {
    enum Reason { case tooLong, endsLines }
    let reason: Reason
    /// Where it begins, in bytes from the beginning of the piece.
    let offset: Int
  }

  private let splitting: WordSplitting
  private var isAtBeginning = true
  private var lineHasWords = false

  init(_ splitting: WordSplitting) { self.splitting = splitting }

  /// Calls `body` with each word, and with nil at each end of a line.
  ///
  /// - Throws: ``Unusable``, and what `body` throws.
  @inline(__always)
  mutating func read(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) throws -> Void
  ) throws {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    var begin = isAtBeginning && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    isAtBeginning = false
    @inline(__always) func pass(_ end: Int) throws {
      guard end > begin else { return }
      if end - begin > Vocabulary.longestWord { throw Unusable(reason: .tooLong, offset: begin) }
      let text = UnsafeRawBufferPointer(start: base + begin, count: end - begin)
      if text.count == 4, text.elementsEqual(Vocabulary.lineEndSpelling) {
        throw Unusable(reason: .endsLines, offset: begin)
      }
      try splitting.forEachWord(in: text) { try body($0) }
      lineHasWords = true
    }
    for position in begin..<bytes.count {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      guard Self.isWhiteSpace(byte) else { continue }
      try pass(position)
      begin = position + 1
      if byte == 0x0A {
        try body(nil)
        lineHasWords = false
      }
    }
    try pass(bytes.count)
  }

  /// Calls `body` with nil if words stand after the last line feed.
  mutating func closeLastLine(_ body: (UnsafeRawBufferPointer?) throws -> Void) rethrows {
    if lineHasWords { try body(nil) }
    lineHasWords = false
  }

  @inline(__always)
  static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte <= 0x20 && (byte == 0x20 || (0x09...0x0D).contains(byte))
  }
}
