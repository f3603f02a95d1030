import Foundation

/// A safetensors file, opened for reading: named tensors, row-major and little-endian.
///
///     u64 N | N bytes of JSON | data
///
/// The file is memory-mapped, and every rule of the format is checked when it is opened; no tensor
/// is read before it is asked for. Machines are assumed to be little-endian.
///
/// - SeeAlso: <https://github.com/huggingface/safetensors#format>
public struct SafetensorsFile: Sendable {
  /// One tensor: its name, its type and where its data lie.
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let dtype: DType
    /// Outermost dimension first; empty for a scalar.
    public let shape: [Int]
    /// In bytes, from the start of the file's data.
    public let range: Range<Int>
  }

  /// Free text that goes with the tensors.
  public let metadata: [String: String]
  /// In the order of their data.
  public let entries: [Entry]

  private let map: MappedFile
  let file: String
  private let indices: [String: Int]
  /// Where the data start in the file.
  private let dataStart: Int

  /// Opens a file and checks it against every rule of the format.
  ///
  /// - Throws: ``SafetensorsError``, which names the rule and the place.
  /// - Complexity: O(size of the header), whatever the size of the data.
  public init(contentsOf url: URL) throws(SafetensorsError) {
    let file = url.path
    let map: MappedFile
    do { map = try MappedFile(contentsOf: url) } catch { throw .unreadable(error) }
    let headerSize = try Self.headerSize(of: map, file: file)
    let header = try map.withBytes { bytes throws(SafetensorsError) in
      let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + headerSize])
      return try SafetensorsHeader(scanning: text, start: 8, file: file)
    }
    // An empty tensor comes before the one that begins at the same place.
    let entries = header.entries.sorted {
      let (left, right) = ($0.range, $1.range)
      return (left.lowerBound, left.upperBound, $0.name)
        < (right.lowerBound, right.upperBound, $1.name)
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw .notContiguous(
          file: file, tensor: entry.name, expected: end, found: entry.range.lowerBound)
      }
      end = entry.range.upperBound
    }
    let dataStart = 8 + headerSize
    guard end == map.count - dataStart else {
      let (expected, overflow) = end.addingReportingOverflow(dataStart)
      throw .lengthMismatch(file: file, expected: overflow ? .max : expected, found: map.count)
    }
    self.map = map
    self.file = file
    self.dataStart = dataStart
    self.entries = entries
    metadata = header.metadata
    indices = Dictionary(uniqueKeysWithValues: zip(entries.map(\.name), entries.indices))
  }

  /// The tensor with this name, if there is one.
  public func entry(named name: String) -> Entry? {
    indices[name].map { entries[$0] }
  }

  /// Calls `body` with a tensor's bytes, which must not escape it. They are the file's own, so they
  /// may lie at any alignment.
  ///
  /// - Throws: ``SafetensorsError/noTensor(file:expected:)``, or what `body` throws.
  public func withBytes<Result>(
    named name: String, _ body: (UnsafeRawBufferPointer, Entry) throws -> Result
  ) throws -> Result {
    guard let entry = entry(named: name) else {
      throw SafetensorsError.noTensor(file: file, expected: name)
    }
    let range = dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound
    return try map.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range]), entry) }
  }

  /// A copy of a tensor's bytes.
  ///
  /// - Throws: ``SafetensorsError/noTensor(file:expected:)``.
  public func bytes(named name: String) throws -> [UInt8] {
    try withBytes(named: name) { bytes, _ in Array(bytes) }
  }

  /// Calls `body` with the elements and the shape of an F32 tensor. The elements must not escape;
  /// they are copied only if the file has them at an odd address.
  ///
  /// - Throws: ``SafetensorsError/noTensor(file:expected:)``,
  ///   ``SafetensorsError/wrongDType(file:tensor:expected:found:)``, or what `body` throws.
  public func withFloats<Result>(
    named name: String, _ body: (UnsafeBufferPointer<Float>, _ shape: [Int]) throws -> Result
  ) throws -> Result {
    try withBytes(named: name) { bytes, entry in
      guard entry.dtype == .f32 else {
        throw SafetensorsError.wrongDType(
          file: file, tensor: name, expected: .f32, found: entry.dtype)
      }
      let isAligned = Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0
      if isAligned {
        return try bytes.withMemoryRebound(to: Float.self) { try body($0, entry.shape) }
      }
      let copy = [Float](unsafeUninitializedCapacity: bytes.count / 4) { floats, count in
        UnsafeMutableRawBufferPointer(floats).copyMemory(from: bytes)
        count = bytes.count / 4
      }
      return try copy.withUnsafeBufferPointer { try body($0, entry.shape) }
    }
  }

  /// The header's size, which is known to lie within the limit and the file.
  private static func headerSize(
    of map: MappedFile, file: String
  ) throws(SafetensorsError) -> Int {
    guard map.count >= 8 else { throw .noHeader(file: file, found: map.count) }
    let size = map.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard size <= headerLimit else { throw .headerTooLarge(file: file, found: size) }
    guard size <= map.count - 8 else {
      throw .headerTruncated(file: file, expected: Int(size), found: map.count - 8)
    }
    return Int(size)
  }

  static let headerLimit = 100_000_000
}
