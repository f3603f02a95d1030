import Foundation

/// Whatever language model a path names: the folder of a model or of a run, or a file of n-grams.
public struct AnyModel: Sendable {
  public let vocabulary: Vocabulary
  public let model: any LanguageModel
  /// Whether the model gives probabilities; only stupid backoff doesn't.
  public let isNormalised: Bool

  /// Reads a model: a file as n-grams, binary ones or ARPA, anything else as a folder.
  ///
  /// - Throws: ``ARPAError``, ``NGramFileError``, ``ModelFolderError``, or what else reading a model throws.
  public init(contentsOf url: URL) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    if exists, !isFolder.boolValue {
      let ngrams = try NGramModel(contentsOf: url)
      (vocabulary, model, isNormalised) = (ngrams.vocabulary, ngrams, ngrams.isNormalised)
    } else {
      let folder = try ModelFolder(contentsOf: url)
      (vocabulary, model, isNormalised) = (folder.vocabulary, folder.model, true)
    }
  }
}
