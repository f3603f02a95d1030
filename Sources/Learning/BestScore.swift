/// The lowest loss so far, and for how long there has been none lower.
///
/// Only less is better; equal isn't, and NaN never is.
public struct BestScore: Codable, Sendable, Equatable {
  /// The lowest loss that was observed, or nil before the first that is a number.
  public private(set) var loss: Double?
  /// How many observations in a row haven't been better.
  public internal(set) var observationsSince = 0

  public init() {}

  /// Takes note of the loss of one evaluation.
  ///
  /// - Returns: whether it is the best so far.
  @discardableResult
  public mutating func observe(_ loss: Double) -> Bool {
    let isBest = loss < self.loss ?? .infinity
    if isBest { self.loss = loss }
    observationsSince = isBest ? 0 : observationsSince + 1
    return isBest
  }
}
