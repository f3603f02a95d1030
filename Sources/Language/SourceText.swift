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
    try Self.checkIsFile(file)
    // What is no regular file, such as a pipe, can't be mapped, but it can be read to its end.
    let bytes = (try? Data(contentsOf: file, options: .mappedIfSafe)) ?? Self.streamed(file)
    guard let bytes else { throw CorpusError.unreadable(file: name) }
    if bytes.isEmpty { throw CorpusError.empty(file: name) }
    self.init(name: name, bytes: bytes)
  }

  /// - Throws: ``CorpusError`` if there is no such file, or it is a folder.
  static func checkIsFile(_ file: URL) throws(CorpusError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else {
      throw .missing(file: file.relativePath)
    }
    if isFolder.boolValue { throw .folder(file.relativePath) }
  }

  private static func streamed(_ file: URL) -> Data? {
    guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
    defer { try? handle.close() }
    guard let bytes = try? handle.readToEnd() else { return nil }
    return bytes
  }
}
