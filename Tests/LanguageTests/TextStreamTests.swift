import Foundation
import Language
import Testing

@Suite struct TextStreamTests {
  @Test func charactersArriveWhole() {
    var assembler = UTF8Assembler()
    #expect(
      [0x61, 0xF0, 0x9F, 0x98, 0x80, 0x0D, 0x0A].map { assembler.append([$0]) }
        == ["a", "", "", "", "😀", "\r", "\n"])
    #expect(assembler.finish() == "")
  }

  @Test func invalidBytesAreReplacedAsSoonAsThatIsCertain() {
    var assembler = UTF8Assembler()
    #expect(
      [0xFF, 0xE2, 0x82, 0x41, 0xE0, 0x80].map { assembler.append([$0]) }
        == ["\u{FFFD}", "", "", "\u{FFFD}A", "", "\u{FFFD}\u{FFFD}"])
    #expect(assembler.append([0xC3]) == "")
    #expect(assembler.finish() == "\u{FFFD}")
    #expect(assembler.append([0xA9, 0x41]) == "\u{FFFD}A")
  }

  @Test func replacesAsTheStandardLibraryDoes() {
    var generator = SeededGenerator(2)
    let interesting: [UInt8] = [
      0x41, 0x80, 0x90, 0xA0, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF1, 0xF4, 0xFF,
    ]
    for _ in 0..<5_000 {
      let bytes = (0..<12).map { _ in interesting[Int(generator.next() % 14)] }
      var assembler = UTF8Assembler()
      var text = ""
      for byte in bytes { text += assembler.append([byte]) }
      text += assembler.finish()
      #expect(Array(text.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8), "\(bytes)")
    }
  }

  @Test(arguments: TokenUnit.allCases)
  func streamedTextIsDecodedText(unit: TokenUnit) throws {
    let bytes = Array(VocabularyTests.awkward.utf8)
    let vocabulary = try Vocabulary(unit: unit, building: bytes, source: "text")
    let tokens = try vocabulary.encode(bytes, source: "text").tokens
    var whole = TextStream(vocabulary)
    let text = tokens.map { whole.append($0) }.joined() + whole.finish()
    #expect(Array(text.utf8) == vocabulary.decode(tokens))

    let prompt = Array(tokens.prefix(2))
    var rest = TextStream(vocabulary, after: prompt)
    let continuation = tokens.dropFirst(2).map { rest.append($0) }.joined() + rest.finish()
    if unit != .bytes {  // A prompt of bytes may end within a character.
      #expect(vocabulary.decode(prompt) + Array(continuation.utf8) == vocabulary.decode(tokens))
    }
  }
}
