import Foundation
import Interchange
import Testing

@Suite struct AtomicFileTests {
  struct Interruption: Error {}

  @Test func writesPiecesOfAllSizesInOrder() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      // Around the size of the buffer, 65536 bytes.
      let sizes = [0, 1, 3, 65_535, 65_536, 65_537, 200_000, 7]
      var expected: [UInt8] = []
      try AtomicFile.write(to: url) { writer in
        for (index, size) in sizes.enumerated() {
          let piece = [UInt8](repeating: UInt8(index), count: size)
          try writer.write(piece)
          expected += piece
        }
        #expect(writer.byteCount == expected.count)
      }
      #expect(try Array(Data(contentsOf: url)) == expected)
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test func aCheckRefusesWhatAWriteWouldAndLeavesNoTrace() throws {
    try withTemporaryFolder { folder in
      let (file, inNone) = (folder.appending(path: "file"), folder.appending(path: "none/file"))
      try AtomicFile.check(file)
      #expect(try names(in: folder) == [])
      for refused in [inNone, folder] {
        let error = try #require(throws: FileError.self) { try AtomicFile.check(refused) }
        #expect(throws: error) { try AtomicFile.write(to: refused) { try $0.write("new") } }
      }
      try AtomicFile.write(to: file) { try $0.write("old") }
      try AtomicFile.check(file)
      #expect(try String(contentsOf: file, encoding: .utf8) == "old")
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test func anInterruptedWriteLeavesTheOldFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try AtomicFile.write(to: url) { try $0.write("old") }
      #expect(throws: Interruption.self) {
        try AtomicFile.write(to: url) { writer in
          try writer.write([UInt8](repeating: 1, count: 100_000))
          throw Interruption()
        }
      }
      #expect(try String(contentsOf: url, encoding: .utf8) == "old")
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test func theOldFileIsThereUntilTheNewOneIsWhole() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try AtomicFile.write(to: url) { try $0.write("old") }
      try AtomicFile.write(to: url) { writer in
        try writer.write([UInt8](repeating: 1, count: 100_000))
        #expect(try String(contentsOf: url, encoding: .utf8) == "old")
        let temporary = ".file.\(getpid()).0.tmp"
        #expect(try names(in: folder) == [temporary, "file"])
      }
      #expect(try Data(contentsOf: url).count == 100_000)
    }
  }

  @Test func stepsAroundALeftoverTemporary() throws {
    try withTemporaryFolder { folder in
      let leftover = ".file.\(getpid()).0.tmp"
      try Data("left".utf8).write(to: folder.appendingPathComponent(leftover))
      try AtomicFile.write(to: folder.appendingPathComponent("file")) { try $0.write("new") }
      #expect(try names(in: folder) == [leftover, "file"])
    }
  }

  @Test func followsSymbolicLinksAndKeepsPermissions() throws {
    try withTemporaryFolder { folder in
      let (url, link) = (
        folder.appendingPathComponent("file"), folder.appendingPathComponent("link")
      )
      try Data("old".utf8).write(to: url)
      chmod(url.path, 0o640)
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
      try AtomicFile.write(to: link) { try $0.write("new") }
      #expect(try String(contentsOf: url, encoding: .utf8) == "new")
      let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
      #expect(attributes[.posixPermissions] as? Int == 0o640)
      #expect(try names(in: folder) == ["file", "link"])
    }
  }

  @Test func saysThatTheFolderIsMissing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("missing/file")
      let error = #expect(throws: FileError.self) { try AtomicFile.write(to: url) { _ in } }
      #expect(error == FileError(.create, url.path, code: ENOENT))
      #expect(
        error?.description == "\(url.path) can't be written: its folder doesn't exist; "
          + "create it or choose another one.")
    }
  }

  @Test func refusesToReplaceFoldersAndDevices() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: FileError.self) { try AtomicFile.write(to: folder) { _ in } }
      #expect(error?.code == EISDIR)
      let pipe = folder.appendingPathComponent("pipe")
      #expect(mkfifo(pipe.path, 0o600) == 0)
      let pipeError = #expect(throws: FileError.self) { try AtomicFile.write(to: pipe) { _ in } }
      #expect(pipeError?.code == ENOTSUP)
      let left = try names(in: folder)
      #expect(left == ["pipe"])
    }
  }

  @Test(.disabled(if: geteuid() == 0, "root may write everywhere"))
  func saysThatPermissionIsMissing() throws {
    try withTemporaryFolder { folder in
      chmod(folder.path, 0o500)
      defer { chmod(folder.path, 0o700) }
      let url = folder.appendingPathComponent("file")
      let error = #expect(throws: FileError.self) { try AtomicFile.write(to: url) { _ in } }
      #expect(error?.operation == .create)
      #expect(error?.code == EACCES)
    }
  }

  #if os(Linux)
    @Test func saysThatTheDiskIsFull() throws {
      let descriptor = open("/dev/full", O_WRONLY)
      defer { close(descriptor) }
      var writer = AtomicFile.Writer(descriptor: descriptor, path: "/out/model.safetensors")
      try writer.write("small writes wait in the buffer")
      // The macros' closures can't capture a type that isn't copyable.
      var error: FileError?
      do { try writer.flush() } catch let failure { error = failure }
      #expect(error == FileError(.write, "/out/model.safetensors", code: ENOSPC))
      #expect(
        error?.description == "/out/model.safetensors can't be written: the disk is full; "
          + "free some space or choose another place.")
    }

    #if compiler(>=6.2) && canImport(Glibc)
      /// In a process of its own, because the limit holds for the whole process.
      @Test func aWriteThatRunsOutOfSpaceLeavesTheOldFile() async {
        await #expect(processExitsWith: .success) {
          try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            try AtomicFile.write(to: url) { try $0.write("old") }
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
              exit(1)
            }
            do {
              try AtomicFile.write(to: url) { try $0.write([UInt8](repeating: 1, count: 200_000)) }
              exit(2)
            } catch let error as FileError where error.code == EFBIG {
              guard try String(contentsOf: url, encoding: .utf8) == "old" else { exit(3) }
              guard try names(in: folder) == ["file"] else { exit(4) }
            }
          }
        }
      }
    #endif
  #endif
}
