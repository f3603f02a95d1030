import Foundation

/// The bytes of a text, and the name that messages give it.
public struct SourceText: Sendable, Equatable {
  public let name: String
  public let bytes: Data

  public init(name: String, bytes: Data) {
    self.name = name
    self.bytes = bytes
  }

  /// A text that is already in memory.
  public init(_ text: String, name: String) {
    self.init(name: name, bytes: Data(text.utf8))
  }

  /// Reads the file at a path, or standard input for `-`.
  ///
  /// - Throws: as `init(contentsOf:)`.
  public init(path: String) throws {
    guard path == "-" else {
      try self.init(contentsOf: URL(filePath: path))
      return
    }
    let name = "standard input"
    guard let bytes = try? FileHandle.standardInput.readToEnd() ?? Data() else {
      throw CorpusError.unreadable(file: name)
    }
    if bytes.isEmpty { throw CorpusError.empty(file: name) }
    self.init(name: name, bytes: bytes)
  }

  /// Reads a file; a large one is mapped rather than copied.
  ///
  /// - Throws: ``CorpusError`` if there is no such file, or it is a folder, empty or unreadable.
  public init(contentsOf file: URL) throws {
    let name = file.relativePath
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else {
      throw CorpusError.missing(file: name)
    }
    if isFolder.boolValue { throw CorpusError.folder(name) }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: file, options: .mappedIfSafe)
    } catch {
      throw CorpusError.unreadable(file: name)
    }
    if bytes.isEmpty { throw CorpusError.empty(file: name) }
    self.init(name: name, bytes: bytes)
  }
}
