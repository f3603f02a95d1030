import Foundation
import Interchange
import Tensors

/// Everything that a resumed training needs: weights, optimiser moments, the carried state, and
/// where it stands in its text, schedule and random numbers (which are functions of the step).
public struct Checkpoint: Sendable {
  public let progress: TrainingProgress
  public let optimiserSteps: Int
  /// What the training depends on besides, such as hashes of the text.
  public let fingerprint: [String: String]
  public let tensors: [(name: String, tensor: Tensor)]

  /// - Throws: `CheckpointError.otherTraining` if the training depends on something else.
  public func check(_ fingerprint: [String: String]) throws(CheckpointError) {
    for (key, value) in fingerprint.sorted(by: { $0.key < $1.key })
    where self.fingerprint[key] != value {
      throw .otherTraining(what: key)
    }
  }

  /// The tensors whose names begin with `prefix`, by the rest of the name.
  func part(_ prefix: String) -> [String: Tensor] {
    var found: [String: Tensor] = [:]
    for (name, tensor) in tensors where name.hasPrefix(prefix) {
      found[String(name.dropFirst(prefix.count))] = tensor
    }
    return found
  }
}

/// Why a training can't go on from a checkpoint.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  case none(folder: String)
  case damaged(file: String, reason: String)
  case allDamaged(folder: String, count: Int)
  case otherTraining(what: String)
  case otherModel(tensor: String)

  public var description: String {
    switch self {
    case .none(let folder):
      "There is no whole checkpoint in \(folder), so there is nothing to resume."
    case .damaged(let file, let reason): "\(file) is damaged: \(reason)"
    case .allDamaged(let folder, let count):
      "\(folder) holds \(count == 1 ? "one checkpoint, but it" : "\(count) checkpoints, but each") "
        + "is damaged; start the training again in another folder."
    case .otherTraining(let what):
      "The \(what) isn't what this training was started with; resume with the same one, or start "
        + "a new training in another folder."
    case .otherModel(let tensor):
      "The checkpoint is of another model: “\(tensor)” doesn't fit."
    }
  }
}

/// The checkpoints of a training, in a folder: a file each, the newest two kept.
///
/// A file is written aside, synced and renamed, and holds a hash of its contents; a small pointer
/// file names the newest. Reading checks the hash and falls back to the file before.
public struct CheckpointStore: Sendable {
  public let folder: URL

  private static let pointer = "newest"

  public init(_ folder: URL) { self.folder = folder }

  private struct Header: Codable {
    var progress: TrainingProgress
    var optimiserSteps: Int
    var fingerprint: [String: String]
  }

  /// Whether a checkpoint was ever written here.
  public var isEmpty: Bool { files().isEmpty }

  /// Writes a checkpoint, then forgets all others but the one before. Those of later steps, which
  /// a resumed training passed over because they are damaged, go too.
  @discardableResult public func write(_ checkpoint: Checkpoint) throws -> URL {
    try Folder.make(folder)
    let name = "step-" + Self.digits(checkpoint.progress.step) + ".safetensors"
    let header = Header(
      progress: checkpoint.progress, optimiserSteps: checkpoint.optimiserSteps,
      fingerprint: checkpoint.fingerprint)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(header), as: UTF8.self)
    let metadata = [
      "format": "pt", "training": text,
      "sha256": Self.hash(checkpoint.tensors, header: text),
    ]
    let url = folder.appending(path: name)
    try SafetensorsFile.write(checkpoint.tensors, metadata: metadata, to: url)
    try AtomicFile.write(to: folder.appending(path: Self.pointer)) { try $0.write(name + "\n") }
    let before = files().last { $0.lastPathComponent < name }?.lastPathComponent
    for file in files() where ![name, before].contains(file.lastPathComponent) {
      try? FileManager.default.removeItem(at: file)
    }
    return url
  }

  /// The newest checkpoint that is whole.
  ///
  /// - Returns: with it, a sentence for each newer one that isn't.
  public func newest() throws -> (checkpoint: Checkpoint, skipped: [String]) {
    let pointed = try? String(contentsOf: folder.appending(path: Self.pointer), encoding: .utf8)
    var candidates = Array(files().reversed())
    if let name = pointed?.trimmingCharacters(in: .newlines) {
      // A file that was written, but not yet pointed to when the machine stopped, is whole too, and
      // newer; but the order of names is what counts only if there is no pointer.
      candidates.sort {
        ($0.lastPathComponent == name ? 1 : 0) > ($1.lastPathComponent == name ? 1 : 0)
      }
    }
    var skipped: [String] = []
    for url in candidates {
      do { return (try read(url), skipped) } catch { skipped.append("\(error)") }
    }
    throw candidates.isEmpty
      ? CheckpointError.none(folder: folder.path)
      : .allDamaged(folder: folder.path, count: candidates.count)
  }

  private func read(_ url: URL) throws -> Checkpoint {
    let file = try SafetensorsFile(contentsOf: url)
    let name = url.lastPathComponent
    guard let text = file.metadata["training"], let hash = file.metadata["sha256"],
      let header = try? JSONDecoder().decode(Header.self, from: Data(text.utf8))
    else {
      throw CheckpointError.damaged(file: name, reason: "its description can't be read.")
    }
    let tensors = try file.entries.map { ($0.name, try file.tensor(named: $0.name)) }
    guard Self.hash(tensors, header: text) == hash else {
      throw CheckpointError.damaged(file: name, reason: "its contents don't match its hash.")
    }
    return Checkpoint(
      progress: header.progress, optimiserSteps: header.optimiserSteps,
      fingerprint: header.fingerprint, tensors: tensors)
  }

  /// All checkpoints, oldest first.
  private func files() -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasPrefix("step-") && $0.hasSuffix(".safetensors") }.sorted()
      .map { folder.appending(path: $0) }
  }

  private static func digits(_ step: Int) -> String {
    let text = String(step)
    return String(repeating: "0", count: max(0, 10 - text.count)) + text
  }

  private static func hash(_ tensors: [(name: String, tensor: Tensor)], header: String) -> String {
    var hash = SHA256()
    for (name, tensor) in tensors.sorted(by: { $0.name < $1.name }) {
      Array("\(name) \(tensor.shape)\n".utf8).withUnsafeBytes { hash.update(bytes: $0) }
      tensor.withValues { hash.update(bytes: UnsafeRawBufferPointer($0)) }
    }
    Array(header.utf8).withUnsafeBytes { hash.update(bytes: $0) }
    return hash.finalize()
  }
}
