import Foundation

/// Folders, and files that grow by a line at a time.
public enum Folder {
  /// Makes a folder, and those above it that are missing. One that is there stays as it is.
  ///
  /// - Throws: ``FileError``.
  public static func make(_ url: URL) throws(FileError) {
    do {
      try System.makeFolder(url.path)
    } catch let error where error.code == EEXIST {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      guard isFolder.boolValue else { throw FileError(.create, url.path, code: ENOTDIR) }
    } catch let error where error.code == ENOENT {
      let parent = url.deletingLastPathComponent()
      guard parent.path.utf8.count < url.path.utf8.count else { throw error }
      try make(parent)
      try System.makeFolder(url.path)
    }
  }

  /// Makes a folder for what `fill` puts into it. If that throws, those folders that were made and
  /// are still empty are removed again.
  ///
  /// - Throws: ``FileError``, or what `fill` throws.
  public static func make<Result>(_ url: URL, fill: () throws -> Result) throws -> Result {
    var missing: [URL] = []
    var folder = url.standardizedFileURL
    while !FileManager.default.fileExists(atPath: folder.path) {
      missing.append(folder)
      folder.deleteLastPathComponent()
    }
    do {
      try make(url)
      return try fill()
    } catch {
      for folder in missing { rmdir(folder.path) }
      throw error
    }
  }

  /// Appends a line to a file, which is made if it is missing. A process that is killed while it
  /// does so may leave a part of the line.
  ///
  /// - Throws: ``FileError``.
  public static func append(line: String, to url: URL) throws(FileError) {
    try append(Array((line + "\n").utf8), to: url)
  }

  /// Appends bytes, as ``append(line:to:)`` does.
  package static func append(_ bytes: [UInt8], to url: URL) throws(FileError) {
    let descriptor = try System.openForAppending(url.path)
    do {
      var writer = AtomicFile.Writer(descriptor: descriptor, path: url.path)
      try writer.write(bytes)
      try writer.flush()
    } catch {
      close(descriptor)
      throw error
    }
    try System.close(descriptor, path: url.path)
  }

  /// Removes what killed processes left of files that ``AtomicFile`` was about to write.
  public static func removeLeftovers(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(at: folder.appending(path: name))
    }
  }
}
