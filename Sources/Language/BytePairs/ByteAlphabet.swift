/// GPT-2's spelling of bytes by characters that can be seen.
///
/// What is printable in Latin-1 stands for itself; the other 68 bytes are, in their order, U+0100
/// and what follows. So the space is `Ġ` and the line feed `Ċ`.
enum ByteAlphabet {
  /// By byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0...255 as ClosedRange<UInt8>).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{FFFD}"
      }
    }
  }()

  /// All bytes in the order of their characters, in which a trained vocabulary numbers them.
  static let bytes = (0...255 as ClosedRange<UInt8>).sorted {
    scalars[Int($0)] < scalars[Int($1)]
  }

  private static let bytesByScalar = Dictionary(
    uniqueKeysWithValues: zip(scalars, 0...255 as ClosedRange<UInt8>))

  static func spelling(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return String(text)
  }

  /// The bytes that a text of the alphabet spells; nil if it holds another character.
  static func bytes(_ spelling: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in spelling.unicodeScalars {
      guard let byte = bytesByScalar[scalar] else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
