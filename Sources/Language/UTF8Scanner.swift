/// Reads Unicode scalars from bytes, checking as it goes that they are well-formed UTF-8.
///
/// One pass, no allocation, and no `String`: byte-order marks, CRLF and unnormalised text pass
/// through as they are.
///
/// - SeeAlso: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
struct UTF8Scanner {
  struct Invalid: Error, Equatable {
    /// Where the ill-formed character begins, in bytes from the start.
    let offset: Int
  }

  private let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// The next scalar, or nil at the end.
  @inline(__always)
  mutating func next() throws(Invalid) -> UInt32? {
    guard offset < bytes.count else { return nil }
    let lead = bytes[offset]
    if lead < 0x80 {
      offset += 1
      return UInt32(lead)
    }
    return try nextBeyondASCII(lead)
  }

  /// Passes over ASCII, eight bytes at a time; less than eight bytes of it may be left.
  mutating func skipASCII() {
    while offset + 8 <= bytes.count,
      bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      offset += 8
    }
  }

  /// Reads all of some bytes, only to find out whether they are well-formed.
  static func check(_ bytes: UnsafeRawBufferPointer) throws(Invalid) {
    var scanner = UTF8Scanner(bytes)
    repeat { scanner.skipASCII() } while try scanner.next() != nil
  }

  private mutating func nextBeyondASCII(_ lead: UInt8) throws(Invalid) -> UInt32 {
    guard let shape = UTF8Shape(lead: lead), offset + shape.length <= bytes.count,
      shape.second.contains(bytes[offset + 1])
    else { throw Invalid(offset: offset) }
    var scalar = UInt32(lead) & (0x7F >> UInt32(shape.length))
    for position in offset + 1..<offset + shape.length {
      let byte = bytes[position]
      guard byte & 0xC0 == 0x80 else { throw Invalid(offset: offset) }
      scalar = scalar << 6 | UInt32(byte & 0x3F)
    }
    offset += shape.length
    return scalar
  }
}

/// What the first byte of a character of several bytes says about the rest.
struct UTF8Shape {
  /// Bytes in the whole character, 2 to 4.
  let length: Int
  /// What the second byte may be; it rules out overlong forms, surrogates and what lies beyond
  /// U+10FFFF. Later bytes are always 0x80 to 0xBF.
  let second: ClosedRange<UInt8>

  /// Nil for a byte that can't begin such a character.
  init?(lead: UInt8) {
    switch lead {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
  }
}
