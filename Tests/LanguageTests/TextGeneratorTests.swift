import Foundation
import Language
import Tensors
import Testing

@Suite struct TextGeneratorTests {
  private static let text = "the fox saw the hunter\nthe hunter saw the fox\n"
  private static let greedy = Sampling(temperature: 0)

  private func vocabulary(_ unit: TokenUnit) throws -> Vocabulary {
    try Vocabulary(unit: unit, building: Array(Self.text.utf8), source: "text")
  }

  private func tokens(_ generator: TextGenerator, _ count: Int) -> [Int32] {
    var generator = generator
    return (0..<count).map { _ in generator.next() }
  }

  /// Stepping by hand through the prompt and then the likeliest tokens.
  @Test(arguments: CellKind.allCases, TokenUnit.allCases)
  func thePromptIsRead(cell: CellKind, unit: TokenUnit) throws {
    let vocabulary = try vocabulary(unit)
    let model = smallModel(cell, vocabularySize: vocabulary.count)
    for prompt in ["", "the hunter"] {
      let encoded = try vocabulary.encode(prompt: prompt)
      // A line of words begins after the end of another one, and so does any text without a prompt.
      let context = unit == .words || prompt.isEmpty ? [vocabulary.lineEnd ?? 0] + encoded : encoded
      var predictor = model.predictor()
      var logits: [Float] = []
      for token in context { logits = predictor.logits(after: token) }
      var expected: [Int32] = []
      for _ in 0..<12 {
        if unit == .words { logits[Int(Vocabulary.unknownWord)] = -.infinity }
        let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
        expected.append(Int32(best))
        logits = predictor.logits(after: Int32(best))
      }
      let generator = try TextGenerator(
        model, vocabulary: vocabulary, prompt: prompt, sampling: Self.greedy)
      #expect(tokens(generator, 12) == expected)
    }
  }

  @Test func sameSeedSameText() throws {
    let vocabulary = try vocabulary(.characters)
    let model = smallModel(vocabularySize: vocabulary.count)
    func text(seed: UInt64) throws -> [Int32] {
      tokens(try TextGenerator(model, vocabulary: vocabulary, seed: seed), 50)
    }
    #expect(try text(seed: 1) == text(seed: 1))
    #expect(try text(seed: 1) != text(seed: 2))
  }

  @Test func anUnknownPromptIsRefused() throws {
    let vocabulary = try vocabulary(.words)
    #expect(throws: VocabularyError.unknown(.words, ["wolf"])) {
      try TextGenerator(
        smallModel(vocabularySize: vocabulary.count), vocabulary: vocabulary, prompt: "the wolf")
    }
  }

  @Test func unknownWordsAreNeverWritten() throws {
    let vocabulary = try vocabulary(.words)
    var logits = [Float](repeating: 0, count: vocabulary.count)
    logits[Int(Vocabulary.unknownWord)] = 100
    let generator = try TextGenerator(FixedModel(fixed: logits), vocabulary: vocabulary)
    #expect(!tokens(generator, 200).contains(Vocabulary.unknownWord))
  }

  /// A model of bytes that recites a text.
  private func recite(
    _ script: String, length: Int, until stop: String? = nil
  ) throws -> (pieces: [String], tokens: Int) {
    let model = ScriptedModel(script: script.utf8.map(Int32.init), vocabularySize: 256)
    var generator = try TextGenerator(model, vocabulary: .bytes)
    var pieces: [String] = []
    generator.write(length: length, until: stop) { pieces.append($0) }
    return (pieces, generator.count)
  }

  @Test func writesAsManyTokensAsAskedFor() throws {
    #expect(try recite("abc", length: 5) == (["a", "b", "c", "a", "b"], 5))
    #expect(try recite("abc", length: 0) == ([], 0))
  }

  @Test func charactersOfSeveralBytesComeWhole() throws {
    let script = "é😀ж!"
    let (pieces, tokens) = try recite(script, length: script.utf8.count)
    #expect(pieces == ["é", "😀", "ж", "!"])
    #expect(tokens == 9)
    // What is cut off by the length is marked.
    #expect(try recite(script, length: 4).pieces == ["é", "\u{FFFD}"])
  }

  @Test func stopStringsSpanTokens() throws {
    #expect(try recite("xaaab", length: 50, until: "aab") == (["x", "a"], 5))
    #expect(try recite("x😀y", length: 50, until: "😀y") == (["x"], 6))
    // The text ends while it may still be the beginning of one.
    #expect(try recite("xaa", length: 3, until: "aab") == (["x", "aa"], 3))
  }

  @Test func wordsGoOnAfterThePrompt() throws {
    let vocabulary = try vocabulary(.words)
    let script = try vocabulary.encode(prompt: "saw the fox\nthe")
    let model = ScriptedModel(script: [script[0]] + script, vocabularySize: vocabulary.count)
    for (prompt, length, expected) in [("", 5, "saw saw the fox\n"), ("fox", 4, " saw the fox\n")] {
      let encoded = try vocabulary.encode(prompt: prompt)
      var generator = try TextGenerator(model, vocabulary: vocabulary, prompt: prompt)
      var text = ""
      generator.write(length: length, after: encoded) { text += $0 }
      #expect(text == expected)
    }
  }
}

@Suite struct ToyTextTests {
  @Test func partsAreReproducibleAndDiffer() {
    func text(_ seed: UInt64) -> ToyText {
      ToyText(seed: seed, trainingTokens: 3000, otherTokens: 3000)
    }
    let (one, again, other) = (text(1), text(1), text(2))
    func parts(_ text: ToyText) -> [Data] {
      [text.training.bytes, text.validation.bytes, text.test.bytes]
    }
    #expect(parts(one) == parts(again))
    #expect(Set(parts(one) + parts(other)).count == 6)
    for part in parts(one) {
      let words = String(decoding: part, as: UTF8.self).split { $0 == " " }.count
      #expect(words > 1500 && part.last == 0x0A)
    }
  }
}
