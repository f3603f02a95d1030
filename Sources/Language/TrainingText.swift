import Foundation
import Interchange
import Tensors

/// A text made ready for training: read, split and encoded.
public struct TrainingText: Sendable {
  public let vocabulary: Vocabulary
  public let training: [Int32]
  /// Empty if there is nothing to validate on. Words have a line end before them, for context.
  public let validation: [Int32]
  /// Empty if nothing is kept for a test. As `validation`.
  public let test: [Int32]
  /// SHA-256 of the text and of the vocabulary: what a resumed training must have again.
  public let fingerprint: [String: String]

  /// Reads the files that the settings name, or makes the toy language's text.
  public init(_ settings: TextSettings, seed: UInt64) throws {
    if settings.files.isEmpty {
      try self.init(toy: ToyText(seed: seed))
      return
    }
    let files = try settings.files.map(SourceText.init(path:))
    let held = try settings.validationFile.map(SourceText.init(path:))
    let vocabulary = try Vocabulary(settings.vocabulary, building: files)
    let corpus = try Corpus(files, vocabulary: vocabulary)
    if let held {
      let validation = try Corpus([held], vocabulary: vocabulary)
      self.init(
        vocabulary, training: corpus.tokens, validation: validation.tokens, test: [],
        texts: files + [held])
    } else {
      let parts = try corpus.split(Split(parsing: settings.split))
      self.init(
        vocabulary, training: parts.train, validation: parts.validation, test: parts.test,
        texts: files)
    }
  }

  private init(toy: ToyText) throws {
    let vocabulary = try Vocabulary(unit: .words, building: [toy.training])
    func tokens(_ text: SourceText) throws -> [Int32] {
      try Corpus([text], vocabulary: vocabulary).tokens
    }
    self.init(
      vocabulary, training: try tokens(toy.training), validation: try tokens(toy.validation),
      test: try tokens(toy.test), texts: [toy.training, toy.validation, toy.test])
  }

  private init(
    _ vocabulary: Vocabulary, training: [Int32], validation: [Int32], test: [Int32],
    texts: [SourceText]
  ) {
    self.vocabulary = vocabulary
    self.training = training
    self.validation = vocabulary.withContext(validation)
    self.test = vocabulary.withContext(test)
    var text = SHA256()
    for part in texts { part.bytes.withUnsafeBytes { text.update(bytes: $0) } }
    var tokens = SHA256()
    if let json = try? vocabulary.json() { json.withUnsafeBytes { tokens.update(bytes: $0) } }
    fingerprint = ["text": text.finalize(), "vocabulary": tokens.finalize()]
  }
}

extension Vocabulary {
  /// The tokens with what stands before the first of them, where that is known: before a text of
  /// words a line has ended. Then the first token is predicted too.
  public func withContext(_ tokens: [Int32]) -> [Int32] {
    guard unit == .words, let lineEnd, !tokens.isEmpty else { return tokens }
    return [lineEnd] + tokens
  }
}

/// Text of the toy language: three parts from independent random numbers.
public struct ToyText: Sendable {
  public let training, validation, test: SourceText

  /// About as much as two minutes of training on two cores can use.
  public init(seed: UInt64, trainingTokens: Int = 1_000_000, otherTokens: Int = 40_000) {
    let language = ToyLanguage()
    func text(_ stream: UInt64, _ tokens: Int, _ name: String) -> SourceText {
      var generator = Philox(seed: seed, stream: 16 + stream)
      return SourceText(language.text(tokens: tokens, using: &generator), name: name)
    }
    training = text(0, trainingTokens, "the toy language")
    validation = text(1, otherTokens, "the toy language, validation part")
    test = text(2, otherTokens, "the toy language, test part")
  }
}
