import Foundation

/// The system refused to read or write a file.
public struct FileError: Error, Equatable, Sendable {
  /// What was being done when it failed.
  public enum Operation: Sendable {
    /// Opening, mapping or reading.
    case read
    /// Creating the file, before anything was written.
    case create
    case write
    case rename
    /// Forcing bytes, or a folder's list of names, to the disk.
    case sync
  }

  public let operation: Operation
  /// The file or folder, by its absolute path.
  public let path: String
  /// The system's error number, for example `ENOSPC`.
  public let code: Int32

  public init(_ operation: Operation, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }
}

extension FileError: CustomStringConvertible {
  /// One sentence: what failed, where, why, and what to do.
  public var description: String {
    let verb = operation == .read ? "read" : "written"
    return "\(path) can't be \(verb): \(reason)."
  }

  private var reason: String {
    let isRead = operation == .read
    switch code {
    case ENOENT where isRead: return "there is no such file; check the name"
    case ENOENT: return "its folder doesn't exist; create it or choose another one"
    case EISDIR where isRead: return "it is a folder; name a file"
    case EISDIR: return "it is a folder; choose another name"
    case ENOTDIR: return "a part of its path is a file, not a folder; check the path"
    case ENOTSUP where operation != .sync:
      return "it is a device or a pipe, not a regular file; choose another name"
    case EEXIST: return "temporary files with that name are in the way; remove them"
    case EACCES, EPERM: return "permission is denied; change that or choose another place"
    case EROFS: return "the file system is read-only; choose another place"
    case ENOSPC: return "the disk is full; free some space or choose another place"
    case EDQUOT: return "the disk quota is used up; free some space or choose another place"
    case EFBIG: return "it would be larger than the limit for files; raise the limit (ulimit -f)"
    case EMFILE, ENFILE: return "too many files are open; close some or raise the limit (ulimit -n)"
    case ENAMETOOLONG: return "its name is too long; choose a shorter one"
    case ENOMEM: return "the memory is used up; close other programs"
    case EIO: return "the disk reported an error; check the disk"
    default: return "\(String(cString: strerror(code))) (system error \(code))"
    }
  }
}
