import Foundation
import Learning

/// One or more texts as tokens of a vocabulary, one after the other.
public struct Corpus: Sendable, Equatable {
  /// How messages call it: the file's name, or "3 files".
  public let name: String
  public let tokens: TokenSequence
  /// Bytes of the texts.
  public let bytes: Int
  /// Characters left out, or words read as `<unk>`, because the vocabulary lacks them.
  public let outOfVocabulary: Int

  /// Encodes texts, of which no more than a block is in memory at a time; their tokens are, if
  /// there aren't many.
  ///
  /// - Parameters:
  ///   - minimumTokens: what the caller needs at least; training needs two per stream.
  ///   - progress: gets how far the reading has come, from time to time.
  /// - Throws: ``VocabularyError`` for invalid UTF-8, ``CorpusError/tooShort(_:tokens:needed:)``,
  ///   `FileError` if many tokens can't be kept.
  public init(
    _ texts: [SourceText], vocabulary: Vocabulary, minimumTokens: Int = 2,
    progress: (ReadingProgress) -> Void = { _ in }
  ) throws {
    try self.init(texts, vocabulary, minimumTokens: minimumTokens, progress) { _ in }
  }

  /// As above; `visit` gets each block of the texts.
  init(
    _ texts: [SourceText], _ vocabulary: Vocabulary, minimumTokens: Int = 2,
    _ progress: (ReadingProgress) -> Void, visit: (UnsafeRawBufferPointer) -> Void
  ) throws {
    var writer = TokenWriter(vocabularySize: vocabulary.count)
    var reading = ReadingProgress(.tokens, of: texts)
    var (found, outOfVocabulary): ([Int32], Int) = ([], 0)
    for text in texts {
      var encoder = TokenEncoder(vocabulary, source: text.name)
      try text.forEachBlock { block in
        try encoder.encode(block, into: &found)
        try writer.take(&found)
        visit(block)
        reading.done += block.count
        progress(reading)
      }
      try encoder.finish(into: &found)
      try writer.take(&found)
      outOfVocabulary += encoder.outOfVocabulary
    }
    name = texts.count == 1 ? texts[0].name : "\(texts.count) files"
    tokens = try writer.finish()
    (bytes, self.outOfVocabulary) = (reading.total, outOfVocabulary)
    try Self.require(minimumTokens, of: tokens, in: name)
  }

  /// Reads and encodes files.
  ///
  /// - Throws: ``CorpusError`` for a file that can't be used, and as the other initialiser does.
  public init(contentsOf files: [URL], vocabulary: Vocabulary, minimumTokens: Int = 2) throws {
    let texts = try files.map(SourceText.init(contentsOf:))
    try self.init(texts, vocabulary: vocabulary, minimumTokens: minimumTokens)
  }

  /// This corpus, if its vocabulary knows anything of it.
  ///
  /// - Throws: ``CorpusError/onlyUnknown(_:words:)`` if every word is `<unk>`, because it was read
  ///   as that or is written so; ``VocabularyError/noWords(source:)`` if there are no words at all.
  public func withKnownWords(in vocabulary: Vocabulary) throws -> Corpus {
    try Self.requireKnownWords(in: tokens, of: vocabulary, name: name)
    return self
  }

  /// The same of any tokens.
  ///
  /// - Parameter name: what messages call them.
  public static func requireKnownWords(
    in tokens: TokenSequence, of vocabulary: Vocabulary, name: String
  ) throws {
    guard vocabulary.unit == .words,
      tokens.allSatisfy({ $0 == Vocabulary.unknownWord || $0 == Vocabulary.lineEndWord })
    else { return }
    try refuseUnknown(words: tokens.count { $0 == Vocabulary.unknownWord }, of: name)
  }

  /// Refuses a text of so many words, all of them unknown.
  public static func refuseUnknown(words: Int, of name: String) throws {
    guard words > 0 else { throw VocabularyError.noWords(source: name) }
    throw CorpusError.onlyUnknown(name, words: words)
  }

  /// Which part of a split text.
  public enum Part: String, Sendable, CaseIterable {
    case train, valid, test
  }

  /// One part of the tokens, cut as ``split(_:minimumTraining:minimumOther:)`` cuts them.
  ///
  /// - Throws: ``CorpusError`` if the part is empty or has fewer than `minimumTokens`.
  public func part(_ part: Part, of split: Split, minimumTokens: Int = 2) throws -> TokenSequence {
    let cuts = split.cuts(of: tokens.count)
    let (share, range) =
      switch part {
      case .train: (split.train, 0..<cuts.validation)
      case .valid: (split.validation, cuts.validation..<cuts.test)
      case .test: (split.test, cuts.test..<tokens.count)
      }
    guard share > 0 else { throw CorpusError.emptyPart(part.rawValue, split: split.description) }
    let found = TokenSequence(rebasing: tokens[range])
    try Self.require(minimumTokens, of: found, in: "the \(part.rawValue) part of \(name)")
    return found
  }

  /// Tokens for training, for choosing, and for the final measurement.
  public struct Parts: Sendable, Equatable {
    public let train: TokenSequence
    /// Empty if the split gives it nothing, as `test`.
    public let validation: TokenSequence
    public let test: TokenSequence
  }

  /// Cuts the tokens in two or three by position: training first, test last.
  ///
  /// - Parameters:
  ///   - minimumTraining: tokens that training needs.
  ///   - minimumOther: tokens that validation and test need, where the split gives them any.
  /// - Throws: ``CorpusError/tooShort(_:tokens:needed:)``.
  public func split(
    _ split: Split, minimumTraining: Int = 2, minimumOther: Int = 2
  ) throws -> Parts {
    let cuts = split.cuts(of: tokens.count)
    let parts = Parts(
      train: TokenSequence(rebasing: tokens[..<cuts.validation]),
      validation: TokenSequence(rebasing: tokens[cuts.validation..<cuts.test]),
      test: TokenSequence(rebasing: tokens[cuts.test...]))
    try Self.require(minimumTraining, of: parts.train, in: "the training part of \(name)")
    if split.validation > 0 {
      try Self.require(minimumOther, of: parts.validation, in: "the validation part of \(name)")
    }
    if split.test > 0 {
      try Self.require(minimumOther, of: parts.test, in: "the test part of \(name)")
    }
    return parts
  }

  private static func require(_ needed: Int, of tokens: TokenSequence, in what: String) throws {
    if tokens.count < needed {
      throw CorpusError.tooShort(what, tokens: tokens.count, needed: needed)
    }
  }
}

/// Why a text can't be used.
public enum CorpusError: Error, Equatable, Sendable, CustomStringConvertible {
  case missing(file: String)
  case folder(String)
  case unreadable(file: String)
  case empty(file: String)
  case tooShort(String, tokens: Int, needed: Int)
  case invalidSplit(String, reason: String)
  case emptyPart(String, split: String)
  case onlyUnknown(String, words: Int)

  public var description: String {
    switch self {
    case .missing(let file): "There is no file \(file)."
    case .folder(let name): "\(name) is a folder; name the text files in it instead."
    case .unreadable(let file): "\(file) can't be read; check its permissions."
    case .empty(let file): "\(file) is empty."
    case .tooShort(let what, let tokens, let needed):
      "Too little text: \(what) has \(tokens) \(tokens == 1 ? "token" : "tokens"), "
        + "and at least \(needed) are needed."
    case .emptyPart(let part, let split):
      "A split of \(split) leaves nothing for the \(part) part; choose another --part or --split."
    case .onlyUnknown(let what, let words):
      "The model knows none of the \(words) words of \(what), from its line 1 to its end; use a text in "
        + "the model's language and spelling."
    case .invalidSplit(let text, let reason): "“\(text)” is no split such as 90,5,5: \(reason)."
    }
  }
}
