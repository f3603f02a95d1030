import Foundation

/// A file for intermediate results that has no name: whatever ends the process, it leaves nothing
/// behind.
///
/// It lies in the folder for temporary files, which `TMPDIR` names.
package final class ScratchFile {
  private let descriptor: Int32
  private let folder: String

  /// - Throws: ``FileError``.
  package init(folder: URL = FileManager.default.temporaryDirectory) throws(FileError) {
    self.folder = folder.path
    let name = ".unfold.\(getpid()).\(UInt64.random(in: 0 ... .max)).tmp"
    let path = folder.appendingPathComponent(name).path
    descriptor = try System.create(path, mode: .readingAndWriting)
    unlink(path)
  }

  deinit { close(descriptor) }

  /// - Throws: ``FileError``, which names the folder.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let position = offset + bytes.count - rest.count
      let count = try System.write(.init(rebasing: rest), to: descriptor, at: position, folder)
      rest = rest.dropFirst(count)
    }
  }

  /// - Throws: ``FileError``, also where the file ends before the buffer is full.
  package func read(
    into bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let position = offset + bytes.count - rest.count
      let buffer = UnsafeMutableRawBufferPointer(rebasing: rest)
      rest = rest.dropFirst(try System.read(buffer, from: descriptor, at: position, folder))
    }
  }
  /// The first `count` bytes, mapped: they stay until the map goes, also when this has gone.
  ///
  /// - Throws: ``FileError``, which names the folder.
  package func map(count: Int) throws(FileError) -> MappedFile {
    try MappedFile(descriptor, count: count, path: folder)
  }
}
