import Foundation
import Language
import Learning
import Testing

@Suite struct VocabularyTests {
  static let awkward = "\u{FEFF}Война и мир\r\ne\u{301} é 😀\t\u{10FFFF}\u{0}\n\n last"

  private func vocabulary(_ unit: TokenUnit, _ text: String) throws -> Vocabulary {
    try Vocabulary(unit: unit, building: Array(text.utf8), source: "text")
  }

  @Test(arguments: [TokenUnit.bytes, .characters])
  func roundTripsEveryByte(unit: TokenUnit) throws {
    let bytes = Array(Self.awkward.utf8)
    let vocabulary = try vocabulary(unit, Self.awkward)
    let encoded = try vocabulary.encode(bytes, source: "text")
    #expect(vocabulary.decode(encoded.tokens) == bytes)
    #expect(vocabulary.byteCount(of: TokenSequence(encoded.tokens)) == bytes.count)
    #expect(encoded.bytes == bytes.count)
    #expect(encoded.outOfVocabulary == 0)
    let length = unit == .bytes ? bytes.count : Self.awkward.unicodeScalars.count
    #expect(encoded.tokens.count == length)
  }

  @Test func bytesTakeAnything() throws {
    let bytes = (0...255).map(UInt8.init)
    let encoded = try Vocabulary.bytes.encode(bytes, source: "bytes")
    #expect(encoded.tokens == (0...255).map(Int32.init))
    #expect(Vocabulary.bytes.decode(encoded.tokens) == bytes)
  }

  @Test func charactersAreNumberedInScalarOrder() throws {
    let vocabulary = try vocabulary(.characters, "b\u{1F600}a\r\né")
    #expect(vocabulary.count == 6)
    let labels = (0..<6).map { vocabulary.label(of: $0) }
    #expect(labels == ["⏎", "\\r", "a", "b", "é", "\u{1F600}"])
    #expect(vocabulary.lineEnd == 0)
  }

  @Test func wordsAreNumberedByCountThenBytes() throws {
    let vocabulary = try vocabulary(.words, "b b Z\r\na é b a\n\nZ <unk>")
    #expect((0..<6).map { vocabulary.label(of: $0) } == ["<unk>", "</s>", "b", "Z", "a", "é"])
    #expect(vocabulary.lineEnd == 1)
    let encoded = try vocabulary.encode(Array("a  b\r\n\nnew <unk> é".utf8), source: "text")
    #expect(encoded.tokens == [4, 2, 1, 1, 0, 0, 5, 1])
    #expect(encoded.outOfVocabulary == 1)
    #expect(vocabulary.decode(encoded.tokens) == Array("a b\n\n<unk> <unk> é\n".utf8))
    #expect(
      vocabulary.byteCount(of: TokenSequence(encoded.tokens)) == "a b\n\n<unk> <unk> é\n".utf8.count
    )
  }

  @Test func spellingsOfOneGlyphAreDifferentWords() throws {
    #expect(try vocabulary(.words, "e\u{301} \u{E9}").count == 4)
  }

  @Test func aByteOrderMarkIsNoWord() throws {
    #expect(try vocabulary(.words, "\u{FEFF}a a").count == 3)
  }

  @Test func limitsKeepTheMostFrequentWords() throws {
    let text = Array("c c c b b a a d".utf8)
    let often = try Vocabulary(unit: .words, building: text, source: "t", minimumCount: 2)
    #expect((2..<often.count).map { often.label(of: Int32($0)) } == ["c", "a", "b"])
    let few = try Vocabulary(unit: .words, building: text, source: "t", maximumSize: 3)
    #expect((2..<few.count).map { few.label(of: Int32($0)) } == ["c"])
    #expect(try few.encode(text, source: "t").outOfVocabulary == 5)
    #expect(throws: VocabularyError.limitsWithoutWords(.characters)) {
      try Vocabulary(unit: .characters, building: text, source: "t", minimumCount: 2)
    }
  }

  /// Nothing is learned from a text of unknown words; a few of them beside others are words.
  @Test func wordsMustBeKnown() throws {
    let settings = VocabularySettings(unit: .words)
    #expect(throws: VocabularyError.onlyUnknownWords(source: "t")) {
      try Vocabulary(settings, building: [SourceText("<unk> <unk>\n<unk>\n", name: "t")])
    }
    let known = try Vocabulary(settings, building: [SourceText("<unk> a\n<unk>\n", name: "t")])
    #expect(known.count == 3)
  }

  @Test func manyWordsKeepTheirNumbers() throws {
    let words = (0..<20_000).map { "w\($0)" }
    let text = Array(words.joined(separator: " ").utf8)
    let vocabulary = try Vocabulary(unit: .words, building: text, source: "t")
    #expect(vocabulary.count == 20_002)
    let tokens = try vocabulary.encode(text, source: "t").tokens
    #expect(Set(tokens).count == 20_001)
    #expect(vocabulary.decode(tokens) == text + [0x0A])
  }

  @Test func severalTextsMakeOneVocabulary() throws {
    let texts = [SourceText("ab", name: "1"), SourceText("bc", name: "2")]
    #expect(try Vocabulary(unit: .characters, building: texts).count == 3)
  }

  @Test func unknownCharactersAreDroppedAndCounted() throws {
    let vocabulary = try vocabulary(.characters, "abc")
    let encoded = try vocabulary.encode(Array("aéb😀c\n".utf8), source: "text")
    #expect(encoded.tokens == [0, 1, 2])
    #expect(encoded.outOfVocabulary == 3)
    #expect(encoded.bytes == 10)
  }

  @Test func aPromptMustBeKnown() throws {
    let characters = try vocabulary(.characters, "abc")
    #expect(try characters.encode(prompt: "cab") == [2, 0, 1])
    let error = #expect(throws: VocabularyError.self) { try characters.encode(prompt: "aé\té") }
    #expect(
      error?.description
        == "The prompt holds characters that the model's vocabulary lacks: “é”, “\\t”; "
        + "write it without them.")
    let words = try vocabulary(.words, "the fox")
    #expect(try words.encode(prompt: "fox the") == [2, 3])
    #expect(try words.encode(prompt: "fox\n") == [2, 1])
    #expect(throws: VocabularyError.unknown(.words, ["cat"])) {
      try words.encode(prompt: "the cat")
    }
  }

  @Test(
    "Invalid UTF-8 is found where it begins",
    arguments: [
      ([0x61, 0x0A, 0x62, 0xFF], 3, 2), ([0x0A, 0xC3], 1, 2), ([0xC0, 0x80], 0, 1),
      ([0x61, 0xE0, 0x80, 0x80], 1, 1), ([0xED, 0xA0, 0x80], 0, 1), ([0xF0, 0x9F, 0x98], 0, 1),
      ([0xF4, 0x90, 0x80, 0x80], 0, 1), ([0x80], 0, 1), ([0xE2, 0x82, 0x41], 0, 1),
    ] as [([UInt8], Int, Int)])
  func invalidUTF8(bytes: [UInt8], offset: Int, line: Int) throws {
    let expected = VocabularyError.invalidUTF8(
      source: "f", byte: bytes[offset], offset: offset, line: line)
    for unit in [TokenUnit.characters, .words] {
      #expect(throws: expected) { try Vocabulary(unit: unit, building: bytes, source: "f") }
      let vocabulary = try vocabulary(unit, "some text")
      #expect(throws: expected) { try vocabulary.encode(bytes, source: "f") }
    }
  }

  @Test func validationAgreesWithTheStandardLibrary() throws {
    let vocabulary = try vocabulary(.characters, "ab")
    var generator = SeededGenerator(1)
    let interesting: [UInt8] = [
      0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0,
      0xF1, 0xF4, 0xF5,
    ]
    for _ in 0..<20_000 {
      let bytes = (0..<Int(generator.next() % 5)).map { _ in
        interesting[Int(generator.next() % 18)]
      }
      let valid = (try? vocabulary.encode(bytes, source: "")) != nil
      #expect(valid == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
    }
  }

  @Test func errorsTellWhatToDo() {
    #expect(
      "\(VocabularyError.invalidUTF8(source: "a.txt", byte: 0x0F, offset: 12, line: 3))"
        == "a.txt isn't valid UTF-8: byte 0x0F at offset 12 (line 3) begins no character; "
        + "--tokens bytes takes any file.")
    let error = #expect(throws: VocabularyError.self) { try vocabulary(.characters, "\n\n\n") }
    #expect(
      error?.description
        == "text holds only one distinct character (“⏎”), so there is nothing to predict.")
    #expect(throws: VocabularyError.tooFewCharacters(source: "text", only: nil)) {
      try vocabulary(.characters, "")
    }
    #expect(throws: VocabularyError.noWords(source: "text")) { try vocabulary(.words, " \n\t\n") }
  }

  @Test func labelsCanBeSeen() throws {
    let vocabulary = try vocabulary(.characters, "\u{301}\u{FEFF}\u{7F}a \t")
    let labels = (0..<6).map { vocabulary.label(of: $0) }
    #expect(labels == ["\\t", "␣", "a", "\\u{7F}", "\\u{301}", "\\u{FEFF}"])
    #expect(Vocabulary.bytes.label(of: 0xE2) == "\\xE2")
    #expect(Vocabulary.bytes.label(of: 0x0A) == "⏎")
  }
}
