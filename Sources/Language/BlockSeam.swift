/// Where the blocks of a text meet: what one ends in goes to the beginning of the next.
struct BlockSeam {
  private let text: String
  private let unit: TokenUnit
  private var pending: [UInt8] = []
  /// Of the pending bytes in the text; lines count from 1.
  private var (offset, line) = (0, 1)

  init(text: String, unit: TokenUnit) {
    self.text = text
    self.unit = unit
  }

  /// Hands on as much of a text as ends where a token does; without a block, what is left at its
  /// end.
  ///
  /// - Throws: ``VocabularyError/invalidUTF8(source:byte:offset:line:)`` in place of the scanner's
  ///   error, ``VocabularyError/wordTooLong(source:line:)``, and what else `body` throws.
  mutating func join(
    _ block: UnsafeRawBufferPointer?, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard let block else { return try hand(pending.count, body) }
    pending.append(contentsOf: block)
    let count = pending.withUnsafeBytes(endOfTokens)
    try hand(count, body)
    if pending.count > Vocabulary.longestWord {
      throw VocabularyError.wordTooLong(source: text, line: line)
    }
  }

  private mutating func hand(
    _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard count > 0 else { return }
    try pending.withUnsafeBytes { pending in
      let bytes = UnsafeRawBufferPointer(rebasing: pending[..<count])
      do {
        try body(bytes)
      } catch let error as UTF8Scanner.Invalid {
        throw VocabularyError.invalidUTF8(
          source: text, byte: bytes[error.offset], offset: offset + error.offset,
          line: line + bytes[..<error.offset].count { $0 == 0x0A })
      } catch let error as WordScanner.Unusable {
        let line = line + bytes[..<error.offset].count { $0 == 0x0A }
        switch error.reason {
        case .tooLong: throw VocabularyError.wordTooLong(source: text, line: line)
        case .endsLines: throw VocabularyError.lineEndAsWord(source: text, line: line)
        }
      }
      line += bytes.count { $0 == 0x0A }
    }
    offset += count
    pending.removeSubrange(..<count)
  }

  /// Up to where the last token of some bytes is certainly whole.
  private func endOfTokens(in bytes: UnsafeRawBufferPointer) -> Int {
    switch unit {
    case .bytes, .bpe:
      // The encoder of byte pairs keeps by itself what may go on.
      return bytes.count
    case .characters:
      // Before the lead byte of a character that may go on.
      let tail = max(0, bytes.count - 3)..<bytes.count
      let lead = tail.last { bytes[$0] & 0xC0 != 0x80 }
      return lead.map { bytes[$0] >= 0xC0 ? $0 : bytes.count } ?? bytes.count
    case .words:
      return bytes.lastIndex(where: WordScanner.isWhiteSpace).map { $0 + 1 } ?? 0
    }
  }
}
