import ArgumentParser
import Language

struct SoftmaxOptions: RecipeOptions {
  enum Kind: String, ExpressibleByArgument, CaseIterable { case full, adaptive, sampled }

  @Option(
    help: """
      How the probabilities of words are computed: full; adaptive, with rare words in clusters of \
      smaller vectors; or sampled, where a step of training computes a sample of the words (and \
      reports the loss over it), and all else the full softmax (default: full).
      """)
  var softmax: Kind?
  @Option(
    help: """
      With adaptive, the words, by frequency, with which clusters begin: for instance 2000,10000 \
      (default: a fifteenth and a fifth of the vocabulary).
      """)
  var cutoffs: String?
  @Option(help: "With sampled, how many words a step draws (default: 8192).") var samples: Int?

  static var settings: [RecipeSetting<Self>] {
    [.init(\.softmax), .init(\.cutoffs), .init(\.samples)]
  }

  func setting() throws -> Softmax? {
    let kind = softmax ?? .full
    for (name, isGiven, owner) in [
      ("cutoffs", cutoffs != nil, Kind.adaptive), ("samples", samples != nil, .sampled),
    ] where isGiven && kind != owner {
      throw ValidationError(
        "--\(name) is for --softmax \(owner.rawValue), not \(kind.rawValue).")
    }
    switch kind {
    case .full: return nil
    case .sampled: return .sampled(samples: samples ?? 8192)
    case .adaptive: return .adaptive(cutoffs: try cutoffs.map(Self.numbers))
    }
  }

  private static func numbers(_ text: String) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let number = Int(part) else {
        throw ValidationError(
          "--cutoffs must be whole numbers with commas between them, such as 2000,10000, not "
            + "“\(text)”.")
      }
      return number
    }
  }
}
