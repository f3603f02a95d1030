import Foundation

/// Whatever language model a path names: the folder of a model or of a run, or an ARPA file.
public struct AnyModel: Sendable {
  public let vocabulary: Vocabulary
  public let model: any LanguageModel
  /// Whether the model gives probabilities; only stupid backoff doesn't.
  public let isNormalised: Bool

  /// Reads a model: a file as ARPA n-grams, anything else as a folder.
  ///
  /// - Throws: ``ARPAError``, ``ModelFolderError``, or what else reading a model throws.
  public init(contentsOf url: URL) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    if exists, !isFolder.boolValue {
      guard Self.looksLikeText(url) else { throw ModelFolderError.noFolder(path: url.path) }
      let ngrams = try ARPAFile.read(contentsOf: url)
      (vocabulary, model, isNormalised) = (ngrams.vocabulary, ngrams, ngrams.isNormalised)
    } else {
      let folder = try ModelFolder(contentsOf: url)
      (vocabulary, model, isNormalised) = (folder.vocabulary, folder.model, true)
    }
  }

  /// Whether a file may hold ARPA n-grams: no byte of its beginning is zero.
  private static func looksLikeText(_ url: URL) -> Bool {
    guard let handle = try? FileHandle(forReadingFrom: url) else { return true }
    defer { try? handle.close() }
    return (try? handle.read(upToCount: 4096))?.contains(0) != true
  }
}
