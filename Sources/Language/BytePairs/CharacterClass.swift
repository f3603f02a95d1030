/// What GPT-2's pattern tells apart: `\p{L}`, `\p{N}`, `\s`, and the rest.
enum CharacterClass: UInt8 {
  case other, letter, number, space

  @inline(__always)
  init(ascii byte: UInt8) {
    if (byte | 0x20) &- 0x61 < 26 {
      self = .letter
    } else if byte &- 0x30 < 10 {
      self = .number
    } else {
      self = byte == 0x20 || byte &- 0x09 < 5 ? .space : .other
    }
  }

  /// - Parameter scalar: one that isn't ASCII.
  init(_ scalar: UInt32) {
    self =
      scalar < Self.table.count
      ? Self(rawValue: Self.table[Int(scalar)]) ?? .other : Self(looking: scalar)
  }

  /// Of the two planes in which nearly all text is; made when it is first needed.
  private static let table = (0..<0x2_0000 as Range<UInt32>).map { Self(looking: $0).rawValue }

  private init(looking scalar: UInt32) {
    guard let properties = Unicode.Scalar(scalar)?.properties else {
      self = .other
      return
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = properties.isWhitespace ? .space : .other
    }
  }
}
