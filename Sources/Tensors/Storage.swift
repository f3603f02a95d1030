import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A buffer of floats. Its memory comes from, and goes back to, a pool, so that a training step
/// finds the buffers of the step before.
///
/// Unchecked: written only while its maker is the one owner (see `Tensor.update`), read after.
package final class Storage: @unchecked Sendable {
  /// Valid while this object is: hand on the storage, not its base, to what works on it.
  package let base: UnsafeMutablePointer<Float>
  private let size: BufferPool.Size
  /// Packed forms of this matrix, kept for weights, which many products use between two updates.
  package let packed = Mutex<[PackedLayout: Storage]>([:])
  /// The same matrix in fewer bits, if that is where it came from.
  package let quantized = Mutex<QuantizedMatrix?>(nil)

  package init(count: Int) {
    size = BufferPool.Size(bytes: count * MemoryLayout<Float>.stride)
    base = BufferPool.shared.take(size).assumingMemoryBound(to: Float.self)
  }

  deinit { BufferPool.shared.giveBack(base, size) }
}

/// Which packed form of a matrix a product needs.
package struct PackedLayout: Hashable {
  package var offset: Int
  package var depth: Int
  package var columns: Int
  package var transposed: Bool
}

/// Buffers that are in use no more, by size. Safe from any thread.
///
/// Neither taking a buffer that is there nor giving one back allocates: the free buffers of a size
/// are a list whose links stand in the buffers themselves.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  /// A size class: at most a sixteenth more than asked for, so that nearly equal sizes share buffers.
  struct Size {
    let bytes: Int
    /// Sixteen classes for each power of two.
    fileprivate let index: Int

    init(bytes count: Int) {
      let wanted = Swift.max(count, 64)
      let highest = Int.bitWidth - 1 - wanted.leadingZeroBitCount
      let step = Swift.max(64, (1 << highest) / 16)
      bytes = (wanted + step - 1) / step * step
      // The next power of two, if rounding has led there.
      let power = Int.bitWidth - 1 - bytes.leadingZeroBitCount
      index = 16 * power + (bytes - (1 << power)) / Swift.max(1, (1 << power) / 16)
    }
  }

  /// The first free buffer of each class.
  private struct Lists: @unchecked Sendable {
    var first = [UnsafeMutableRawPointer?](repeating: nil, count: 16 * Int.bitWidth)
  }
  private let free = Mutex(Lists())

  private static let hugePage = 2 << 20

  func take(_ size: Size) -> UnsafeMutableRawPointer {
    let found = free.withLock { lists in
      let buffer = lists.first[size.index]
      lists.first[size.index] = buffer?.load(as: UnsafeMutableRawPointer?.self)
      return buffer.map(Address.init)
    }
    if let found { return found.pointer }
    var pointer: UnsafeMutableRawPointer?
    let alignment = size.bytes >= Self.hugePage ? Self.hugePage : 64
    guard posix_memalign(&pointer, alignment, size.bytes) == 0, let pointer else {
      fatalError("out of memory: a buffer of \(size.bytes) bytes can't be had")
    }
    #if os(Linux)
      if size.bytes >= Self.hugePage { _ = madvise(pointer, size.bytes, MADV_HUGEPAGE) }
    #endif
    return pointer
  }

  func giveBack(_ pointer: UnsafeMutableRawPointer, _ size: Size) {
    let buffer = Address(pointer: pointer)
    free.withLock { lists in
      buffer.pointer.storeBytes(of: lists.first[size.index], as: UnsafeMutableRawPointer?.self)
      lists.first[size.index] = buffer.pointer
    }
  }

  private struct Address: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }
}

/// Calls `body` with uninitialised room for `count` values, which comes from the pool: as
/// `withUnsafeTemporaryAllocation`, which takes memory from the system when it is more than a little.
package func withPooled<Element: BitwiseCopyable, R>(
  _ type: Element.Type, count: Int, _ body: (UnsafeMutableBufferPointer<Element>) throws -> R
) rethrows -> R {
  let size = BufferPool.Size(bytes: count * MemoryLayout<Element>.stride)
  let room = BufferPool.shared.take(size)
  defer { BufferPool.shared.giveBack(room, size) }
  return try body(
    UnsafeMutableBufferPointer(start: room.bindMemory(to: type, capacity: count), count: count))
}
