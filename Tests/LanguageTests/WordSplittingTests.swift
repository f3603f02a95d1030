import Foundation
import Language
import Learning
import Testing

@Suite struct WordSplittingTests {
  private func words(_ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    let vocabulary = try Vocabulary(
      unit: .words, building: bytes, source: "text", splitting: .punctuation)
    return try vocabulary.encode(bytes, source: "text").tokens.dropLast().map {
      String(decoding: vocabulary.decode([$0]), as: UTF8.self)
    }
  }

  /// By the rules of `WordSplitting.punctuation`.
  @Test(
    arguments: [
      ("Hello, world!", ["Hello", ",", "world", "!"]),
      ("\"Don't,\" she said...", ["\"", "Don't", ",", "\"", "she", "said", "..."]),
      (
        "the dogs' well-known o\u{2019}clock", ["the", "dogs", "'", "well-known", "o\u{2019}clock"]
      ),
      (
        "3.14 1,000 10:30 a,b a:b 1,",
        ["3.14", "1,000", "10:30", "a", ",", "b", "a", ":", "b", "1", ","]
      ),
      ("the U.S. e.g.", ["the", "U.S", ".", "e.g", "."]),
      ("-- a--b - snake_case", ["--", "a", "--", "b", "-", "snake_case"]),
      ("?!?! $5 50%", ["?", "!", "?", "!", "$", "5", "50", "%"]),
      ("¿Qué? «Naïve» 日本。e\u{301}t", ["¿", "Qué", "?", "«", "Naïve", "»", "日本", "。", "e\u{301}t"]),
      ("🦊🦊x <unk> <b>", ["🦊🦊", "x", "<unk>", "<", "b", ">"]),
      ("-a- 'a'", ["-", "a", "-", "'", "a", "'"]),
    ] as [(String, [String])])
  func splitsPunctuationOff(text: String, expected: [String]) throws {
    #expect(try words(text) == expected)
  }

  @Test func losesNothingButWhiteSpace() throws {
    var generator = SeededGenerator(3)
    let pieces = [
      "a", "é", "e\u{301}", "7", "'", "-", ".", ",", "..", "(", "日", "🦊", "_", " ", "\u{A0}",
    ]
    for _ in 0..<500 {
      let text = "x " + (0..<20).map { _ in pieces[Int(generator.next() % 15)] }.joined()
      let kept = text.utf8.filter { $0 != 0x20 }
      #expect(try words(text).flatMap { Array($0.utf8) } == Array(kept))
    }
  }

  @Test(arguments: [
    "Hello, world!", "She said (twice): “Don't!” and left; 50% of $5...", "¿Qué? ¡No!\nA [b] {c}.",
  ])
  func writesOrdinaryTextAsItWas(text: String) throws {
    let bytes = Array(text.utf8)
    let vocabulary = try Vocabulary(
      unit: .words, building: bytes, source: "text", splitting: .punctuation)
    let tokens = try vocabulary.encode(prompt: text)
    #expect(vocabulary.decode(tokens) == bytes)
    #expect(vocabulary.byteCount(of: TokenSequence(tokens)) == bytes.count)
  }

  @Test func standsInTheFile() throws {
    let text = Array("Hello, world!".utf8)
    let vocabulary = try Vocabulary(
      unit: .words, building: text, source: "text", splitting: .punctuation)
    let json = try vocabulary.json()
    #expect(
      String(decoding: json, as: UTF8.self)
        == #"{"unit":"words","splitting":"punctuation","tokens":["<unk>","</s>","!",",","Hello","world"]}"#
    )
    let read = try Vocabulary(json: json)
    #expect(read == vocabulary)
    #expect(try read.encode(text, source: "").tokens == [4, 3, 5, 2, 1])
    #expect(
      try read != Vocabulary(unit: .words, building: Array("Hello , world !".utf8), source: ""))
    #expect(throws: VocabularyError.self) {
      try Vocabulary(
        json: Data(#"{"unit":"words","splitting":"x","tokens":["<unk>","</s>"]}"#.utf8))
    }
  }

  /// Both forms of n-grams cut other texts as the model's own was cut.
  @Test func standsInFilesOfNGrams() throws {
    let text = SourceText("the fox, the dog.\nthe dog, the fox!\n", name: "text")
    let vocabulary = try Vocabulary(unit: .words, building: [text], splitting: .punctuation)
    let model = try NGramModel(
      training: Corpus([text], vocabulary: vocabulary).tokens, vocabulary: vocabulary, order: 2)
    try withTemporaryFolder { folder in
      let (arpa, binary) = (folder.appending(path: "m.arpa"), folder.appending(path: "m.ngram"))
      try ARPAFile.write(model, to: arpa)
      try model.contents(Scratch(memory: 1 << 30)).writeBinary(to: binary) { _ in }
      for url in [arpa, binary] {
        #expect(try NGramModel(contentsOf: url).vocabulary == vocabulary)
      }
      let changed = try String(contentsOf: arpa, encoding: .utf8)
        .replacing("splitting: punctuation", with: "splitting: letters")
      try Data(changed.utf8).write(to: arpa)
      #expect(throws: ARPAError.self) { try NGramModel(contentsOf: arpa) }
    }
  }
}
