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
  func tokens(
    of text: SourceText, _ vocabulary: Vocabulary, defaultPart: Corpus.Part = .test
  ) throws -> (tokens: TokenSequence, outOfVocabulary: Int) {
    let corpus = try Corpus(showing: [text], vocabulary: vocabulary).withKnownWords(in: vocabulary)
    let tokens =
      try split.map { try corpus.part(part ?? defaultPart, of: Split(parsing: $0)) }
      ?? corpus.tokens
    return (vocabulary.withContext(tokens), corpus.outOfVocabulary)
  }
}

extension Corpus.Part: ExpressibleByArgument {}
