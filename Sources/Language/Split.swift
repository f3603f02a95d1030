/// How a text is divided, by position, into training, validation and test: percentages.
public struct Split: Sendable, Equatable, CustomStringConvertible {
  public let train: Double
  public let validation: Double
  public let test: Double

  /// Reads "90,5,5", or "90,10" for no test part.
  ///
  /// - Throws: ``CorpusError/invalidSplit(_:reason:)`` unless there are two or three percentages
  ///   that sum to 100 (±0.01), the first of them above zero.
  public init(parsing text: String) throws {
    func invalid(_ reason: String) -> CorpusError { .invalidSplit(text, reason: reason) }

    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3 else {
      throw invalid("two or three percentages are needed, \(parts.count) found")
    }
    var percentages: [Double] = []
    for part in parts {
      let word = part.filter { $0 != " " }
      guard let percentage = Double(word), (0...100).contains(percentage) else {
        throw invalid("“\(word)” isn't a percentage between 0 and 100")
      }
      percentages.append(percentage)
    }
    let sum = percentages.reduce(0, +)
    guard abs(sum - 100) <= 0.01 + 1e-9 else {
      throw invalid("the percentages sum to \(Self.short(sum)), not 100")
    }
    guard percentages[0] > 0 else { throw invalid("nothing would be left for training") }
    train = percentages[0]
    validation = percentages[1]
    test = percentages.count == 3 ? percentages[2] : 0
  }

  public var description: String {
    [train, validation, test].map(Self.short).joined(separator: ",")
  }

  /// Where validation and test begin among `count` tokens; the last part runs to the end.
  package func cuts(of count: Int) -> (validation: Int, test: Int) {
    let first = Int(Double(count) * train / 100)
    let second = Int(Double(count) * (train + validation) / 100)
    if validation == 0 && test == 0 { return (count, count) }
    return test == 0 ? (first, count) : (first, max(first, second))
  }

  private static func short(_ percentage: Double) -> String {
    let rounded = (percentage * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}
