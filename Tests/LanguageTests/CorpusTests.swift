import Foundation
import Language
import Testing

@Suite struct CorpusTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("unfold-corpus-\(UUID().uuidString)")

  private func withFiles(_ texts: [String: String], _ body: ([URL]) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = try texts.sorted { $0.key < $1.key }.map { name, text in
      let file = folder.appendingPathComponent(name)
      try Data(text.utf8).write(to: file)
      return file
    }
    try body(files)
  }

  @Test func filesFollowOneAnother() throws {
    try withFiles(["1.txt": "the fox\n", "2.txt": "the dog ran"]) { files in
      let texts = try files.map(SourceText.init(contentsOf:))
      let vocabulary = try Vocabulary(unit: .words, building: texts)
      let corpus = try Corpus(contentsOf: files, vocabulary: vocabulary)
      #expect(vocabulary.decode(corpus.tokens) == Array("the fox\nthe dog ran\n".utf8))
      #expect(corpus.bytes == 19)
      #expect(corpus.outOfVocabulary == 0)
      #expect(corpus.name == "2 files")
      #expect(try corpus == Corpus(texts, vocabulary: vocabulary))
    }
  }

  @Test func unusableFilesAreNamed() throws {
    try withFiles(["empty.txt": "", "short.txt": "a"]) { files in
      let missing = folder.appendingPathComponent("missing.txt")
      #expect(throws: CorpusError.missing(file: missing.path)) {
        try SourceText(contentsOf: missing)
      }
      #expect(throws: CorpusError.folder(folder.path)) { try SourceText(contentsOf: folder) }
      #expect(throws: CorpusError.empty(file: files[0].path)) {
        try SourceText(contentsOf: files[0])
      }
      #expect(throws: CorpusError.tooShort(files[1].path, tokens: 1, needed: 40)) {
        try Corpus(contentsOf: [files[1]], vocabulary: .bytes, minimumTokens: 40)
      }
    }
    #expect(
      CorpusError.tooShort("a.txt", tokens: 1, needed: 40).description
        == "Too little text: a.txt has 1 token, and at least 40 are needed.")
  }

  @Test(arguments: [
    ("90,5,5", [900, 50, 50]), ("90,10", [900, 100, 0]), ("80, 0, 20", [800, 0, 200]),
    ("100,0", [1000, 0, 0]), ("33.33,33.33,33.33", [333, 333, 334]), ("99.9,0.1", [999, 1, 0]),
  ])
  func splitsByPosition(text: String, sizes: [Int]) throws {
    let bytes = Data((0..<1000).map { UInt8($0 % 251) })
    let corpus = try Corpus([SourceText(name: "t", bytes: bytes)], vocabulary: .bytes)
    let parts = try corpus.split(Split(parsing: text), minimumOther: 1)
    #expect([parts.train.count, parts.validation.count, parts.test.count] == sizes)
    #expect(Array(parts.train) + parts.validation + parts.test == Array(corpus.tokens))
  }

  /// 1,115,394 characters cut at int(0.9 n), as nanoGPT prepares them, give 1,003,854 and 111,540.
  @Test func cutsWhereOthersCut() throws {
    let bytes = Data(repeating: 65, count: 1_115_394)
    let corpus = try Corpus([SourceText(name: "t", bytes: bytes)], vocabulary: .bytes)
    let parts = try corpus.split(Split(parsing: "90,10"))
    #expect(parts.train.count == 1_003_854)
    #expect(parts.validation.count == 111_540)
  }

  @Test(arguments: [
    ("90", "two or three percentages are needed, 1 found"),
    ("90,5,5,0", "two or three percentages are needed, 4 found"),
    ("90,20", "the percentages sum to 110, not 100"),
    ("33.3,33.3,33.3", "the percentages sum to 99.9, not 100"),
    ("90,x", "“x” isn't a percentage between 0 and 100"),
    ("90,", "“” isn't a percentage between 0 and 100"),
    ("110,-10", "“110” isn't a percentage between 0 and 100"),
    ("nan,10", "“nan” isn't a percentage between 0 and 100"),
    ("0,50,50", "nothing would be left for training"),
  ])
  func refusesOtherSplits(text: String, reason: String) {
    let error = #expect(throws: CorpusError.self) { try Split(parsing: text) }
    #expect(error?.description == "“\(text)” is no split such as 90,5,5: \(reason).")
  }

  @Test func partsMustBeLongEnough() throws {
    let corpus = try Corpus([SourceText("0123456789", name: "t")], vocabulary: .bytes)
    #expect(throws: CorpusError.tooShort("the validation part of t", tokens: 1, needed: 2)) {
      try corpus.split(Split(parsing: "90,10"))
    }
    #expect(throws: CorpusError.tooShort("the training part of t", tokens: 5, needed: 6)) {
      try corpus.split(Split(parsing: "50,30,20"), minimumTraining: 6)
    }
    #expect(throws: CorpusError.tooShort("the test part of t", tokens: 1, needed: 2)) {
      try corpus.split(Split(parsing: "50,40,10"))
    }
  }
}
