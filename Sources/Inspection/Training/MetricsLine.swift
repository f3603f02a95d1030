import Foundation

/// A line of `metrics.jsonl`: a logged step, or an evaluation.
///
/// Keys that a line doesn't have are nil, so that files of older versions can be read.
package struct MetricsLine: Decodable, Sendable {
  package let step: Int
  package let epoch: Int?
  /// Since the run began or went on.
  package let seconds: Double?
  package let trainingNatsPerToken: Double?
  package let validationNatsPerToken: Double?
  package let isBest: Bool?
  package let learningRate: Double?
  package let gradientNorm: Double?
  package let clipped: Bool?
  package let tokensPerSecond: Double?

  /// Whether the model was evaluated, not only one window read.
  package var isEvaluation: Bool { isBest != nil }

  /// The lines of a file in order. A last line that was cut off is left out.
  package static func lines(of data: Data) -> [MetricsLine] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(MetricsLine.self, from: $0)
    }
  }
}
