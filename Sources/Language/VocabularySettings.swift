import Foundation
import Interchange

/// Which tokens a text becomes: what a vocabulary is made from, besides the text.
public struct VocabularySettings: Codable, Sendable, Equatable {
  public var unit: TokenUnit
  /// As many tokens as there may be, of words or byte pairs; nil for all words, or
  /// ``Vocabulary/defaultBytePairCount``.
  public var size: Int?
  /// Words that occur less often become `<unk>`, byte pairs stay apart; nil for 1.
  public var minimumCount: Int?
  /// What a word is; nil for what stands between white space.
  public var splitting: WordSplitting?
  /// The path of a `tokenizer.json` whose byte pairs are used, instead of learning them.
  public var tokenizer: String?

  enum CodingKeys: String, CodingKey {
    case tokenizer
    case unit = "tokens"
    case size = "vocabulary_size"
    case minimumCount = "minimum_count"
    case splitting = "word_splitting"
  }

  public init(
    unit: TokenUnit, size: Int? = nil, minimumCount: Int? = nil, splitting: WordSplitting? = nil,
    tokenizer: String? = nil
  ) {
    self.unit = unit
    self.size = size
    self.minimumCount = minimumCount
    self.splitting = splitting
    self.tokenizer = tokenizer
  }
}

extension Vocabulary {
  /// Collects the tokens of texts, or reads them from the settings' tokenizer.
  ///
  /// - Parameter progress: gets how far the reading has come, from time to time.
  /// - Throws: ``VocabularyError``, also for words of which only `<unk>` is left; `FileError` for a
  ///   tokenizer that can't be read.
  public init(
    _ settings: VocabularySettings, building texts: [SourceText],
    progress: (ReadingProgress) -> Void = { _ in }
  ) throws {
    if let tokenizer = settings.tokenizer {
      try self.init(contentsOfTokenizer: URL(filePath: tokenizer))
    } else {
      try self.init(
        unit: settings.unit, building: texts, minimumCount: settings.minimumCount ?? 1,
        maximumSize: settings.size, splitting: settings.splitting ?? .whitespace,
        progress: progress)
      if unit == .words, count == Self.specialWords.count {
        throw VocabularyError.onlyUnknownWords(source: Self.name(of: texts))
      }
    }
  }

  /// Reads a byte-level BPE `tokenizer.json`.
  ///
  /// - Throws: ``VocabularyError/unusableTokenizer(file:reason:)``, `FileError`.
  public init(contentsOfTokenizer url: URL) throws {
    let data = try MappedFile(contentsOf: url).withBytes { Data($0) }
    do {
      try self.init(tokenizer: data)
    } catch VocabularyError.malformedFile(let reason) {
      throw VocabularyError.unusableTokenizer(file: url.relativePath, reason: reason)
    }
  }
}
