/// What a safetensors header says, read strictly; nothing is compared with the file yet.
///
/// General JSON readers won't do: they keep one of two equal keys in silence, and take `4.0` for an
/// integer. This one knows the format's only structure, so it needs no recursion and a header that
/// is nested deeper fails at the first bracket.
struct SafetensorsHeader {
  typealias Entry = SafetensorsFile.Entry

  private(set) var metadata: [String: String] = [:]
  /// In the header's order.
  private(set) var entries: [Entry] = []

  /// - Parameters:
  ///   - bytes: the header alone.
  ///   - start: where in the file the header begins.
  init(
    scanning bytes: UnsafeRawBufferPointer, start: Int, file: String
  ) throws(SafetensorsError) {
    var scanner = Scanner(bytes: bytes, start: start, file: file)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    try scanner.beginning(with: "{")
    try scanner.object { (scanner: inout Scanner, name, _) throws(SafetensorsError) in
      if name == "__metadata__" {
        try scanner.object { (scanner: inout Scanner, key, _) throws(SafetensorsError) in
          metadata[key] = try scanner.string()
        }
      } else {
        entries.append(try Self.entry(named: name, &scanner))
      }
    }
    try scanner.padding()
    self.metadata = metadata
    self.entries = entries
  }

  private static func entry(
    named name: String, _ scanner: inout Scanner
  ) throws(SafetensorsError) -> Entry {
    let file = scanner.file
    var dtypeName: String?
    var shape: [Int]?
    var offsets: (begin: Int, end: Int)?
    try scanner.object { (scanner: inout Scanner, key, byte) throws(SafetensorsError) in
      switch key {
      case "dtype": dtypeName = try scanner.string()
      case "shape": shape = try scanner.numbers()
      case "data_offsets": offsets = try scanner.pair()
      default: throw .unknownKey(file: file, byte: byte, found: key)
      }
    }
    guard let dtypeName else { throw .missingKey(file: file, tensor: name, expected: "dtype") }
    guard let shape else { throw .missingKey(file: file, tensor: name, expected: "shape") }
    guard let offsets else {
      throw .missingKey(file: file, tensor: name, expected: "data_offsets")
    }
    guard let dtype = SafetensorsFile.DType(rawValue: dtypeName) else {
      throw .unknownDType(file: file, tensor: name, found: dtypeName)
    }
    guard let size = dtype.byteCount(ofShape: shape) else {
      throw .sizeOverflow(file: file, tensor: name, found: shape)
    }
    // Both are at least 0, so the difference can't overflow.
    guard offsets.end - offsets.begin == size else {
      throw .sizeMismatch(
        file: file, tensor: name, expected: size, found: offsets.end - offsets.begin)
    }
    return Entry(name: name, dtype: dtype, shape: shape, range: offsets.begin..<offsets.end)
  }
}
