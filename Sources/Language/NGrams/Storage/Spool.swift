import Interchange

/// A long sequence: written once, from its beginning to its end, and then read in that order.
final class Spool<Element: BitwiseCopyable> {
  private let scratch: Scratch
  private var pages: [Scratch.Page] = []
  private var last: UnsafeMutablePointer<Element>?
  private var fill = 0
  private let capacity = Scratch.pageSize / MemoryLayout<Element>.stride

  init(_ scratch: Scratch) { self.scratch = scratch }

  deinit {
    for page in pages { scratch.release(page) }
    if let last { scratch.discard(last) }
  }

  var count: Int { pages.count * capacity + fill }

  /// - Throws: `FileError`.
  @inline(__always)
  func append(_ element: Element) throws(FileError) {
    if fill == capacity || last == nil { try turn() }
    last.unsafelyUnwrapped[fill] = element
    fill += 1
  }

  private func turn() throws(FileError) {
    if let full = last {
      last = nil
      fill = 0
      pages.append(try scratch.keep(full))
    }
    last = scratch.buffer().bindMemory(to: Element.self, capacity: capacity)
  }

  /// Reads from the beginning. What is appended later isn't seen.
  func reader() -> Reader { Reader(self) }

  /// Calls `body` with each element.
  ///
  /// - Throws: `FileError`, and what `body` throws.
  func visit(_ body: (Element) throws -> Void) throws {
    let reader = reader()
    while let element = try reader.next() { try body(element) }
  }

  /// A place in a spool.
  final class Reader {
    private let spool: Spool
    private let buffer: UnsafeMutableRawPointer
    private var page = 0
    private var position: UnsafePointer<Element>
    private var end: UnsafePointer<Element>

    fileprivate init(_ spool: Spool) {
      self.spool = spool
      buffer = spool.scratch.buffer()
      position = UnsafePointer(buffer.assumingMemoryBound(to: Element.self))
      end = position
    }

    deinit { spool.scratch.discard(buffer) }

    /// The next element, or nil after the last.
    ///
    /// - Throws: `FileError`.
    @inline(__always)
    func next() throws(FileError) -> Element? {
      if position == end, try !turn() { return nil }
      defer { position += 1 }
      return position.pointee
    }

    private func turn() throws(FileError) -> Bool {
      if page < spool.pages.count {
        let bytes = try spool.scratch.bytes(of: spool.pages[page], using: buffer)
        position = bytes.assumingMemoryBound(to: Element.self)
        end = position + spool.capacity
      } else if page == spool.pages.count, let last = spool.last, spool.fill > 0 {
        position = UnsafePointer(last)
        end = position + spool.fill
      } else {
        return false
      }
      page += 1
      return true
    }
  }
}
