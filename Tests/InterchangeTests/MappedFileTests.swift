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
