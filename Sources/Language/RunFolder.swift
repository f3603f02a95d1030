import Foundation
import Interchange

/// The folder of a training run.
///
///     configuration.json   all settings, as they were in effect
///     tokenizer.json       the tokenizer that `--tokenizer` named
///     best/, last/         models
///     checkpoints/         what a resumed training needs
///     metrics.jsonl        a line for each measurement
///     samples.txt          what the model wrote after each evaluation
///     results.json         how it ended, and the tables of the end
///     report.html          all of this as pictures
///     events.out.tfevents… the same for TensorBoard
public struct RunFolder: Sendable {
  public let url: URL

  public init(_ url: URL) { self.url = url }

  public var best: URL { url.appending(path: "best") }
  public var last: URL { url.appending(path: "last") }
  public var checkpoints: URL { url.appending(path: "checkpoints") }
  public var metrics: URL { url.appending(path: "metrics.jsonl") }
  public var samples: URL { url.appending(path: "samples.txt") }
  public var results: URL { url.appending(path: "results.json") }
  public var report: URL { url.appending(path: "report.html") }
  var tokenizer: URL { url.appending(path: ModelFolder.tokenizerFile) }
  public var configuration: URL { url.appending(path: "configuration.json") }

  /// Whether a run was begun here.
  public var holdsRun: Bool { FileManager.default.fileExists(atPath: configuration.path) }

  /// Makes the folder for a new run.
  ///
  /// - Parameter vocabulary: what the settings' tokenizer gave, which is kept.
  /// - Throws: if it already holds one, or can't be written.
  func create(_ settings: RunSettings, _ vocabulary: Vocabulary) throws {
    if holdsRun { throw RunError.holdsRun(path: url.path) }
    let model = url.appending(path: ModelFolder.configurationFile)
    if FileManager.default.fileExists(atPath: model.path) {
      throw RunError.holdsModel(path: url.path)
    }
    try Folder.make(url)
    if settings.text.vocabulary.tokenizer != nil { try vocabulary.write(to: tokenizer) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(settings), as: UTF8.self) + "\n"
    try AtomicFile.write(to: configuration) { try $0.write(text) }
  }

  /// The settings of the run that the folder holds.
  package func settings() throws -> RunSettings {
    guard holdsRun else { throw RunError.holdsNoRun(path: url.path) }
    guard let data = try? Data(contentsOf: configuration),
      var settings = try? JSONDecoder().decode(RunSettings.self, from: data)
    else { throw RunError.damaged(file: configuration.path) }
    if settings.text.vocabulary.tokenizer != nil {
      settings.text.vocabulary.tokenizer = tokenizer.path
    }
    return settings
  }

  /// Takes metrics and samples back to a step, from which a resumed training writes them anew, and
  /// removes what a killed process left half-written.
  func rewind(to step: Int) throws {
    for folder in [url, best, last, checkpoints] { Folder.removeLeftovers(in: folder) }
    struct Line: Decodable { let step: Int }
    try rewrite(metrics) { lines in
      lines.filter { line in
        let decoded = try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
        return (decoded?.step ?? .max) <= step
      }
    }
    try rewrite(samples) { lines in
      Array(lines.prefix { line in Self.step(ofHeading: line).map { $0 <= step } ?? true })
    }
  }

  /// The line above the sample of a step.
  static func sampleHeading(step: Int) -> String { "— after step \(step) —" }

  package static func step(ofHeading line: Substring) -> Int? {
    guard line.hasPrefix("— after step "), line.hasSuffix(" —") else { return nil }
    return Int(line.dropFirst("— after step ".count).dropLast(" —".count))
  }

  private func rewrite(_ file: URL, _ keep: ([Substring]) -> [Substring]) throws {
    guard let data = try? Data(contentsOf: file) else { return }
    var lines = String(decoding: data, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    let kept = keep(lines)
    if kept.count == lines.count { return }
    try AtomicFile.write(to: file) { writer in
      for line in kept { try writer.write(line + "\n") }
    }
  }
}

/// What is wrong with the folder of a run.
public enum RunError: Error, Equatable, Sendable, CustomStringConvertible {
  case holdsRun(path: String)
  case holdsModel(path: String)
  case holdsNoRun(path: String)
  case damaged(file: String)
  case textWasStandardInput(path: String)
  case stopped(FileError, path: String)

  public var description: String {
    switch self {
    case .holdsRun(let path):
      "\(path) already holds a training run; go on with it by --resume \(path), or choose another "
        + "--out."
    case .holdsModel(let path):
      "\(path) already holds a model, which would be taken for this run's; choose another --out."
    case .holdsNoRun(let path):
      "\(path) holds no training run (it has no configuration.json)."
    case .damaged(let file): "\(file) can't be read as the settings of a training run."
    case .textWasStandardInput(let path):
      "The text of this run came from standard input, which isn't kept; put it in a file and go on "
        + "with unfold train FILE --resume \(path)."
    case .stopped(let error, let path):
      "\(error.description.dropLast()), then go on with unfold train --resume \(path)."
    }
  }
}
