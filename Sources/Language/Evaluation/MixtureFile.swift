import Foundation
import Interchange

/// A mixture on disk: a small JSON file that names its models by paths relative to itself.
///
///     {"components": [{"path": "../lstm/best", "sha256": "…", "weight": 0.8,
///                      "files": [{"bytes": 912, "modified": 1767225600000000000}, …]}, …],
///      "model_type": "unfold-mixture"}
///
/// The models stay where they are. If one has been moved or has changed, that is said when the
/// mixture is read; the file moves together with its models, or not at all. Only a model whose
/// files have another size or time than they had is hashed, which takes seconds a gigabyte.
public enum MixtureFile {
  private static let type = "unfold-mixture"

  private struct Content: Codable {
    let modelType: String
    let components: [Component]
  }

  private struct Component: Codable {
    let path, sha256: String
    let weight: Double
    /// Of the model's files. Mixtures that were made before these were kept lack them.
    let files: [Stamp]?
  }

  /// By what a file is taken for the one that it was.
  private struct Stamp: Codable, Equatable {
    let bytes: Int
    /// In nanoseconds since 1970.
    let modified: Int

    init(of file: URL) throws(FileError) {
      var status = stat()
      guard stat(file.path, &status) == 0 else {
        throw FileError(.read, file.path, code: errno)
      }
      #if canImport(Darwin)
        let time = status.st_mtimespec
      #else
        let time = status.st_mtim
      #endif
      bytes = Int(status.st_size)
      modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
  }

  /// Writes a mixture of the models at some paths.
  ///
  /// - Parameter models: folders of models or of runs, files of n-grams or mixtures, in the mixture's
  ///   order.
  public static func write(_ mixture: MixtureModel, of models: [URL], to url: URL) throws {
    let components = try zip(models, mixture.weights).map { model, weight in
      let model = try AnyModel.location(model)
      let files = try files(of: model)
      // Before they are hashed, so that what changes meanwhile is found.
      let stamps = try files.map { try Stamp(of: $0) }
      return Component(
        path: path(from: url.deletingLastPathComponent(), to: model), sha256: try hash(of: files),
        weight: weight, files: stamps)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let content = Content(modelType: type, components: components)
    let text = String(decoding: try encoder.encode(content), as: UTF8.self) + "\n"
    try AtomicFile.write(to: url) { try $0.write(text) }
  }

  /// Reads a mixture and its models.
  ///
  /// - Throws: ``MixtureError``, or what reading a model throws.
  public static func read(contentsOf url: URL) throws -> MixtureModel {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let data = try? Data(contentsOf: url),
      let content = try? decoder.decode(Content.self, from: data), content.modelType == type,
      !content.components.isEmpty
    else { throw MixtureError.damaged(url.path, reason: "it isn't the description of a mixture") }
    let weights = content.components.map(\.weight)
    guard weights.allSatisfy({ $0 >= 0 && $0 <= 1 }), abs(weights.reduce(0, +) - 1) < 1e-6 else {
      throw MixtureError.damaged(url.path, reason: "its weights don't sum to one")
    }
    let models = try content.components.map { component in
      let place = URL(
        filePath: component.path, relativeTo: url.deletingLastPathComponent().absoluteURL
      ).standardizedFileURL
      guard FileManager.default.fileExists(atPath: place.path) else {
        throw MixtureError.moved(url.path, model: place.path)
      }
      guard try isUnchanged(component, at: place) else {
        throw MixtureError.changed(url.path, model: place.path)
      }
      return (name: place.path, model: try AnyModel(contentsOf: place))
    }
    return try MixtureModel(models, weights: weights)
  }

  /// Whether a model is the one that was mixed.
  private static func isUnchanged(_ component: Component, at model: URL) throws -> Bool {
    let files = try files(of: model)
    if try files.map({ try Stamp(of: $0) }) == component.files { return true }
    return try hash(of: files) == component.sha256
  }

  /// The files of a model: itself, or those of its folder.
  private static func files(of model: URL) throws -> [URL] {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: model.path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return [model] }
    return try ModelFolder.files(in: model).map { name in
      let file = model.appending(path: name)
      guard FileManager.default.fileExists(atPath: file.path) else {
        throw ModelFolderError.incomplete(folder: model.path, file: name)
      }
      return file
    }
  }

  /// SHA-256 of files, one after the other.
  private static func hash(of files: [URL]) throws(FileError) -> String {
    var hash = SHA256()
    for file in files {
      try MappedFile(contentsOf: file).withBytes { hash.update(bytes: $0) }
    }
    return hash.finalize()
  }

  /// A path that leads from a folder to a file.
  private static func path(from folder: URL, to file: URL) -> String {
    let from = folder.standardizedFileURL.resolvingSymlinksInPath().pathComponents
    let to = file.standardizedFileURL.resolvingSymlinksInPath().pathComponents
    let common = zip(from, to).prefix { $0 == $1 }.count
    let up = [String](repeating: "..", count: from.count - common)
    return (up + to[common...]).joined(separator: "/")
  }
}

/// Why models can't be mixed, or a mixture can't be used.
public enum MixtureError: Error, Equatable, Sendable, CustomStringConvertible {
  case units(String, String, String, String)
  case tokenisations(String, String)
  case tokenMissing(String, in: String, isIn: String)
  case unnormalised(String)
  case damaged(String, reason: String)
  case moved(String, model: String)
  case changed(String, model: String)
  case impossible

  public var description: String {
    switch self {
    case .units(let a, let unitOfA, let b, let unitOfB):
      "\(a) predicts \(unitOfA) and \(b) \(unitOfB); only models over the same tokens can be mixed."
    case .tokenisations(let a, let b):
      "\(a) and \(b) divide a text into tokens in different ways; only models over the same tokens "
        + "can be mixed, so give both the same --tokenizer or --word-splitting."
    case .tokenMissing(let token, let lacking, let having):
      "\(lacking) has no token “\(token)”, which \(having) has; only models over the same tokens "
        + "can be mixed, so train both on the same text."
    case .unnormalised(let model):
      "\(model) gives scores that are no probabilities (stupid backoff), so it can't be mixed; make "
        + "it with another --smoothing."
    case .damaged(let file, let reason): "\(file) can't be used: \(reason)."
    case .moved(let file, let model):
      "The mixture \(file) needs the model \(model), which isn't there; move it back, or make the "
        + "mixture again with unfold mix."
    case .changed(let file, let model):
      "The model \(model) has changed since the mixture \(file) was made of it; make the mixture "
        + "again with unfold mix."
    case .impossible:
      "All models find some token of the text impossible, so no weights make it possible; find them "
        + "on another text, or add a model that has learned more."
    }
  }
}
