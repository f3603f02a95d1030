import Foundation

/// A line of `metrics.jsonl`: a logged step, or an evaluation.
///
/// Keys that a line doesn't have are nil, so that files of older versions can be read.
struct MetricsLine: Decodable, Sendable {
  let step: Int
  /// Since the run began or went on.
  let seconds: Double?
  let trainingNatsPerToken: Double?
  let validationNatsPerToken: Double?
  let isBest: Bool?
  let learningRate: Double?
  let gradientNorm: Double?
  let clipped: Bool?
  let tokensPerSecond: Double?
  let totalSteps: Int?
  let clippedByNorm, clippedByValue: Int?
  let gradientNorms, updateRatios: [String: Double]?

  /// Whether the model was evaluated, not only one window read.
  var isEvaluation: Bool { isBest != nil }

  /// The lines of a file in order. One that was cut off is left out.
  static func lines(of data: Data) -> [MetricsLine] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(MetricsLine.self, from: $0)
    }
  }
}
