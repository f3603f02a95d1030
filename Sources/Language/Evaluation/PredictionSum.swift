import Foundation
import Learning

/// What a model said of the tokens of a text, summed up as it comes, and whether it can be true.
struct PredictionSum {
  private var total = 0.0
  private var tokens = 0
  private var largest = -Double.infinity

  /// ln p that a sum of rounded logarithms may reach where p is 1.
  private static let tolerance = 1e-4

  mutating func add(_ logProbabilities: [Double]) {
    total += logProbabilities.reduce(0, +)
    tokens += logProbabilities.count
    largest = max(largest, logProbabilities.max() ?? -.infinity)
  }

  var crossEntropy: CrossEntropy { CrossEntropy(totalNats: -total, tokens: tokens) }

  /// - Throws: ``PredictionError`` if a value is no number, or above 0 from a model that gives
  ///   probabilities.
  func check(_ model: AnyModel) throws(PredictionError) {
    guard total.isFinite else { throw .notNumbers(model: model.name) }
    if model.isNormalised, largest > Self.tolerance {
      throw .aboveOne(model: model.name, logProbability: largest)
    }
  }
}

/// Why what a model says can't be true: a part of it must be damaged.
public enum PredictionError: Error, Equatable, Sendable, CustomStringConvertible {
  case notNumbers(model: String)
  case aboveOne(model: String, logProbability: Double)

  public var description: String {
    switch self {
    case .notNumbers(let model):
      "\(model) can't be used: some of its predictions aren't numbers, so it can't be whole; copy "
        + "it again, or make it anew."
    case .aboveOne(let model, let logProbability):
      "\(model) can't be used: it gives a token ln p = \(String(format: "%.3g", logProbability)), "
        + "a probability above 1, so it can't be whole; copy it again, or make it anew."
    }
  }
}
