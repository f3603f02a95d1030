import Foundation
import Interchange

/// The bytes of a text, and the name that messages give it.
///
/// A file is mapped, and so is what comes from elsewhere if it is long: none of it needs to be in
/// memory.
public struct SourceText: Sendable {
  public let name: String
  public let bytes: Data
  /// Where the bytes lie, if they are mapped.
  let file: MappedFile?

  public init(name: String, bytes: Data) {
    (self.name, self.bytes, file) = (name, bytes, nil)
  }

  private init(name: String, mapping file: MappedFile) {
    (self.name, bytes, self.file) = (name, file.data, file)
  }

  /// A text that is already in memory.
  public init(_ text: String, name: String) {
    self.init(name: name, bytes: Data(text.utf8))
  }

  /// Reads the file at a path, or standard input for `-`.
  ///
  /// - Throws: as `init(contentsOf:)`.
  public init(path: String) throws {
    try self.init(path == "-" ? .standardInput() : TextBlocks(contentsOf: URL(filePath: path)))
  }

  /// Reads a file.
  ///
  /// - Throws: ``CorpusError`` if there is no such file, or it is a folder, empty or unreadable;
  ///   `FileError` if what is no regular file can't be kept.
  public init(contentsOf file: URL) throws {
    try self.init(TextBlocks(contentsOf: file))
  }

  /// As many bytes as stay in memory of what can't be mapped.
  private static let memory = 1 << 24

  private init(_ blocks: TextBlocks) throws {
    if let file = blocks.mapped {
      self.init(name: blocks.name, mapping: file)
      return
    }
    var (blocks, bytes, count) = (blocks, Data(), 0)
    var scratch: ScratchFile?
    while let block = try blocks.next() {
      bytes += block
      guard bytes.count > Self.memory || scratch != nil else { continue }
      let file = try scratch ?? ScratchFile()
      try bytes.withUnsafeBytes { try file.write($0, at: count) }
      (scratch, count) = (file, count + bytes.count)
      bytes.removeAll(keepingCapacity: true)
    }
    if let scratch {
      self.init(name: blocks.name, mapping: try scratch.map(count: count))
    } else {
      self.init(name: blocks.name, bytes: bytes)
    }
  }
}

extension SourceText: Equatable {
  public static func == (a: SourceText, b: SourceText) -> Bool {
    a.name == b.name && a.bytes == b.bytes
  }
}

extension SourceText {
  /// Calls `body` with one block of the bytes after the other; those of a file then leave memory.
  func forEachBlock(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try bytes.withUnsafeBytes { bytes in
      for begin in stride(from: 0, to: bytes.count, by: 1 << 18) {
        let range = begin..<min(begin + 1 << 18, bytes.count)
        try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        file?.release(range)
      }
    }
  }

  /// Calls `body` with one piece after the other, each of which ends where a token does.
  ///
  /// - Throws: as ``BlockSeam/join(_:_:)``.
  func forEachPiece(
    of unit: TokenUnit, _ reading: inout ReadingProgress, _ progress: (ReadingProgress) -> Void,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var seam = BlockSeam(text: name, unit: unit)
    try forEachBlock { block in
      try seam.join(block, body)
      reading.done += block.count
      progress(reading)
    }
    try seam.join(nil, body)
  }
}
