import Foundation
import Language
import Testing

@Suite struct PreTokenScannerTests {
  /// Where every pair is merged, the tokens of a text are the pieces that it was cut into.
  private func pieces(_ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    let vocabulary = try Vocabulary(
      unit: .bpe, building: bytes, source: "text", maximumSize: 100_000)
    return try vocabulary.encode(bytes, source: "text").tokens.map {
      String(decoding: vocabulary.decode([$0]), as: UTF8.self)
    }
  }

  /// What the ByteLevel pre-tokenizer of `tokenizers` 0.23.3 makes of these.
  @Test(
    arguments: [
      (
        "I'll  don't we've'\n\n x 12ab, ... né日本 ½²\t\tz'LL \u{3000}q 's  ",
        [
          "I", "'ll", " ", " don", "'t", " we", "'ve", "'", "\n\n", " x", " 12", "ab", ",", " ...",
          " né日本", " ½²", "\t", "\t", "z", "'", "LL", " ", "\u{3000}", "q", " '", "s", "  ",
        ]
      ),
      (
        " \n a\r\n\r\nb \u{A0}c  \u{2028} d\u{200B}e\u{FEFF}",
        [
          " \n", " a", "\r\n\r", "\n", "b", " ", "\u{A0}", "c", "  \u{2028}", " d", "\u{200B}", "e",
          "\u{FEFF}",
        ]
      ),
      ("'re've'm'd'x''s!'s", ["'re", "'ve", "'m", "'d", "'", "x", "''", "s", "!'", "s"]),
      (
        "e\u{301} ¿qué? 3.14 ٣٤ Ⅷ _a_ 👩‍👩‍👧 \u{20000}\u{1D7D8}\u{30000}",
        [
          "e", "\u{301}", " ¿", "qué", "?", " 3", ".", "14", " ٣٤", " Ⅷ", " _", "a", "_", " 👩‍👩‍👧",
          " \u{20000}", "\u{1D7D8}", "\u{30000}",
        ]
      ),
      ("a  ", ["a", "  "]), ("  ", ["  "]), ("\n", ["\n"]), ("'", ["'"]), ("a'l", ["a", "'", "l"]),
      ("a'r", ["a", "'", "r"]),
    ] as [(String, [String])])
  func cutsAsGPT2Does(text: String, expected: [String]) throws {
    let found = try pieces(text)
    // Byte for byte: `String` takes U+3000 and U+00A0 for themselves, but é for e and U+0301.
    #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  /// As if each were a character that is no letter.
  @Test func aByteThatBeginsNoCharacterIsOneOfItsOwn() throws {
    let bytes: [UInt8] = [0x61, 0xFF, 0xC3, 0x20, 0xE2, 0x82, 0x62, 0xED, 0xA0, 0x80, 0xF0, 0x9F]
    let vocabulary = try Vocabulary(unit: .bpe, building: bytes, source: "bytes")
    let tokens = try vocabulary.encode(bytes, source: "bytes").tokens
    #expect(
      tokens.map { vocabulary.decode([$0]) } == [
        [0x61], [0xFF, 0xC3], [0x20, 0xE2, 0x82], [0x62], [0xED, 0xA0, 0x80, 0xF0, 0x9F],
      ])
  }
}
