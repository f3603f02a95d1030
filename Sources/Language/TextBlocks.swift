import Foundation
import Interchange

/// The blocks of a text that is read once, from its beginning to its end.
struct TextBlocks {
  let name: String
  private let handle: FileHandle
  /// The whole text, if it lies in a file.
  let mapped: MappedFile?
  private var isEmpty = true

  /// - Throws: ``CorpusError`` if there is no such file, or it is a folder or unreadable.
  init(contentsOf url: URL) throws {
    name = url.relativePath
    var status = stat()
    guard stat(url.path, &status) == 0 else { throw CorpusError.missing(file: name) }
    if status.st_mode & S_IFMT == S_IFDIR { throw CorpusError.folder(name) }
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw CorpusError.unreadable(file: name)
    }
    self.handle = handle
    // A file of the system's may have bytes although it says that it is empty.
    let isFile = status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
    mapped = isFile ? try? MappedFile(contentsOf: url) : nil
  }

  private init(_ handle: FileHandle, name: String) {
    (self.name, self.handle, mapped) = (name, handle, nil)
  }

  static func standardInput() -> TextBlocks { TextBlocks(.standardInput, name: "standard input") }

  /// - Throws: ``CorpusError`` if the text is empty or can't be read.
  mutating func next() throws -> Data? {
    guard let block = try? handle.read(upToCount: 1 << 20) ?? Data() else {
      throw CorpusError.unreadable(file: name)
    }
    if block.isEmpty, isEmpty { throw CorpusError.empty(file: name) }
    isEmpty = false
    return block.isEmpty ? nil : block
  }
}
