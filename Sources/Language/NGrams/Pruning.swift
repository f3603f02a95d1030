/// Which n-grams a model leaves out: those that occur at most so often, order by order.
///
/// The probability that they had goes to the shorter context, so that the model still sums to one.
/// Discounts are computed before anything is left out.
public struct Pruning: Sendable, Equatable, CustomStringConvertible {
  /// By order, from 1; the last one is for all higher orders too.
  public let thresholds: [Int]

  /// Leaves nothing out.
  public static let none = Pruning(unchecked: [0])

  private init(unchecked thresholds: [Int]) { self.thresholds = thresholds }

  /// - Parameter thresholds: an n-gram that occurs at most so often is left out. 0, 0, 1 leaves out
  ///   all of order 3 and above that occur once.
  /// - Throws: ``NGramError/invalidPruning(_:reason:)`` unless the first is 0 (a vocabulary limits
  ///   single tokens) and none is smaller than the one before it.
  public init(_ thresholds: [Int]) throws {
    let text = thresholds.map(String.init).joined(separator: ",")
    guard let first = thresholds.first else {
      throw NGramError.invalidPruning(text, reason: "it is empty")
    }
    guard first == 0 else {
      throw NGramError.invalidPruning(
        text, reason: "single tokens can't be pruned, so the first number must be 0")
    }
    guard zip(thresholds, thresholds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw NGramError.invalidPruning(
        text,
        reason: "a longer n-gram can't be kept without its parts, so the numbers must not "
          + "fall")
    }
    self.thresholds = thresholds
  }

  /// Reads "0,0,1" or "0 0 1".
  ///
  /// - Throws: ``NGramError/invalidPruning(_:reason:)``.
  public init(parsing text: String) throws {
    let parts = text.split { $0 == "," || $0 == " " }
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count, numbers.allSatisfy({ $0 >= 0 }) else {
      throw NGramError.invalidPruning(text, reason: "it must hold whole numbers, 0 or more")
    }
    try self.init(numbers)
  }

  public var description: String { thresholds.map(String.init).joined(separator: ",") }

  /// The threshold of an order, from 1.
  func threshold(order: Int) -> Int { thresholds[min(order, thresholds.count) - 1] }
}
