import Foundation

/// A file's bytes, mapped read-only: the system brings in a page when it is first touched.
///
/// The map keeps the bytes of the file that was opened, also after another file has been renamed
/// over it. A file that is cut short in place while it is mapped ends the process (`SIGBUS`), as
/// with every memory map; ``AtomicFile`` never does that.
public final class MappedFile: @unchecked Sendable {  // Sendable: the bytes are never written.
  /// Valid as long as the map lives. Prefer ``withBytes(_:)``, which sees to that.
  let bytes: UnsafeRawBufferPointer

  /// The file's size in bytes.
  public var count: Int { bytes.count }

  /// Maps the whole file; an empty file gives an empty buffer.
  ///
  /// - Throws: ``FileError`` if the file is missing, a folder or a pipe, or can't be read.
  public convenience init(contentsOf url: URL) throws(FileError) {
    let path = url.path
    let descriptor = try System.openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(.read, path, code: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw FileError(.read, path, code: EISDIR)
    default: throw FileError(.read, path, code: ENOTSUP)
    }
    try self.init(descriptor, count: Int(status.st_size), path: path)
  }

  /// Maps the first bytes of an open file, which may then be closed.
  ///
  /// - Throws: ``FileError``, which names `path`.
  init(_ descriptor: Int32, count: Int, path: String) throws(FileError) {
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw FileError(.read, path, code: errno) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  /// Calls `body` with the file's bytes, which must not escape it.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }
  /// The file's bytes, which keep the map alive and mustn't be changed.
  package var data: Data {
    guard let start = bytes.baseAddress else { return Data() }
    return Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: count,
      deallocator: .custom { _, _ in withExtendedLifetime(self) {} })
  }

  /// Tells the system that some bytes have been read, so that they needn't stay in memory; whoever
  /// reads them again gets them from the file.
  package func release(_ range: Range<Int>) {
    guard let start = bytes.baseAddress else { return }
    // Pages that reach beyond the range at its end are still to be read.
    let page = Int(getpagesize())
    let begin = max(range.lowerBound, 0) / page * page
    let end = range.upperBound >= count ? count : range.upperBound / page * page
    guard begin < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: start + begin), end - begin, MADV_DONTNEED)
  }
}
