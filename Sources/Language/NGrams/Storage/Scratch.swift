import Foundation
import Interchange

/// Pages for intermediate results: in memory up to a budget, beyond it in a file without a name.
///
/// What is built of pages doesn't know where they lie, so that a text that fits into memory and one
/// that doesn't go the same way. To be used from one thread at a time.
package final class Scratch {
  /// Bytes of a page.
  static let pageSize = 1 << 16

  /// A page that has been filled.
  struct Page {
    /// Nil if it lies in the file.
    fileprivate let memory: UnsafeMutableRawPointer?
    fileprivate let slot: Int
  }

  /// Bytes that the whole of a work may take.
  let memory: Int
  private let folder: URL
  private var room: Int
  private var unused: [UnsafeMutableRawPointer] = []
  private var file: ScratchFile?
  private var freeSlots: [Int] = []
  private var slots = 0

  /// - Parameters:
  ///   - memory: bytes for pages and for what else the work needs: half of it is for pages, a
  ///     quarter for sorting.
  ///   - folder: where the file is made, if one is needed.
  package init(memory: Int, folder: URL = FileManager.default.temporaryDirectory) {
    self.memory = memory
    self.folder = folder
    room = memory / 2 / Self.pageSize
  }

  deinit {
    for buffer in unused { buffer.deallocate() }
  }

  /// Whether anything had to go to the disk.
  package var usesFile: Bool { file != nil }

  /// An empty buffer of one page.
  func buffer() -> UnsafeMutableRawPointer {
    unused.popLast()
      ?? UnsafeMutableRawPointer.allocate(byteCount: Self.pageSize, alignment: 64)
  }

  /// Takes back a buffer that wasn't kept.
  func discard(_ buffer: UnsafeMutableRawPointer) { unused.append(buffer) }

  /// Keeps a buffer's bytes, and the buffer.
  ///
  /// - Throws: `FileError`.
  func keep(_ buffer: UnsafeMutableRawPointer) throws(FileError) -> Page {
    if room > 0 {
      room -= 1
      return Page(memory: buffer, slot: -1)
    }
    let file: ScratchFile
    if let known = self.file { file = known } else { file = try ScratchFile(folder: folder) }
    self.file = file
    let slot = freeSlots.popLast() ?? slots
    slots = max(slots, slot + 1)
    try file.write(
      UnsafeRawBufferPointer(start: buffer, count: Self.pageSize), at: slot * Self.pageSize)
    discard(buffer)
    return Page(memory: nil, slot: slot)
  }

  /// A page's bytes, which may be put into `buffer`.
  ///
  /// - Throws: `FileError`.
  func bytes(
    of page: Page, using buffer: UnsafeMutableRawPointer
  ) throws(FileError) -> UnsafeRawPointer {
    if let memory = page.memory { return UnsafeRawPointer(memory) }
    try file?.read(
      into: UnsafeMutableRawBufferPointer(start: buffer, count: Self.pageSize),
      at: page.slot * Self.pageSize)
    return UnsafeRawPointer(buffer)
  }

  /// Forgets a page.
  func release(_ page: Page) {
    if let memory = page.memory {
      room += 1
      discard(memory)
    } else {
      freeSlots.append(page.slot)
    }
  }
}
