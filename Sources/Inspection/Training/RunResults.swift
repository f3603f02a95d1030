import Foundation
import Interchange
import Language
import Learning

/// How a training ended and the tables of its end: `results.json` of a run folder.
public struct RunResults: Codable, Sendable, Equatable {
  public struct Table: Codable, Sendable, Equatable {
    public var title: String
    /// Of the values.
    public var columns: [String]
    public var rows: [Row]

    public init(_ title: String, columns: [String], rows: [Row]) {
      self.title = title
      self.columns = columns
      self.rows = rows
    }
  }

  public struct Row: Codable, Sendable, Equatable {
    public var name: String
    public var values: [Double]

    public init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  /// In a word: finished, stopped early, interrupted, diverged.
  public var outcome: String
  /// What a person should know about it.
  public var message: String?
  public var tables: [Table]

  public init(_ outcome: TrainingOutcome, tables: [Table]) {
    (self.outcome, message) =
      switch outcome {
      case .finished: ("finished", nil)
      case .stoppedEarly: ("stopped early", "The validation loss had stopped falling.")
      case .interrupted: ("interrupted", "It can be resumed from its checkpoint.")
      case .diverged(let divergence): ("diverged", divergence.description)
      }
    self.tables = tables
  }

  /// The results in a run's folder, if it has ended.
  package init?(in folder: RunFolder) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    guard let data = try? Data(contentsOf: folder.results),
      let results = try? decoder.decode(RunResults.self, from: data)
    else { return nil }
    self = results
  }

  package func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.write(to: folder.results) { try $0.write(text) }
  }
}
