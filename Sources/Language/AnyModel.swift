import Foundation

/// Whatever language model a path names: the folder of a model or of a run, a file of n-grams, a
/// mixture.
public struct AnyModel: Sendable {
  /// How messages call it: the path that it was read from.
  public let name: String
  public let vocabulary: Vocabulary
  public let model: any LanguageModel
  /// Whether the model gives probabilities; only stupid backoff doesn't.
  public let isNormalised: Bool

  /// Reads a model: a file as a mixture or as n-grams, binary ones or ARPA; anything else as a folder.
  ///
  /// - Throws: ``ARPAError``, ``NGramFileError``, ``ModelFolderError``, ``MixtureError``, or what else
  ///   reading a model throws.
  public init(contentsOf url: URL) throws {
    let name = url.relativePath
    guard Self.isFile(url) else {
      let folder = try ModelFolder(contentsOf: url)
      self.init(vocabulary: folder.vocabulary, model: folder.model, name: name)
      return
    }
    if NGramModel.beginning(of: url).first == UInt8(ascii: "{") {
      let mixture = try MixtureFile.read(contentsOf: url)
      self.init(vocabulary: mixture.vocabulary, model: mixture, name: name)
    } else {
      let ngrams = try NGramModel(contentsOf: url)
      self.init(
        vocabulary: ngrams.vocabulary, model: ngrams, isNormalised: ngrams.isNormalised,
        name: name)
    }
  }

  /// A model that is in memory.
  public init(
    vocabulary: Vocabulary, model: any LanguageModel, isNormalised: Bool = true,
    name: String = "the model"
  ) {
    self.name = name
    self.vocabulary = vocabulary
    self.model = model
    self.isNormalised = isNormalised
  }

  /// Where the model really is: for the folder of a run, that of its best model.
  static func location(_ url: URL) throws -> URL {
    isFile(url) ? url : try ModelFolder.location(url)
  }

  private static func isFile(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    return exists && !isFolder.boolValue
  }
}
