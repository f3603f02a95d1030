import Examples
import Foundation
import Testing
import Unfold

@Suite struct CompletePromptTests {
  private let text = "the fox saw the hunter\nthe hunter saw the fox\n"

  /// A model with fresh weights, in a folder that is removed afterwards.
  private func withModelFolder(_ unit: TokenUnit, _ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "examples-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let vocabulary = try Vocabulary(unit: unit, building: Array(text.utf8), source: "text")
    let configuration = ModelConfiguration(cell: .gru, layers: 1, hiddenSize: 8)
    let model = configuration.model(vocabularySize: vocabulary.count, seed: 1)
    try ModelFolder(configuration: configuration, vocabulary: vocabulary, model: model)
      .write(to: folder)
    try body(folder)
  }

  @Test func goesOnWithThePrompt() throws {
    try withModelFolder(.characters) { folder in
      let text = try completePrompt("the fox", withModelIn: folder, length: 20)
      #expect(text.hasPrefix("the fox"))
      #expect(text.unicodeScalars.count == 7 + 20)
      #expect(try text == completePrompt("the fox", withModelIn: folder, length: 20))
      #expect(try text != completePrompt("the fox", withModelIn: folder, length: 20, seed: 2))
    }
  }

  @Test func separatesWords() throws {
    try withModelFolder(.words) { folder in
      let text = try completePrompt("the fox", withModelIn: folder, length: 5)
      #expect(text.hasPrefix("the fox ") || text.hasPrefix("the fox\n"))
      // Every token is a word or a line end.
      #expect(text.split { $0 == " " || $0 == "\n" }.count + text.count { $0 == "\n" } == 7)
    }
  }

  @Test func aPromptThatTheModelDoesNotKnowIsRefused() throws {
    try withModelFolder(.words) { folder in
      let error = #expect(throws: VocabularyError.self) {
        try completePrompt("the wolf", withModelIn: folder)
      }
      #expect(error?.description.contains("wolf") == true)
    }
  }
}
