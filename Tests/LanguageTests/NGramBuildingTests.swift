import Foundation
import Language
import Testing

/// Models of texts that don't fit into the memory that is allowed.
@Suite struct NGramBuildingTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "unfold-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Words by Zipf's law, so that there are many n-grams, some of them often.
  private func text(words: Int, seed: UInt64 = 3) -> String {
    var generator = SeededGenerator(seed)
    return (0..<words).map { _ in
      let share = Double(generator.next() >> 11) / 0x1p53
      let word = String(Int(pow(3000, share)), radix: 26)
      return word + (generator.next() % 12 == 0 ? "\n" : " ")
    }.joined()
  }

  private func build(
    _ file: URL, unit: TokenUnit, order: Int, memory: Int,
    smoothing: Smoothing = .modifiedKneserNey, pruning: Pruning = .none
  ) throws -> (arpa: Data, binary: Data, usesFile: Bool) {
    let scratch = Scratch(memory: memory, folder: folder)
    let text = try SpooledText(reading: [file.path], .init(unit: unit), scratch: scratch)
    let contents = try NGramContents(
      training: text, first: text.count, order: order, smoothing: smoothing, pruning: pruning,
      scratch: scratch
    ) { _, _ in }
    let (arpa, binary) = (folder.appending(path: "m.arpa"), folder.appending(path: "m.ngram"))
    try contents.writeARPA(to: arpa) { _ in }
    try contents.writeBinary(to: binary) { _ in }
    defer { for url in [arpa, binary] { try? FileManager.default.removeItem(at: url) } }
    return (try Data(contentsOf: arpa), try Data(contentsOf: binary), scratch.usesFile)
  }

  @Test(arguments: [
    (TokenUnit.words, 4, Smoothing.modifiedKneserNey, [0]), (.words, 3, .wittenBell, [0, 0, 1]),
    (.characters, 5, .modifiedKneserNey, [0, 1]), (.bpe, 3, .modifiedKneserNey, [0]),
    (.bytes, 6, .stupidBackoff(0.4), [0]),
  ])
  func littleMemoryGivesTheSameBytes(
    unit: TokenUnit, order: Int, smoothing: Smoothing, pruning: [Int]
  ) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "text")
    try Data(text(words: 150_000).utf8).write(to: file)
    let pruning = try Pruning(pruning)
    let inMemory = try build(
      file, unit: unit, order: order, memory: 1 << 30, smoothing: smoothing, pruning: pruning)
    let onDisk = try build(
      file, unit: unit, order: order, memory: 1 << 20, smoothing: smoothing, pruning: pruning)
    #expect(!inMemory.usesFile)
    #expect(onDisk.usesFile)
    #expect(inMemory.arpa == onDisk.arpa)
    #expect(inMemory.binary == onDisk.binary)
    // The file for what doesn't fit has no name.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["text"])
  }

  @Test func theModelInMemoryIsThatOfTheFiles() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "text")
    try Data(text(words: 20_000).utf8).write(to: file)
    let built = try build(file, unit: .words, order: 4, memory: 1 << 30)
    let source = try SourceText(contentsOf: file)
    let vocabulary = try Vocabulary(unit: .words, building: [source])
    let tokens = try Corpus([source], vocabulary: vocabulary).tokens
    let model = try NGramModel(training: tokens, vocabulary: vocabulary, order: 4)
    let arpa = folder.appending(path: "model.arpa")
    try ARPAFile.write(model, to: arpa)
    #expect(try Data(contentsOf: arpa) == built.arpa)
  }

  @Test func wherePagesCannotBeWrittenAnErrorSaysSo() throws {
    try FileManager.default.removeItem(at: folder)
    let scratch = Scratch(memory: 1 << 20, folder: folder)
    #expect(throws: (any Error).self) {
      let file = FileManager.default.temporaryDirectory
        .appending(path: "unfold-\(UUID().uuidString)")
      try Data(text(words: 400_000).utf8).write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      _ = try SpooledText(reading: [file.path], .init(unit: .words), scratch: scratch)
    }
  }

  /// In the second text, after more than a block of it.
  @Test func aReservedWordIsNamedWithItsLine() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (clean, marked) = (folder.appending(path: "clean"), folder.appending(path: "marked"))
    try Data("a b\nc\n".utf8).write(to: clean)
    let lines = String(repeating: "some words in a line\n", count: 100_000)
    try Data((lines + "a <s> b\n").utf8).write(to: marked)
    let scratch = Scratch(memory: 1 << 20, folder: folder)
    #expect(throws: NGramError.reservedWord("<s>", source: marked.path, line: 100_001)) {
      _ = try SpooledText(
        reading: [clean.path, marked.path], .init(unit: .words), scratch: scratch)
    }
  }

  /// ARPA files spell words as they are, but other tokens so that they can be seen.
  @Test func aZeroByteIsInNoWord() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "text")
    try Data("the hunter\nthe \0 fox\nsees a fo\0x\n".utf8).write(to: file)
    let scratch = Scratch(memory: 1 << 20, folder: folder)
    for splitting in WordSplitting.allCases {
      #expect(throws: NGramError.zeroByte(source: file.path, line: 2)) {
        _ = try SpooledText(
          reading: [file.path], .init(unit: .words, splitting: splitting), scratch: scratch)
      }
    }
    for unit in TokenUnit.allCases where unit != .words {
      let built = try build(file, unit: unit, order: 2, memory: 1 << 20)
      let model = try built.arpa.withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
      let text = try SourceText(contentsOf: file)
      let tokens = try Corpus([text], vocabulary: model.vocabulary).tokens
      #expect(Data(model.vocabulary.decode(tokens)) == text.bytes)
    }
  }

  /// Tokens in memory have no lines to name.
  @Test func wordsWithAZeroByteAreNotCounted() throws {
    let text = SourceText("a\0b c\n", name: "odd")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    #expect(throws: NGramError.zeroByte()) {
      try NGramModel(training: tokens, vocabulary: vocabulary, order: 2)
    }
  }

  @Test func aTextOfUnknownWordsTeachesNothing() throws {
    let text = SourceText("<unk> <unk>\n<unk>\n", name: "foreign")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    #expect(throws: NGramError.onlyUnknownWords) {
      try NGramModel(training: tokens, vocabulary: vocabulary, order: 2)
    }
  }
}
