import Foundation
import Interchange
import Learning
import Tensors

/// A language model on disk: a folder with `config.json`, `vocabulary.json`, `model.safetensors`; where
/// tokens are byte pairs, `tokenizer.json` in place of `vocabulary.json`.
///
/// The weights have PyTorch's names, shapes and gate order. The folder of a training run is taken
/// too: then its best model, or its last if it hasn't been evaluated yet.
public struct ModelFolder: Sendable {
  public let configuration: ModelConfiguration
  public let vocabulary: Vocabulary
  public let model: any RecurrentModel

  static let configurationFile = "config.json"
  static let vocabularyFile = "vocabulary.json"
  static let tokenizerFile = "tokenizer.json"
  static let weightsFile = "model.safetensors"

  /// The names of a model's files.
  static func files(in folder: URL) -> [String] {
    [configurationFile, vocabularyFile(in: folder), weightsFile]
  }

  private static func vocabularyFile(in folder: URL) -> String {
    [vocabularyFile, tokenizerFile].first {
      FileManager.default.fileExists(atPath: folder.appending(path: $0).path)
    } ?? vocabularyFile
  }

  public init(configuration: ModelConfiguration, vocabulary: Vocabulary, model: any RecurrentModel)
  {
    self.configuration = configuration
    self.vocabulary = vocabulary
    self.model = model
  }

  /// Reads a model.
  ///
  /// - Throws: an error whose description says which file is missing or doesn't fit.
  public init(contentsOf folder: URL) throws {
    let folder = try Self.location(folder)
    let configurationURL = folder.appending(path: Self.configurationFile)
    let data = try Self.read(configurationURL)
    guard let description = try? JSONDecoder().decode(Description.self, from: data) else {
      throw ModelFolderError.damaged(
        file: configurationURL.path, reason: "it isn't the description of a model")
    }
    guard description.modelType == Description.type else {
      throw ModelFolderError.damaged(
        file: configurationURL.path,
        reason: "it describes a “\(description.modelType)”, not a "
          + "“\(Description.type)” model")
    }
    do {
      configuration = try description.architecture.validated()
    } catch {
      throw ModelFolderError.damaged(file: configurationURL.path, reason: "\(error)")
    }
    let vocabularyURL = folder.appending(path: Self.vocabularyFile(in: folder))
    do {
      let data = try Self.read(vocabularyURL)
      vocabulary =
        try vocabularyURL.lastPathComponent == Self.tokenizerFile
        ? Vocabulary(tokenizer: data) : Vocabulary(json: data)
    } catch VocabularyError.malformedFile(let reason) {
      throw ModelFolderError.damaged(file: vocabularyURL.path, reason: reason)
    }
    guard vocabulary.count == description.vocabularySize else {
      throw ModelFolderError.damaged(
        file: vocabularyURL.path,
        reason: "it has \(vocabulary.count) tokens, but the model was made for "
          + "\(description.vocabularySize)")
    }
    do {
      try configuration.softmax?.validate(for: vocabulary)
    } catch {
      throw ModelFolderError.damaged(file: configurationURL.path, reason: "\(error)")
    }
    let weights = folder.appending(path: Self.weightsFile)
    try Self.checkSize(
      of: Self.checkedFile(weights),
      for: configuration.parameterCount(vocabularySize: vocabulary.count))
    model = configuration.model(vocabularySize: vocabulary.count, seed: nil)
    try model.readWeights(from: weights)
  }

  /// Writes the model; each file is whole at any moment.
  public func write(to folder: URL) throws {
    try Folder.make(folder)
    let description = Description(
      modelType: Description.type, vocabularySize: vocabulary.count, architecture: configuration)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let config = String(decoding: try encoder.encode(description), as: UTF8.self) + "\n"
    try AtomicFile.write(to: folder.appending(path: Self.configurationFile)) {
      try $0.write(config)
    }
    let name = vocabulary.unit == .bpe ? Self.tokenizerFile : Self.vocabularyFile
    try vocabulary.write(to: folder.appending(path: name))
    try model.writeWeights(to: folder.appending(path: Self.weightsFile))
  }

  /// The rest of a text, as the model would write it: to be put right after the prompt.
  ///
  /// - Parameter length: of the answer, in tokens.
  /// - Throws: `VocabularyError` for a prompt with tokens that the model doesn't know.
  public func complete(
    _ prompt: String, length: Int, sampling: Sampling = Sampling(), seed: UInt64 = 0
  ) throws -> String {
    var generator = try TextGenerator(
      model, vocabulary: vocabulary, prompt: prompt, sampling: sampling, seed: seed)
    var text = ""
    generator.write(length: length, after: try vocabulary.encode(prompt: prompt)) { text += $0 }
    return text
  }

  /// What `config.json` holds.
  private struct Description: Codable {
    static let type = "unfold"
    var modelType: String
    var vocabularySize: Int
    var architecture: ModelConfiguration

    enum CodingKeys: String, CodingKey {
      case modelType = "model_type"
      case vocabularySize = "vocabulary_size"
    }

    init(modelType: String, vocabularySize: Int, architecture: ModelConfiguration) {
      self.modelType = modelType
      self.vocabularySize = vocabularySize
      self.architecture = architecture
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      modelType = try container.decode(String.self, forKey: .modelType)
      vocabularySize = try container.decode(Int.self, forKey: .vocabularySize)
      architecture = try ModelConfiguration(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(modelType, forKey: .modelType)
      try container.encode(vocabularySize, forKey: .vocabularySize)
      try architecture.encode(to: encoder)
    }
  }

  /// The folder itself, or that of a model of a run.
  static func location(_ folder: URL) throws -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw ModelFolderError.missing(path: folder.path)
    }
    guard isFolder.boolValue else { throw ModelFolderError.noFolder(path: folder.path) }
    let run = RunFolder(folder)
    let candidates = [folder, run.best, run.last]
    let found = candidates.first {
      FileManager.default.fileExists(atPath: $0.appending(path: configurationFile).path)
    }
    if found == nil, run.holdsRun { throw ModelFolderError.noModelYet(run: folder.path) }
    return found ?? folder
  }

  /// - Throws: if the file is too small for so many weights, before anything is allocated for them.
  private static func checkSize(of url: URL, for count: Int) throws {
    let found = try SafetensorsFile(contentsOf: url).entries.reduce(0) { sum, entry in
      sum + entry.shape.reduce(1, *)
    }
    guard found >= count else {
      throw ModelFolderError.damaged(
        file: url.path,
        reason: "it holds \(found) numbers, but \(configurationFile) describes a model of "
          + "\(count); they belong to different models")
    }
  }

  private static func checkedFile(_ url: URL) throws -> URL {
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw ModelFolderError.incomplete(
        folder: url.deletingLastPathComponent().path, file: url.lastPathComponent)
    }
    return url
  }

  private static func read(_ url: URL) throws -> Data {
    let file = try MappedFile(contentsOf: checkedFile(url))
    return file.withBytes { Data($0) }
  }
}

/// Why a folder isn't a model.
public enum ModelFolderError: Error, Equatable, Sendable, CustomStringConvertible {
  case missing(path: String)
  case noFolder(path: String)
  case noModelYet(run: String)
  case incomplete(folder: String, file: String)
  case damaged(file: String, reason: String)

  public var description: String {
    switch self {
    case .missing(let path): "There is no model at \(path); give the folder of a model or a run."
    case .noFolder(let path):
      "\(path) is a file, but a model is a folder, a file of n-grams or a mixture; give that."
    case .noModelYet(let run):
      "The training run in \(run) has no model yet, because it ended before it was saved; "
        + "go on with unfold train --resume \(run)."
    case .incomplete(let folder, let file):
      "\(folder) has no \(Self.names(file)), so it isn't a whole model; give the folder that "
        + "`unfold train` wrote, or copy it again."
    case .damaged(let file, let reason):
      "\(file) can't be used: \(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)."
    }
  }

  /// Where a vocabulary is missing, nothing says which of its two forms it had.
  private static func names(_ file: String) -> String {
    file == ModelFolder.vocabularyFile ? "\(file) or \(ModelFolder.tokenizerFile)" : file
  }
}
