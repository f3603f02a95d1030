import Foundation
import Language
import Learning
import Testing

@Suite struct SpooledTextTests {
  private func file(_ bytes: [UInt8]) throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "unfold-\(UUID().uuidString)")
    try Data(bytes).write(to: url)
    return url
  }

  private func read(
    _ files: [URL], _ settings: VocabularySettings
  ) throws -> (Vocabulary, [Int32]) {
    let text = try SpooledText(
      reading: files.map(\.path), settings, scratch: Scratch(memory: 1 << 20))
    return (text.vocabulary, try text.allTokens())
  }

  /// Texts longer than a block, so that blocks end within words, characters and line ends.
  @Test(arguments: [
    VocabularySettings(unit: .bytes), .init(unit: .characters), .init(unit: .words),
    .init(unit: .words, size: 7, minimumCount: 3, splitting: .punctuation),
    .init(unit: .bpe, size: 300), .init(unit: .bpe, minimumCount: 30_000),
  ])
  func equalsTheVocabularyAndTheCorpusInMemory(settings: VocabularySettings) throws {
    var generator = SeededGenerator(7)
    let pieces = [
      "a", "über", "日本", "🦊🦊", "\n", "\r\n", "  ", "\t", "\n\n", "</b>", "<unk>", "o'a", "., ",
    ]
    for (length, end) in [(200_000, ""), (300_000, "\n"), (10, "last")] {
      var content = "\u{FEFF}"
      for _ in 0..<length { content += pieces[Int(generator.next() % 13)] }
      let files = try [file(Array((content + end).utf8)), file(Array("one more".utf8))]
      defer { for file in files { try? FileManager.default.removeItem(at: file) } }
      let texts = try files.map(SourceText.init(contentsOf:))
      let vocabulary = try Vocabulary(settings, building: texts)
      let (found, tokens) = try read(files, settings)
      #expect(found == vocabulary)
      #expect(try TokenSequence(tokens) == Corpus(texts, vocabulary: vocabulary).tokens)
    }
  }

  @Test func saysWhereATextIsNoUTF8() throws {
    let line = Array("some words in a line\n".utf8)
    let whole = (0..<100_000).flatMap { _ in line }
    for unit in [TokenUnit.words, .characters] {
      let url = try file(whole + Array("and ".utf8) + [0xC3, 0x28] + line)
      defer { try? FileManager.default.removeItem(at: url) }
      let error = #expect(throws: VocabularyError.self) { try read([url], .init(unit: unit)) }
      guard case .invalidUTF8(_, 0xC3, 2_100_004, 100_001) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func refusesAWordLongerThanAMegabyte() throws {
    let url = try file(
      Array("a b\nc ".utf8) + [UInt8](repeating: 0x61, count: 3 << 20) + Array(" d\n".utf8))
    defer { try? FileManager.default.removeItem(at: url) }
    #expect(throws: VocabularyError.wordTooLong(source: url.relativePath, line: 2)) {
      try read([url], .init(unit: .words))
    }
    #expect(try read([url], .init(unit: .characters)).1.count == 9 + (3 << 20))
  }
}
