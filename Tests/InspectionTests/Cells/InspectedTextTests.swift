import Foundation
import Inspection
import Language
import Testing

@Suite struct InspectedTextTests {
  private func text(_ string: String, _ vocabulary: Vocabulary = .bytes, limit: Int = 1 << 20)
    throws -> InspectedText
  {
    try InspectedText(SourceText(string, name: "t"), vocabulary: vocabulary, limit: limit)
  }

  @Test func aByteWithinACharacterHasNoLabel() throws {
    let inspected = try text("aé🦊b and more of it.")
    #expect(inspected.tokens.count == 24 && inspected.characters.count == 20)
    let labels = inspected.labels(of: .positionInLine)
    #expect(labels[0] == 1 && labels[1].isNaN && labels[2] == 2)
    #expect(labels[3...5].allSatisfy(\.isNaN) && labels[6] == 3 && labels[7] == 4)
  }

  @Test func aWordHasTheLabelOfItsLastCharacter() throws {
    let string = "one two three\nfour five six seven eight nine ten eleven twelve a b c d\n"
    let vocabulary = try Vocabulary(unit: .words, building: Data(string.utf8), source: "t")
    let labels = try text(string, vocabulary).labels(of: .positionInLine)
    #expect(Array(labels.prefix(5)) == [3, 7, 13, 0, 4])
  }

  @Test func labelFilesCountCharactersOfTheWholeText() throws {
    let file = try LabelFile("# a\n1 3\n2 3 ?\n\n4 6 1\r\n", name: "mine", source: "f")
    #expect(file.kind == .yesNo)
    let labels = try text("aé🦊bcdefghijklmnop").labels(of: file)
    // a é(2 bytes) 🦊(4 bytes) b c …
    #expect(labels[0] == 0 && labels[2] == 1 && labels[6].isNaN && labels[7] == 0)
    #expect(labels[8] == 1 && labels[9] == 1 && labels[10] == 0)
    #expect(try LabelFile("0 1 2.5", name: "g", source: "f").kind == .graded)
  }

  @Test(arguments: ["1", "a b", "3 2", "-1 2", "1 2 x", "1 2 3 4", "1 2 inf", "1 2 1e16"])
  func aBadLabelNamesItsLine(line: String) {
    #expect {
      try LabelFile("0 1\n\(line)\n", name: "n", source: "labels.txt")
    } throws: {
      "\($0)".hasPrefix("labels.txt, line 2: ")
    }
  }

  @Test func aLabelFileMayHaveLineEndsOfWindows() throws {
    let file = try LabelFile("0 5\r\n6 9 2\r\n", name: "mine", source: "f")
    #expect(try file == LabelFile("0 5\n6 9 2\n", name: "mine", source: "f"))
    #expect(try file == LabelFile("\u{FEFF}0 5\n6 9 2\n", name: "mine", source: "f"))
    #expect(
      throws: ProbeError.invalidLabel(
        file: "f", line: 2, reason: "“x” gives no range")
    ) { try LabelFile("0 5\r\nx\r\n", name: "mine", source: "f") }
  }

  /// Probes and labels are of the file, whatever a model's vocabulary lacks of it.
  @Test func charactersThatTheVocabularyLacksAreCounted() throws {
    let string = "abc → de\n→ fgh, ijk and the rest"
    let vocabulary = try Vocabulary(
      unit: .characters, building: Data("abcdefghijklmnorst ,\n".utf8), source: "v")
    let inspected = try text(string, vocabulary)
    #expect(inspected.outOfVocabulary == 2)
    #expect(String(String.UnicodeScalarView(inspected.characters)) == string)
    // a b c ␣ ␣ d e ⏎ ␣ f: the arrows are the fifth character of line 1 and the first of line 2.
    let positions = inspected.labels(of: .positionInLine)
    #expect(Array(positions.prefix(10)) == [1, 2, 3, 4, 6, 7, 8, 0, 2, 3])
    let file = try LabelFile("4 8", name: "n", source: "f")
    #expect(Array(try inspected.labels(of: file).prefix(9)) == [0, 0, 0, 0, 1, 1, 1, 0, 0])
  }

  @Test(arguments: WordSplitting.allCases)
  func wordsThatTheVocabularyLacksAreCounted(splitting: WordSplitting) throws {
    let string = "one zwölf  two\n\n  three unseen, four five six seven eight nine ten one two"
    let vocabulary = try Vocabulary(
      unit: .words, building: Data("one two three four five six seven eight nine ten\n".utf8),
      source: "v", splitting: splitting)
    let inspected = try text(string, vocabulary)
    #expect(String(String.UnicodeScalarView(inspected.characters)) == string)
    // one zwölf two ⏎ ⏎ three unseen[,] …
    let positions = inspected.labels(of: .positionInLine)
    #expect(Array(positions.prefix(6)) == [3, 9, 14, 0, 0, 7])
    #expect(positions[6] == (splitting == .whitespace ? 15 : 14))
    #expect(positions.last?.isNaN == true && positions.count == inspected.tokens.count)
    let file = try LabelFile("4 9", name: "n", source: "f")
    #expect(Array(try inspected.labels(of: file).prefix(4)) == [0, 1, 0, 0])
  }

  @Test func aLongTextIsSampledByParagraphs() throws {
    let paragraph = "A line of words,\nand another one of them.\n\n"
    let string = String(repeating: paragraph, count: 4000)
    let bytes = Data(string.utf8)
    let passages = InspectedText.passages(of: bytes, limit: 40_000)
    #expect(passages.count == 9)
    #expect(passages.reduce(0) { $0 + $1.count } <= 40_000)
    for (a, b) in zip(passages, passages.dropFirst()) { #expect(a.upperBound <= b.lowerBound) }
    for passage in passages { #expect(bytes[passage].starts(with: Data("A line".utf8))) }
    #expect(InspectedText.passages(of: bytes, limit: bytes.count).count == 1)
    let sampled = try text(string, limit: 40_000)
    #expect(sampled.bytes.whole == bytes.count && sampled.bytes.read <= 40_000)
    // Labels are those of the whole text, passage by passage.
    #expect(sampled.labels(of: .positionInLine).count == sampled.tokens.count)
  }

  @Test func passagesNeverCutACharacter() throws {
    let string = String(repeating: "🦊", count: 20_000)
    let sampled = try text(string, limit: 9_999)
    #expect(sampled.characters.allSatisfy { $0 == "🦊" })
  }

  @Test func tooLittleTextIsRefused() {
    #expect(throws: CorpusError.tooShort("t", tokens: 3, needed: 16)) { try text("abc") }
  }
}
