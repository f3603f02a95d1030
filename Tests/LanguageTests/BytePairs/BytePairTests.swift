import Foundation
import Language
import Learning
import Testing

/// Vocabularies of byte pairs: learned, used, and read from others.
@Suite struct BytePairTests {
  private func learned(_ text: String, size: Int, minimumCount: Int = 1) throws -> Vocabulary {
    try Vocabulary(
      unit: .bpe, building: Array(text.utf8), source: "text", minimumCount: minimumCount,
      maximumSize: size)
  }

  private func tokens(_ vocabulary: Vocabulary, _ text: String) throws -> [Int32] {
    try vocabulary.encode(Array(text.utf8), source: "text").tokens
  }

  private func labels(_ vocabulary: Vocabulary) -> [String] {
    (256..<Int32(vocabulary.count)).map { vocabulary.label(of: $0) }
  }

  /// P. Gage's example (1994), on paper. `aa` is there four times, counted where it overlaps. Then
  /// `ab` and `aa`+`a` are there twice, and of equals the smaller numbers win: a is 64, b 65 and c
  /// 66, as their characters follow `!`. So `ab`, and then `aa`+`ab`. What is left, X d X a c, has
  /// pairs that are there once: (a, c) is the smallest, then (d, X).
  @Test func learnsTheMostFrequentPairsFirst() throws {
    let all = try learned("aaabdaaabac", size: 1000)
    #expect(
      labels(all) == ["aa", "ab", "aaab", "ac", "daaab", "aaabdaaab", "aaabdaaabac"])
    #expect(try labels(learned("aaabdaaabac", size: 258)) == ["aa", "ab"])
    #expect(
      try labels(learned("aaabdaaabac", size: 1000, minimumCount: 2)) == ["aa", "ab", "aaab"])
    #expect(try tokens(all, "aaabdaaabac") == [262])
  }

  /// With `aa`, `ab` and `aa`+`ab`, in this order. Of aaaab the first `aa` is merged, then the one
  /// after it, which leaves no a for `ab`; of aaaaab one is left.
  @Test func mergesInTheOrderOfLearning() throws {
    let vocabulary = try learned("aaabdaaabac", size: 259)
    let (a, b) = (Int32(64), Int32(65))
    #expect(try tokens(vocabulary, "aaab") == [258])
    #expect(try tokens(vocabulary, "aaaab") == [256, 256, b])
    #expect(try tokens(vocabulary, "aaaaab") == [256, 258])
    #expect(try tokens(vocabulary, "abaaab") == [257, 258])
    #expect(try tokens(vocabulary, "aba") == [257, a])
    #expect(try tokens(vocabulary, "") == [])
  }

  /// No pair reaches from one piece into the next, and the first bytes are numbered by GPT-2's
  /// characters: `!` is 0, the space Ġ 220 and the line feed Ċ 198.
  @Test func piecesStayApart() throws {
    let vocabulary = try learned("a b a b a b", size: 1000)
    #expect(labels(vocabulary) == ["␣b", "␣a"])
    #expect(try tokens(vocabulary, "! \n") == [0, 220, 198])
    #expect(vocabulary.lineEnd == 198)
  }

  /// What `tokenizers` 0.23.3 learned from this text, and its numbers.
  @Test func learnsWhatTokenizersLearns() throws {
    let text =
      "the hunter saw the fox, the fox saw the hunter's dogs\nthe dogs' hunter didn't see 12 foxes"
      + "\r\n\n  über die Füchse 🦊🦊 ...\n"
    let vocabulary = try learned(text, size: 290)
    #expect(
      labels(vocabulary) == [
        "he", "the", "er", "␣d", "fo", "hu", "nt", "␣s", "␣the", "␣fo", "␣hu", "nter", "␣fox",
        "␣hunter", "..", "aw", "gs", "ogs", "\\xA6\\x8A", "ü", "\\xF0\\x9F", "␣di", "␣dogs",
        "␣saw", "🦊", "'s", "'t", "12", "Fü", "ber", "ch", "dn", "ee", "es",
      ])
    #expect(
      try tokens(vocabulary, "the hunters see the foxes' über 🦊 then\n")
        == [257, 269, 82, 263, 288, 264, 268, 289, 6, 220, 275, 285, 220, 280, 264, 77, 198])
    #expect(
      try tokens(vocabulary, "  the\u{A0}dogs\r\n") == [220, 264, 126, 254, 67, 273, 201, 198])
  }

  private static let interesting: [UInt8] = [
    0x20, 0x20, 0x0A, 0x0D, 0x27, 0x27, 0x73, 0x6C, 0x6C, 0x72, 0x65, 0x61, 0x41, 0x31, 0x2E, 0xC3,
    0xA9, 0xE2, 0x80, 0xA8, 0xF0, 0x9F, 0xA6, 0x8A, 0xFF, 0x00,
  ]

  private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in
      Self.interesting[Int(generator.next() % UInt64(Self.interesting.count))]
    }
  }

  @Test func anyBytesComeBack() throws {
    var generator = SeededGenerator(11)
    let vocabulary = try Vocabulary(
      unit: .bpe, building: bytes(5000, &generator), source: "bytes", maximumSize: 400)
    #expect(vocabulary.count == 400)
    for _ in 0..<500 {
      let text =
        bytes(Int(generator.next() % 60), &generator)
        + (0..<Int(generator.next() % 20)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      let encoded = try vocabulary.encode(text, source: "bytes")
      #expect(vocabulary.decode(encoded.tokens) == text)
      #expect(vocabulary.byteCount(of: TokenSequence(encoded.tokens)) == text.count)
      #expect(encoded.outOfVocabulary == 0 && encoded.bytes == text.count)
    }
  }

  @Test func blocksMayEndAnywhere() throws {
    var generator = SeededGenerator(12)
    let vocabulary = try Vocabulary(
      unit: .bpe, building: bytes(5000, &generator), source: "bytes", maximumSize: 400)
    var encoder = try #require(vocabulary.bytePairEncoder)
    for _ in 0..<300 {
      let text = bytes(Int(generator.next() % 200), &generator)
      var (found, begin): ([Int32], Int) = ([], 0)
      repeat {
        let end = min(text.count, begin + Int(generator.next() % 9))
        let isLast = end == text.count && generator.next() % 2 == 0
        text[begin..<end].withUnsafeBytes {
          encoder.read($0, isLast: isLast) { found += $0 }
        }
        begin = isLast ? text.count + 1 : end
      } while begin <= text.count
      #expect(try found == vocabulary.encode(text, source: "bytes").tokens)
    }
  }

  /// A run of one letter is one piece, however long; it is neither merged nor read in O(n²).
  @Test func aPieceOfAMegabyteIsNoTrouble() throws {
    let vocabulary = try learned("aaabdaaabac", size: 259)
    let text = [UInt8](repeating: 0x61, count: 1 << 20)
    #expect(
      try vocabulary.encode(text, source: "text").tokens
        == [Int32](repeating: 256, count: 1 << 19))
    var encoder = try #require(vocabulary.bytePairEncoder)
    var count = 0
    text.withUnsafeBytes { text in
      for begin in stride(from: 0, to: text.count, by: 64) {
        let block = UnsafeRawBufferPointer(rebasing: text[begin..<begin + 64])
        encoder.read(block, isLast: begin + 64 == text.count) { count += $0.count }
      }
    }
    #expect(count == 1 << 19)
  }

  @Test func labelsCanBeSeen() throws {
    let vocabulary = try learned("aaabdaaabac", size: 256)
    #expect(vocabulary.label(of: 0) == "!")
    #expect(vocabulary.label(of: 198) == "⏎")
    #expect(vocabulary.label(of: 106) == "\\xAE")
  }
}
