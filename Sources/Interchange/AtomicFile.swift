import Foundation

/// Writes a file so that readers, and a machine that loses power, see the old one or the new one,
/// never a part.
///
/// The bytes go to a temporary sibling (`.name.<process>.<n>.tmp`), which is forced to the disk,
/// renamed over the target, and the folder is forced to the disk too. On any error the sibling is
/// removed and the old file stays as it was.
public enum AtomicFile {
  /// Writes what `body` hands to the writer. A symbolic link is followed, not replaced; a file that
  /// is replaced passes its permissions on.
  ///
  /// - Throws: ``FileError``, or what `body` throws.
  public static func write(to url: URL, _ body: (inout Writer) throws -> Void) throws {
    let target = System.realPath(url.path) ?? url.path
    let permissions = try permissions(of: target)
    let (descriptor, temporary) = try sibling(of: target)
    var writer = Writer(descriptor: descriptor, path: target)
    do {
      do {
        if let permissions { fchmod(descriptor, permissions) }
        try body(&writer)
        try writer.flush()
        try System.sync(descriptor, path: target)
      } catch {
        close(descriptor)
        throw error
      }
      try System.close(descriptor, path: target)
      try System.rename(temporary, to: target)
    } catch {
      unlink(temporary)
      throw error
    }
    try syncFolder(URL(fileURLWithPath: target).deletingLastPathComponent())
  }

  /// Finds out whether a file can be written, before the work whose result it is to hold.
  ///
  /// - Throws: ``FileError``, as `write` would when it begins.
  public static func check(_ url: URL) throws(FileError) {
    let target = System.realPath(url.path) ?? url.path
    _ = try permissions(of: target)
    let (descriptor, temporary) = try sibling(of: target)
    close(descriptor)
    unlink(temporary)
  }

  /// Forces a folder's list of names to the disk, so that files renamed into it stay there.
  ///
  /// - Throws: ``FileError``.
  public static func syncFolder(_ url: URL) throws(FileError) {
    let descriptor = try System.openFolder(url.path)
    defer { close(descriptor) }
    do {
      try System.sync(descriptor, path: url.path)
    } catch let error where error.code == EINVAL || error.code == ENOTSUP {
      // Some network file systems can't do this for folders, and need no telling.
    }
  }

  /// Permissions of the regular file at `path`; `nil` if nothing is there.
  private static func permissions(of path: String) throws(FileError) -> mode_t? {
    var status = stat()
    // Whatever else is wrong with the path, creating the sibling reports it.
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status.st_mode & 0o777
    case S_IFDIR: throw FileError(.create, path, code: EISDIR)
    default: throw FileError(.create, path, code: ENOTSUP)
    }
  }

  /// A new file beside `target`, open for writing. The number is for those that a killed
  /// process left behind.
  private static func sibling(of target: String) throws(FileError) -> (
    descriptor: Int32, path: String
  ) {
    let url = URL(fileURLWithPath: target)
    for number in 0..<100 {
      let name = ".\(url.lastPathComponent).\(getpid()).\(number).tmp"
      let path = url.deletingLastPathComponent().appendingPathComponent(name).path
      do {
        return (try System.create(path), path)
      } catch let error where error.code == EEXIST {
        continue
      } catch {
        throw FileError(.create, target, code: error.code)
      }
    }
    throw FileError(.create, target, code: EEXIST)
  }
}
