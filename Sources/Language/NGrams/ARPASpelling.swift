import Foundation

/// How tokens are spelled in an ARPA file, where white space separates words.
///
/// Words stand as they are. Characters and bytes do too if they can be seen; others become
/// `<U+000A>` and `<0x0A>`, which can't be mistaken, being longer than one character. Byte pairs are
/// spelled in GPT-2's alphabet of bytes; one that would then be a mark such as `</s>` begins with `‹`,
/// which isn't in it. Comments before `\data\` say what the tokens are.
enum ARPASpelling {
  static let begin = Array("<s>".utf8)
  static let end = Array("</s>".utf8)
  static let unknown = Array("<unk>".utf8)
  static let upperUnknown = Array("<UNK>".utf8)

  static let unitComment = "# tokens: "
  /// What a word is, if it isn't what stands between white space.
  static let splittingComment = "# word splitting: "
  /// The `tokenizer.json` of byte pairs, in the same line.
  static let tokenizerComment = "# tokenizer: "
  static let scoresComment = "# scores: unnormalised"
  /// What stands before the numbers of n-grams.
  static let heading = Data("\\data\\".utf8)

  /// The file's words for a vocabulary's tokens, by number.
  static func spellings(of vocabulary: Vocabulary) -> [[UInt8]] {
    switch vocabulary.unit {
    case .words: vocabulary.spellings
    case .characters:
      vocabulary.spellings.map { spelling in
        guard let scalar = String(decoding: spelling, as: UTF8.self).unicodeScalars.first,
          scalar.value <= 0x20 || (0x7F...0xA0).contains(scalar.value)
            || scalar.properties.isWhitespace
        else { return spelling }
        return Array("<U+\(hexadecimal(scalar.value, digits: 4))>".utf8)
      }
    case .bytes:
      vocabulary.spellings.map { spelling in
        (0x21...0x7E).contains(spelling[0])
          ? spelling : Array("<0x\(hexadecimal(UInt32(spelling[0]), digits: 2))>".utf8)
      }
    case .bpe:
      vocabulary.spellings.map { spelling in
        let word = ByteAlphabet.spelling(of: spelling)
        let isMark = [begin, end, unknown, upperUnknown].contains(spelling)
        return Array((isMark ? "‹" + word.dropFirst() : word).utf8)
      }
    }
  }

  /// The characters or bytes that a word of the file spells, as UTF-8 or as they are; nil if none.
  static func token(_ spelling: [UInt8], unit: TokenUnit) -> [UInt8]? {
    let text = String(decoding: spelling, as: UTF8.self)
    switch unit {
    case .words: return spelling
    case .characters:
      if let value = escaped(text, prefix: "<U+") {
        return Unicode.Scalar(value).map { Array(String($0).utf8) }
      }
      // A repaired character isn't the one in the file.
      return text.unicodeScalars.count == 1 && Array(text.utf8) == spelling ? spelling : nil
    case .bytes:
      if let value = escaped(text, prefix: "<0x") { return UInt8(exactly: value).map { [$0] } }
      return spelling.count == 1 && spelling[0] < 0x80 ? spelling : nil
    case .bpe: return ByteAlphabet.bytes(text.hasPrefix("‹") ? "<" + text.dropFirst() : text)
    }
  }

  private static func escaped(_ text: String, prefix: String) -> UInt32? {
    guard text.hasPrefix(prefix), text.hasSuffix(">") else { return nil }
    return UInt32(text.dropFirst(prefix.count).dropLast(), radix: 16)
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
