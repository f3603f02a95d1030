/// Cuts a text into the pieces within which byte pairs are merged, as GPT-2 does:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// So a word takes the space before it along, and of several spaces only the last. The expression
/// matches every character; a byte that begins none counts as one that is neither letter, number
/// nor space. Which characters are letters is a question to this system's version of Unicode.
///
/// - SeeAlso: A. Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), and
///   its `encoder.py`.
struct PreTokenScanner {
  private let bytes: UnsafeRawBufferPointer
  private let isLast: Bool

  /// - Parameter isLast: whether the text ends where the bytes do.
  init(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
    self.bytes = bytes
    self.isLast = isLast
  }

  /// The end of the piece that begins at `begin`, a byte that there is; nil if what follows the
  /// bytes can change it.
  func end(from begin: Int) -> Int? {
    if bytes[begin] == UInt8(ascii: "'") {
      guard let length = contraction(after: begin) else { return nil }
      if length > 0 { return begin + 1 + length }
    }
    guard let first = character(at: begin) else { return nil }
    if first.kind != .space { return run(of: first.kind, from: begin + first.length) }
    guard let second = character(at: begin + first.length) else { return nil }
    if second.length > 0, second.kind != .space {
      guard bytes[begin] == 0x20 else { return begin + first.length }
      return run(of: second.kind, from: begin + 1 + second.length)
    }
    return spaces(from: begin, first.length)
  }

  /// Bytes of `s`, `t`, `re`, `ve`, `m`, `ll` or `d` after an apostrophe, 0 if none of them follows;
  /// nil if that can't be known.
  private func contraction(after apostrophe: Int) -> Int? {
    guard apostrophe + 1 < bytes.count else { return isLast ? 0 : nil }
    let second: UInt8
    switch bytes[apostrophe + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 1
    case UInt8(ascii: "r"), UInt8(ascii: "v"): second = UInt8(ascii: "e")
    case UInt8(ascii: "l"): second = UInt8(ascii: "l")
    default: return 0
    }
    guard apostrophe + 2 < bytes.count else { return isLast ? 0 : nil }
    return bytes[apostrophe + 2] == second ? 2 : 0
  }

  private func run(of kind: CharacterClass, from begin: Int) -> Int? {
    var position = begin
    while true {
      guard let next = character(at: position) else { return nil }
      if next.length == 0 || next.kind != kind { return position }
      position += next.length
    }
  }

  /// All of the spaces at the end of a text; otherwise the last belongs to what follows, if there
  /// are several.
  private func spaces(from begin: Int, _ length: Int) -> Int? {
    var (last, position) = (begin, begin + length)
    while true {
      guard let next = character(at: position) else { return nil }
      if next.length == 0 { return position }
      if next.kind != .space { return last == begin ? position : last }
      last = position
      position += next.length
    }
  }

  /// The character at a position, of no length at the text's end; nil if it isn't all there.
  @inline(__always)
  private func character(at position: Int) -> (kind: CharacterClass, length: Int)? {
    guard position < bytes.count else { return isLast ? (.other, 0) : nil }
    let byte = bytes[position]
    return byte < 0x80 ? (CharacterClass(ascii: byte), 1) : characterBeyondASCII(at: position)
  }

  private func characterBeyondASCII(at position: Int) -> (kind: CharacterClass, length: Int)? {
    let lead = bytes[position]
    guard let shape = UTF8Shape(lead: lead) else { return (.other, 1) }
    var scalar = UInt32(lead) & (0x7F >> UInt32(shape.length))
    for index in 1..<shape.length {
      guard position + index < bytes.count else { return isLast ? (.other, 1) : nil }
      let byte = bytes[position + index]
      let fits = index == 1 ? shape.second.contains(byte) : byte & 0xC0 == 0x80
      if !fits { return (.other, 1) }
      scalar = scalar << 6 | UInt32(byte & 0x3F)
    }
    return (CharacterClass(scalar), shape.length)
  }
}

/// Cuts a text that comes in blocks, which may end anywhere.
struct PreTokenReader {
  /// What may go on in the next block.
  private var pending: [UInt8] = []
  /// How many bytes were pending when they were last looked at.
  private var seen = 0

  /// Calls `body` with each piece that is certainly whole.
  ///
  /// - Parameter isLast: whether the text ends with this block; then another may begin.
  /// - Complexity: O(bytes), however short the blocks are and however long a piece.
  mutating func read(
    _ block: UnsafeRawBufferPointer, isLast: Bool,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    if pending.isEmpty {
      let done = try cut(block, isLast, body)
      pending.append(contentsOf: block[done...])
    } else {
      pending.append(contentsOf: block)
      guard isLast || pending.count >= 2 * seen else { return }
      let done = try pending.withUnsafeBytes { try cut($0, isLast, body) }
      pending.removeSubrange(..<done)
    }
    seen = pending.count
  }

  /// - Returns: how many bytes were cut into pieces.
  private func cut(
    _ bytes: UnsafeRawBufferPointer, _ isLast: Bool,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows -> Int {
    let scanner = PreTokenScanner(bytes, isLast: isLast)
    var begin = 0
    while begin < bytes.count, let end = scanner.end(from: begin) {
      try body(UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
      begin = end
    }
    return begin
  }
}
