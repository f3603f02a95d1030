import Foundation
import Interchange
import Learning
import Tensors

/// A text made ready for training: read, split and encoded.
public struct TrainingText: Sendable {
  public let vocabulary: Vocabulary
  public let training: TokenSequence
  /// Empty if there is nothing to validate on. Words have a line end before them, for context.
  public let validation: TokenSequence
  /// Empty if nothing is kept for a test. As `validation`.
  public let test: TokenSequence
  /// SHA-256 of the text and of the vocabulary: what a resumed training must have again.
  public let fingerprint: [String: String]

  /// Reads the files that the settings name, or makes the toy language's text.
  ///
  /// - Parameter progress: gets how far the reading has come, from time to time.
  public init(
    _ settings: TextSettings, seed: UInt64, progress: (ReadingProgress) -> Void = { _ in }
  ) throws {
    if settings.files.isEmpty {
      try self.init(toy: ToyText(seed: seed))
      return
    }
    let files = try settings.files.map(SourceText.init(path:))
    let held = try settings.validationFile.map(SourceText.init(path:))
    var reader = try Reader(
      Vocabulary(settings.vocabulary, building: files, progress: progress))
    let corpus = try reader.corpus(files, progress)
    if let held {
      let validation = try reader.corpus([held], progress)
      self.init(reader, training: corpus.tokens, validation: validation.tokens, test: [])
    } else {
      let parts = try corpus.split(Split(parsing: settings.split))
      self.init(reader, training: parts.train, validation: parts.validation, test: parts.test)
    }
  }

  private init(toy: ToyText) throws {
    var reader = Reader(try Vocabulary(unit: .words, building: [toy.training]))
    let tokens = try [toy.training, toy.validation, toy.test].map {
      try reader.corpus([$0]) { _ in }.tokens
    }
    self.init(reader, training: tokens[0], validation: tokens[1], test: tokens[2])
  }

  private init(
    _ reader: Reader, training: TokenSequence, validation: TokenSequence, test: TokenSequence
  ) {
    vocabulary = reader.vocabulary
    self.training = training
    self.validation = vocabulary.withContext(validation)
    self.test = vocabulary.withContext(test)
    var tokens = SHA256()
    if let json = try? vocabulary.json() { json.withUnsafeBytes { tokens.update(bytes: $0) } }
    fingerprint = ["text": reader.hash.finalize(), "vocabulary": tokens.finalize()]
  }

  /// Encodes texts, and hashes them as they pass.
  private struct Reader {
    let vocabulary: Vocabulary
    private(set) var hash = SHA256()

    init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

    mutating func corpus(
      _ texts: [SourceText], _ progress: (ReadingProgress) -> Void
    ) throws -> Corpus {
      var hash = hash
      let corpus = try Corpus(texts, vocabulary, progress) { hash.update(bytes: $0) }
        .withKnownWords(in: vocabulary)
      self.hash = hash
      return corpus
    }
  }
}

extension Vocabulary {
  /// The tokens with what stands before the first of them, where that is known: before a text of
  /// words a line has ended. Then the first token is predicted too.
  public func withContext(_ tokens: TokenSequence) -> TokenSequence {
    guard unit == .words, let lineEnd, !tokens.isEmpty else { return tokens }
    return tokens.preceded(by: lineEnd)
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
