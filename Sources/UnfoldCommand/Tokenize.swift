import ArgumentParser
import Foundation
import Language

struct Tokenize: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Show which tokens a model makes of texts.",
    discussion: """
      Prints the tokens, a space between them: ␣ is a space and ⏎ the end of a line, after which \
      the next line begins. With --json an object for each text: file, bytes, out_of_vocabulary and \
      tokens, their numbers.
      """)

  @Argument(
    help: "The folder of a model or of a run, a file of n-grams, a mixture or a tokenizer.json.",
    completion: .file())
  var model: String
  @Argument(help: "Text files; - or nothing for standard input.", completion: .file())
  var files: [String] = []
  @Flag(help: "Print numbers, as a JSON object for each text.") var json = false

  private struct Result: Encodable {
    let file: String
    let bytes, outOfVocabulary: Int
    let tokens: [Int32]
  }

  func execute() throws {
    let url = URL(filePath: model)
    let vocabulary =
      isTokenizer(url)
      ? try Vocabulary(contentsOfTokenizer: url) : try AnyModel(contentsOf: url).vocabulary
    for file in files.isEmpty ? ["-"] : files {
      let text = try SourceText(path: file)
      let encoded = try vocabulary.encode(text.bytes, source: text.name)
      if json {
        try Console.print(
          Console.json(
            Result(
              file: file, bytes: encoded.bytes, outOfVocabulary: encoded.outOfVocabulary,
              tokens: encoded.tokens)))
      } else {
        try print(encoded.tokens, vocabulary)
      }
    }
  }

  /// Whether a file says what a byte pair is, under whatever name.
  private func isTokenizer(_ url: URL) -> Bool {
    guard url.pathExtension == "json", let data = try? Data(contentsOf: url) else { return false }
    let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    return object?["model"] is [String: Any]
  }

  private func print(_ tokens: [Int32], _ vocabulary: Vocabulary) throws {
    let labels = (0..<Int32(vocabulary.count)).map { vocabulary.label(of: $0) }
    let lineEnd = vocabulary.lineEnd
    var line: [String] = []
    for token in tokens {
      line.append(labels[Int(token)])
      guard token == lineEnd || labels[Int(token)].hasSuffix("⏎") else { continue }
      try Console.print(line.joined(separator: " "))
      line.removeAll(keepingCapacity: true)
    }
    if !line.isEmpty { try Console.print(line.joined(separator: " ")) }
  }
}
