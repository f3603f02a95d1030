import Learning

/// Which token of one vocabulary is which of another, where both have the same tokens.
struct TokenMatching: Sendable, Equatable {
  /// The other's number of each token; nil where all have the same.
  private let numbers: [Int32]?

  /// - Parameter names: how errors call the two, the first vocabulary's first.
  /// - Throws: ``MixtureError`` naming the first token that one of them lacks, or saying that they
  ///   find other tokens in a text.
  init(of vocabulary: Vocabulary, in other: Vocabulary, names: (String, String)) throws {
    guard vocabulary.unit == other.unit else {
      throw MixtureError.units(
        names.0, vocabulary.unit.rawValue, names.1, other.unit.rawValue)
    }
    if vocabulary == other {
      numbers = nil
      return
    }
    guard vocabulary.unit != .bpe, vocabulary.splitting == other.splitting else {
      throw MixtureError.tokenisations(names.0, names.1)
    }
    var table = WordTable()
    for spelling in other.spellings { _ = spelling.withUnsafeBytes { table.insert($0) } }
    numbers = try vocabulary.spellings.enumerated().map { token, spelling in
      guard let number = spelling.withUnsafeBytes({ table.index(of: $0) }) else {
        throw MixtureError.tokenMissing(
          vocabulary.label(of: Int32(token)), in: names.1, isIn: names.0)
      }
      return number
    }
    if other.count > vocabulary.count {
      let known = Set(numbers ?? [])
      let token = (0..<Int32(other.count)).first { !known.contains($0) } ?? 0
      throw MixtureError.tokenMissing(other.label(of: token), in: names.0, isIn: names.1)
    }
  }

  /// Tokens of the first vocabulary as those of the other.
  func tokens(_ tokens: TokenSequence) -> TokenSequence {
    numbers.map { numbers in TokenSequence(tokens.map { numbers[Int($0)] }) } ?? tokens
  }

  /// A token of the first vocabulary as the other's.
  func token(_ token: Int32) -> Int32 { numbers.map { $0[Int(token)] } ?? token }
}
