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
  private let bytes: Int
  /// Packed forms of this matrix, kept for weights, which many products use between two updates.
  package let packed = Mutex<[PackedLayout: Storage]>([:])
  /// The same matrix in fewer bits, if that is where it came from.
  package let quantized = Mutex<QuantizedMatrix?>(nil)

  package init(count: Int) {
    bytes = BufferPool.roundedBytes(for: count)
    base = BufferPool.shared.take(bytes).assumingMemoryBound(to: Float.self)
  }

  deinit { BufferPool.shared.giveBack(base, bytes: bytes) }
}

/// Which packed form of a matrix a product needs.
package struct PackedLayout: Hashable {
  package var offset: Int
  package var depth: Int
  package var columns: Int
  package var transposed: Bool
}

/// Buffers that are in use no more, by size. Safe from any thread.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  private struct Address: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }
  private let free = Mutex<[Int: [Address]]>([:])

  private static let hugePage = 2 << 20

  /// A size class: at most an eighth more than asked for, so that nearly equal sizes share buffers.
  static func roundedBytes(for count: Int) -> Int {
    let wanted = Swift.max(count * MemoryLayout<Float>.stride, 64)
    let highest = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    let step = Swift.max(64, (1 << highest) / 8)
    return (wanted + step - 1) / step * step
  }

  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    if let found = free.withLock({ $0[bytes]?.popLast() }) { return found.pointer }
    var pointer: UnsafeMutableRawPointer?
    let alignment = bytes >= Self.hugePage ? Self.hugePage : 64
    guard posix_memalign(&pointer, alignment, bytes) == 0, let pointer else {
      fatalError("out of memory: a buffer of \(bytes) bytes can't be had")
    }
    #if os(Linux)
      if bytes >= Self.hugePage { _ = madvise(pointer, bytes, MADV_HUGEPAGE) }
    #endif
    return pointer
  }

  func giveBack(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    free.withLock { $0[bytes, default: []].append(Address(pointer: pointer)) }
  }
}
