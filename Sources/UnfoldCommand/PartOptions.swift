import ArgumentParser
import Language
import Learning

/// Which part of a text is meant, cut as `train --split` cuts it.
struct PartOptions: ParsableArguments {
  @Option(
    help: """
      Percentages by which `train --split` cut the text, such as 80,10,10; then only one part is \
      used.
      """)
  var split: String?
  @Option(help: "Which part: train, valid or test (default: test).") var part: Corpus.Part?

  func validate() throws {
    guard let split else {
      if part != nil { throw ValidationError("--part needs --split, such as --split 80,10,10.") }
      return
    }
    do {
      _ = try Split(parsing: split)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// The tokens that are meant, with what stands before them.
  ///
  /// - Parameter minimumTokens: what the caller needs at least.
  /// - Throws: `CorpusError` or `VocabularyError` if they are too few, or if the vocabulary knows no
  ///   word of them.
  func tokens(
    of text: SourceText, _ vocabulary: Vocabulary, defaultPart: Corpus.Part = .test,
    minimumTokens: Int = 2
  ) throws -> (tokens: TokenSequence, outOfVocabulary: Int) {
    let corpus = try Corpus(
      showing: [text], vocabulary: vocabulary, minimumTokens: minimumTokens
    ).withKnownWords(in: vocabulary)
    guard let split else { return (vocabulary.withContext(corpus.tokens), corpus.outOfVocabulary) }
    let part = part ?? defaultPart
    let tokens = try corpus.part(part, of: Split(parsing: split), minimumTokens: minimumTokens)
    // A text may have known words, and a part of it none.
    try Corpus.requireKnownWords(
      in: tokens, of: vocabulary, name: "the \(part.rawValue) part of \(corpus.name)")
    return (vocabulary.withContext(tokens), corpus.outOfVocabulary)
  }
}

extension Corpus.Part: ExpressibleByArgument {}
