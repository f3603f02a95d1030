import Foundation
import Language

/// What KenLM made of a toy text; see `Fixtures/README.md`.
enum NGramFixtures {
  struct Scores: Decodable {
    struct Sentence: Decodable {
      let sentence: String
      let words: [Word]
    }
    struct Word: Decodable {
      let word: String
      let log10: Double
    }
    let sentences: [Sentence]
  }

  static func url(_ name: String) throws -> URL {
    guard let folder = Bundle.module.resourceURL else { throw CocoaError(.fileNoSuchFile) }
    return folder.appending(path: "Fixtures/\(name)")
  }

  static func scores() throws -> Scores {
    try JSONDecoder().decode(Scores.self, from: Data(contentsOf: url("ngram_toy_scores.json")))
  }

  static func toyText() throws -> SourceText { try SourceText(contentsOf: url("ngram_toy.txt")) }

  /// A model of the toy text.
  static func toyModel(
    order: Int = 3, smoothing: Smoothing = .modifiedKneserNey, pruning: Pruning = .none,
    unit: TokenUnit = .words
  ) throws -> NGramModel {
    let text = try toyText()
    let vocabulary = try Vocabulary(unit: unit, building: [text])
    return try NGramModel(
      training: Corpus([text], vocabulary: vocabulary).tokens, vocabulary: vocabulary,
      order: order, smoothing: smoothing, pruning: pruning)
  }

  /// A file of a corpus that isn't part of the repository: in the folder that the environment's
  /// `UNFOLD_DATA` names, or in `../shared/data` beside the package.
  static func data(_ path: String) -> URL? {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder =
      ProcessInfo.processInfo.environment["UNFOLD_DATA"].map { URL(filePath: $0) }
      ?? package.deletingLastPathComponent().appending(path: "shared/data")
    let file = folder.appending(path: path)
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }
}
