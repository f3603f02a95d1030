import Interchange

/// Values that come in any order of their indices, and go out by ascending index.
///
/// Indices are divided into windows, each so small that its values can be put in their places in
/// memory. Coming in, a value only goes to the end of its window.
///
/// - Complexity: O(values + indices).
final class Exchange<Value: BitwiseCopyable> {
  struct Item: BitwiseCopyable {
    let index: UInt32
    let value: Value
  }

  /// Indices are below.
  let count: Int
  private let shift: Int
  private let scratch: Scratch
  private var windows: [Spool<Item>]

  init(count: Int, _ scratch: Scratch) {
    self.count = count
    self.scratch = scratch
    // At most 256 windows, since each holds a page open; a window's values fit into the cache.
    let shift = max(18, bitsNeeded(below: count) - 8)
    self.shift = shift
    windows = (0..<max(1, (count + (1 << shift) - 1) >> shift)).map { _ in Spool(scratch) }
  }

  /// - Throws: `FileError`.
  @inline(__always)
  func append(_ index: UInt32, _ value: Value) throws(FileError) {
    try windows[Int(index) >> shift].append(Item(index: index, value: value))
  }

  /// Calls `body` with each window's indices and what came for them.
  ///
  /// - Throws: what `body` throws.
  func forEachWindow(_ body: (Range<Int>, Spool<Item>) throws -> Void) rethrows {
    for (number, window) in windows.enumerated() {
      let begin = number << shift
      try body(begin..<min(begin + 1 << shift, count), window)
    }
  }

  /// Calls `body` with the value of each index, and forgets them.
  ///
  /// - Parameter missing: what an index gets for which nothing came.
  /// - Throws: `FileError`, and what `body` throws.
  func drain(missing: Value, _ body: (Value) throws -> Void) throws {
    for number in windows.indices {
      let begin = number << shift
      var values = [Value](
        repeating: missing, count: max(0, min(1 << shift, count - begin)))
      try values.withUnsafeMutableBufferPointer { values in
        try windows[number].visit { values[Int($0.index) - begin] = $0.value }
        for value in values { try body(value) }
      }
      windows[number] = Spool(scratch)
    }
  }
}
