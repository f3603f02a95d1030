import ArgumentParser
import Foundation
import Language

/// Which tokens a text becomes, besides `--tokens`.
struct VocabularyOptions: RecipeOptions {
  @Option(
    help: """
      As many tokens as there may be: the most frequent words, <unk> and </s> among them (default: \
      all); or the 256 bytes and the byte pairs learned from the text (default for bpe: \
      \(Vocabulary.defaultBytePairCount)).
      """)
  var vocabularySize: Int?
  @Option(
    help: "Words that occur less often become <unk>, byte pairs stay apart (default: 1).")
  var minimumCount: Int?
  @Option(
    help: """
      What a word is: whitespace, which takes what stands between white space as it is, or \
      punctuation, which also splits punctuation off, but for apostrophes, hyphens and full stops \
      within words and commas and colons within numbers; a text is written without the spaces that \
      this put between (default: whitespace).
      """)
  var wordSplitting: WordSplitting?
  @Option(
    help: """
      For bpe: the tokenizer.json of a byte-level BPE tokenizer, as Hugging Face's tokenizers writes \
      it, instead of learning one. Text never becomes one of its special tokens.
      """,
    completion: .file(extensions: ["json"]))
  var tokenizer: String?

  static var settings: [RecipeSetting<Self>] {
    [
      .init(\.vocabularySize), .init(\.minimumCount), .init(\.wordSplitting), .init(\.tokenizer),
    ]
  }

  /// - Parameter unit: what `--tokens` says, or what it is without it.
  func settings(_ unit: TokenUnit) throws -> VocabularySettings {
    let isCounted = unit == .words || unit == .bpe
    if !isCounted, vocabularySize != nil || minimumCount != nil {
      throw ValidationError(
        "--vocabulary-size and --minimum-count are for --tokens words and bpe, not "
          + "\(unit.rawValue).")
    }
    if unit != .words, wordSplitting != nil {
      throw ValidationError("--word-splitting is for --tokens words, not \(unit.rawValue).")
    }
    if tokenizer != nil {
      guard unit == .bpe else {
        throw ValidationError("--tokenizer is for --tokens bpe, not \(unit.rawValue).")
      }
      if vocabularySize != nil || minimumCount != nil {
        throw ValidationError(
          "--tokenizer says which tokens there are, so it takes neither --vocabulary-size nor "
            + "--minimum-count.")
      }
    }
    let least = unit == .bpe ? 256 : 3
    if let vocabularySize, !(least...Vocabulary.largestCount ~= vocabularySize) {
      throw ValidationError(
        "--vocabulary-size must be from \(least)\(unit == .bpe ? ", all bytes," : "") to "
          + "\(Vocabulary.largestCount), not \(vocabularySize).")
    }
    if let minimumCount, minimumCount < 1 {
      throw ValidationError("--minimum-count must be at least 1, not \(minimumCount).")
    }
    return VocabularySettings(
      unit: unit, size: vocabularySize, minimumCount: minimumCount, splitting: wordSplitting,
      tokenizer: tokenizer.map { URL(filePath: $0).standardizedFileURL.path })
  }
}

extension WordSplitting: ExpressibleByArgument {}
