import Foundation
import Interchange
import Testing

@Suite struct MappedFileTests {
  @Test func givesTheBytesOfTheFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try Data([1, 2, 3]).write(to: url)
      let map = try MappedFile(contentsOf: url)
      // The map outlives the name.
      try FileManager.default.removeItem(at: url)
      #expect(map.withBytes { Array($0) } == [1, 2, 3])
    }
  }

  /// Of three pages and a half, ranges that begin and end within pages, or beyond the file.
  @Test func whatWasReleasedCanBeReadAgain() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      let bytes = (0..<14_336).map { UInt8(truncatingIfNeeded: $0 * $0 >> 4) }
      try Data(bytes).write(to: url)
      let map = try MappedFile(contentsOf: url)
      for range in [0..<14_336, 100..<9000, -5..<5000, 8192..<20_000, 7..<7] {
        map.release(range)
        #expect(map.withBytes { Array($0) } == bytes)
      }
      #expect(map.data == Data(bytes))
    }
  }

  @Test func aScratchFilesMapOutlivesIt() throws {
    func map() throws -> MappedFile {
      let file = try ScratchFile()
      try Data([1, 2, 3, 4]).withUnsafeBytes { try file.write($0, at: 0) }
      return try file.map(count: 3)
    }
    #expect(try map().withBytes { Array($0) } == [1, 2, 3])
  }

  @Test func anEmptyFileIsAnEmptyBuffer() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("empty")
      try Data().write(to: url)
      #expect(try MappedFile(contentsOf: url).count == 0)
    }
  }

  @Test func saysThatAFileIsMissing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("missing")
      let error = #expect(throws: FileError.self) { try MappedFile(contentsOf: url) }
      #expect(error == FileError(.read, url.path, code: ENOENT))
      #expect(
        error?.description
          == "\(url.path) can't be read: there is no such file; check the name.")
    }
  }

  @Test func saysThatAFolderIsNoFile() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: FileError.self) { try MappedFile(contentsOf: folder) }
      #expect(error?.description == "\(folder.path) can't be read: it is a folder; name a file.")
    }
  }

  @Test(.timeLimit(.minutes(1))) func refusesAPipeAndDoesNotWaitForIt() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("pipe")
      #expect(mkfifo(url.path, 0o600) == 0)
      #expect(throws: FileError(.read, url.path, code: ENOTSUP)) {
        try MappedFile(contentsOf: url)
      }
    }
  }

  @Test(.disabled(if: geteuid() == 0, "root may read everything"))
  func saysThatPermissionIsMissing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("secret")
      try Data([1]).write(to: url)
      chmod(url.path, 0)
      #expect(throws: FileError(.read, url.path, code: EACCES)) {
        try MappedFile(contentsOf: url)
      }
    }
  }
}
