import Foundation

extension AtomicFile {
  /// Collects small writes into large ones; large ones go to the system as they are, uncopied.
  public struct Writer: ~Copyable {
    let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    /// How many bytes were written so far.
    public private(set) var byteCount = 0
    private static let capacity = 1 << 16

    /// - Parameter path: the name that errors show.
    package init(descriptor: Int32, path: String) {
      self.descriptor = descriptor
      self.path = path
      buffer.reserveCapacity(Self.capacity)
    }

    /// - Throws: ``FileError``, at this call or a later one.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
      byteCount += bytes.count
      if buffer.count + bytes.count > Self.capacity { try flush() }
      if bytes.count > Self.capacity {
        try writeThrough(bytes)
      } else {
        buffer.append(contentsOf: bytes)
      }
    }

    /// Writes the bytes of an array's elements as they lie in memory.
    ///
    /// - Throws: ``FileError``, at this call or a later one.
    public mutating func write<Element: BitwiseCopyable>(_ array: [Element]) throws(FileError) {
      try array.withUnsafeBufferPointer { elements throws(FileError) in
        try write(UnsafeRawBufferPointer(elements))
      }
    }

    /// Writes the text as UTF-8.
    ///
    /// - Throws: ``FileError``, at this call or a later one.
    public mutating func write(_ text: String) throws(FileError) {
      try write(Array(text.utf8))
    }

    package mutating func flush() throws(FileError) {
      try buffer.withUnsafeBufferPointer { bytes throws(FileError) in
        try writeThrough(UnsafeRawBufferPointer(bytes))
      }
      buffer.removeAll(keepingCapacity: true)
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = try System.write(.init(rebasing: rest), to: descriptor, path: path)
        rest = rest.dropFirst(written)
      }
    }
  }
}
