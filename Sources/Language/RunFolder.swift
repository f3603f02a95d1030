import Foundation
import Interchange

/// The folder of a training run.
///
///     configuration.json   all settings, as they were in effect
///     best/, last/         models
///     checkpoints/         what a resumed training needs
///     metrics.jsonl        a line for each measurement
///     samples.txt          what the model wrote after each evaluation
public struct RunFolder: Sendable {
  public let url: URL

  public init(_ url: URL) { self.url = url }

  public var best: URL { url.appending(path: "best") }
  public var last: URL { url.appending(path: "last") }
  public var checkpoints: URL { url.appending(path: "checkpoints") }
  public var metrics: URL { url.appending(path: "metrics.jsonl") }
  public var samples: URL { url.appending(path: "samples.txt") }
  private var configuration: URL { url.appending(path: "configuration.json") }

  /// Makes the folder for a new run.
  ///
  /// - Throws: if it already holds one, or can't be written.
  func create(_ settings: RunSettings) throws {
    if FileManager.default.fileExists(atPath: configuration.path) {
      throw RunError.holdsRun(path: url.path)
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw RunError.cannotCreate(path: url.path, reason: error.localizedDescription)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(settings), as: UTF8.self) + "\n"
    try AtomicFile.write(to: configuration) { try $0.write(text) }
  }

  /// The settings of the run that the folder holds.
  func settings() throws -> RunSettings {
    guard FileManager.default.fileExists(atPath: configuration.path) else {
      throw RunError.holdsNoRun(path: url.path)
    }
    guard let data = try? Data(contentsOf: configuration),
      let settings = try? JSONDecoder().decode(RunSettings.self, from: data)
    else { throw RunError.damaged(file: configuration.path) }
    return settings
  }

  /// Appends a line to a file of the folder.
  func append(_ text: String, to file: URL) throws {
    if !FileManager.default.fileExists(atPath: file.path) {
      guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
        throw RunError.cannotCreate(path: file.path, reason: "the folder isn't writable")
      }
    }
    do {
      let handle = try FileHandle(forWritingTo: file)
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: Data((text + "\n").utf8))
    } catch {
      throw RunError.cannotWrite(path: file.path, reason: error.localizedDescription)
    }
  }

  /// Removes the lines of `metrics.jsonl` from after a step: a resumed training writes them anew.
  func truncateMetrics(after step: Int) throws {
    guard let text = try? String(contentsOf: metrics, encoding: .utf8) else { return }
    struct Line: Decodable { let step: Int }
    let kept = text.split(separator: "\n").filter { line in
      let decoded = try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
      return (decoded?.step ?? .max) <= step
    }
    try AtomicFile.write(to: metrics) { writer in
      for line in kept { try writer.write(line + "\n") }
    }
  }
}

/// What is wrong with the folder of a run.
public enum RunError: Error, Equatable, Sendable, CustomStringConvertible {
  case holdsRun(path: String)
  case holdsNoRun(path: String)
  case damaged(file: String)
  case cannotCreate(path: String, reason: String)
  case cannotWrite(path: String, reason: String)

  public var description: String {
    switch self {
    case .holdsRun(let path):
      "\(path) already holds a training run; go on with it by --resume \(path), or choose another "
        + "--out."
    case .holdsNoRun(let path):
      "\(path) holds no training run (it has no configuration.json), so there is nothing to resume."
    case .damaged(let file): "\(file) can't be read as the settings of a training run."
    case .cannotCreate(let path, let reason):
      "\(path) can't be created: \(reason) Choose another --out."
    case .cannotWrite(let path, let reason):
      "\(path) can't be written: \(reason) Free some space, then go on with --resume."
    }
  }
}
