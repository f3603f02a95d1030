// The only file that knows which C library it stands on.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The few system calls behind mapped and atomic files; each throws a ``FileError`` that names
/// `path`, and starts again when a signal interrupts it.
enum System {
  enum Mode {
    case writing
    case readingAndWriting
  }

  /// `create` makes a new file, open for writing, and fails with `EEXIST` if the name is taken.
  static func create(_ path: String, mode: Mode = .writing) throws(FileError) -> Int32 {
    let access = mode == .writing ? O_WRONLY : O_RDWR
    return try checked(.create, path) { open(path, access | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
  }

  static func openForAppending(_ path: String) throws(FileError) -> Int32 {
    try checked(.create, path) { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) }
  }

  static func makeFolder(_ path: String) throws(FileError) {
    try checked(.create, path) { mkdir(path, 0o777) }
  }

  /// Not blocking, so that a named pipe can't hang the caller.
  static func openForReading(_ path: String) throws(FileError) -> Int32 {
    try checked(.read, path) { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
  }

  static func openFolder(_ path: String) throws(FileError) -> Int32 {
    try checked(.sync, path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  /// - Returns: how many bytes were written, at least one.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(FileError) -> Int {
    // macOS refuses writes of 2 GiB and more at once.
    let count = min(bytes.count, 1 << 30)
    #if canImport(Glibc)
      let written = try checked(.write, path) { Glibc.write(descriptor, bytes.baseAddress, count) }
    #elseif canImport(Musl)
      let written = try checked(.write, path) { Musl.write(descriptor, bytes.baseAddress, count) }
    #else
      let written = try checked(.write, path) { Darwin.write(descriptor, bytes.baseAddress, count) }
    #endif
    if written == 0 { throw FileError(.write, path, code: EIO) }
    return written
  }

  /// - Returns: how many bytes were written at the offset, at least one.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int, _ path: String
  ) throws(FileError) -> Int {
    let count = min(bytes.count, 1 << 30)
    let written = try checked(.write, path) {
      pwrite(descriptor, bytes.baseAddress, count, off_t(offset))
    }
    if written == 0 { throw FileError(.write, path, code: EIO) }
    return written
  }

  /// - Returns: how many bytes were read from the offset on, at least one.
  static func read(
    _ bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int, _ path: String
  ) throws(FileError) -> Int {
    let count = min(bytes.count, 1 << 30)
    let found = try checked(.read, path) {
      pread(descriptor, bytes.baseAddress, count, off_t(offset))
    }
    if found == 0 { throw FileError(.read, path, code: EIO) }
    return found
  }

  /// Returns when the bytes are on the disk, not only in its cache.
  static func sync(_ descriptor: Int32, path: String) throws(FileError) {
    #if canImport(Darwin)
      // There, fsync leaves the bytes in the drive's cache. Not all file systems know F_FULLFSYNC.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    try checked(.sync, path) { fsync(descriptor) }
  }

  /// A failed close can be the first news of a failed write (NFS); an interrupted one has closed.
  static func close(_ descriptor: Int32, path: String) throws(FileError) {
    #if canImport(Glibc)
      let result = Glibc.close(descriptor)
    #elseif canImport(Musl)
      let result = Musl.close(descriptor)
    #else
      let result = Darwin.close(descriptor)
    #endif
    if result != 0, errno != EINTR { throw FileError(.write, path, code: errno) }
  }

  static func rename(_ old: String, to new: String) throws(FileError) {
    #if canImport(Glibc)
      try checked(.rename, new) { Glibc.rename(old, new) }
    #elseif canImport(Musl)
      try checked(.rename, new) { Musl.rename(old, new) }
    #else
      try checked(.rename, new) { Darwin.rename(old, new) }
    #endif
  }

  /// The path with every symbolic link followed; `nil` if nothing is there.
  static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  @discardableResult
  private static func checked<Result: SignedInteger>(
    _ operation: FileError.Operation, _ path: String, _ call: () -> Result
  ) throws(FileError) -> Result {
    while true {
      let result = call()
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { throw FileError(operation, path, code: code) }
    }
  }
}
