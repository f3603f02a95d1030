import Foundation

extension SafetensorsFile {
  /// A tensor to be written.
  public struct Part {
    public let name: String
    public let dtype: DType
    /// Outermost dimension first; empty for a scalar.
    public let shape: [Int]
    let byteCount: Int
    let write: (inout AtomicFile.Writer) throws -> Void

    /// A tensor whose bytes are asked for when their turn has come, so that they need not be in
    /// memory all at once.
    ///
    /// - Parameter write: hands the row-major, little-endian bytes to the writer, in as many pieces
    ///   as it likes. Their number must match the shape.
    public init(
      name: String, dtype: DType, shape: [Int],
      write: @escaping (inout AtomicFile.Writer) throws -> Void
    ) {
      precondition(name != "__metadata__", "__metadata__ can't be the name of a tensor")
      guard shape.allSatisfy({ $0 >= 0 }), let count = dtype.byteCount(ofShape: shape) else {
        preconditionFailure("\(name): impossible shape \(shape)")
      }
      self.name = name
      self.dtype = dtype
      self.shape = shape
      self.byteCount = count
      self.write = write
    }

    /// An F32 tensor; `floats` has as many elements as the shape.
    public init(name: String, shape: [Int], floats: [Float]) {
      self.init(name: name, dtype: .f32, shape: shape) { try $0.write(floats) }
      precondition(
        floats.count * 4 == byteCount, "\(name): \(floats.count) floats for shape \(shape)")
    }
  }

  /// Writes a file as the reference implementation does, byte for byte: tensors by descending
  /// alignment, then by name, and the header padded to a multiple of 8 bytes. An old file is
  /// replaced only when the new one is whole (see ``AtomicFile``).
  ///
  /// Traps if two parts have one name, or a part's bytes don't match its shape.
  ///
  /// - Parameter metadata: free text; Python's tools expect the default in it. Written in the order
  ///   of the keys; an empty one is left out.
  /// - Throws: ``FileError``, or what a part throws.
  public static func write(
    _ parts: [Part], metadata: [String: String] = ["format": "pt"], to url: URL
  ) throws {
    let order = Dictionary(uniqueKeysWithValues: zip(DType.allCases, DType.allCases.indices))
    let parts = parts.sorted { left, right in
      left.dtype == right.dtype
        ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        : order[left.dtype, default: 0] < order[right.dtype, default: 0]
    }
    let header = header(of: parts, metadata: metadata)
    try AtomicFile.write(to: url) { writer in
      try writer.write([UInt64(header.utf8.count).littleEndian])
      try writer.write(header)
      for part in parts {
        let before = writer.byteCount
        try part.write(&writer)
        let written = writer.byteCount - before
        precondition(
          written == part.byteCount,
          "\(part.name): \(written) bytes for shape \(part.shape), which needs \(part.byteCount)")
      }
    }
  }

  private static func header(of parts: [Part], metadata: [String: String]) -> String {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(literal($0.key)):\(literal($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var names: Set<String> = []
    var end = 0
    for part in parts {
      precondition(names.insert(part.name).inserted, "two tensors are called \(part.name)")
      let begin = end
      end += part.byteCount
      let shape = part.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(literal(part.name)):{\"dtype\":\"\(part.dtype.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(end)]}")
    }
    let header = "{\(members.joined(separator: ","))}"
    precondition(header.utf8.count <= headerLimit - 8, "too many tensors for one header")
    return header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
  }

  /// Text as JSON, escaped as the reference implementation does.
  private static func literal(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case "\u{8}": literal += "\\b"
      case "\u{C}": literal += "\\f"
      case "\n": literal += "\\n"
      case "\r": literal += "\\r"
      case "\t": literal += "\\t"
      case "\0"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}
