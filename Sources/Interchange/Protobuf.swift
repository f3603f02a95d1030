/// A message in the encoding of protocol buffers, as far as TensorBoard's events need it.
///
/// - SeeAlso: protobuf.dev, "Encoding".
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func begin(_ field: UInt64, _ type: WireType) {
    append(varint: field << 3 | type.rawValue)
  }

  mutating func add(_ field: UInt64, integer value: Int) {
    begin(field, .varint)
    append(varint: UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: UInt64, double value: Double) {
    begin(field, .fixed64)
    bytes += littleEndianBytes(of: value.bitPattern)
  }

  mutating func add(_ field: UInt64, float value: Float) {
    begin(field, .fixed32)
    bytes += littleEndianBytes(of: value.bitPattern)
  }

  mutating func add(_ field: UInt64, _ value: [UInt8]) {
    begin(field, .delimited)
    append(varint: UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: UInt64, text: String) { add(field, Array(text.utf8)) }

  mutating func add(_ field: UInt64, _ message: ProtobufMessage) { add(field, message.bytes) }

  mutating func add(_ field: UInt64, packed values: [Double]) {
    add(field, values.flatMap { littleEndianBytes(of: $0.bitPattern) })
  }

  /// The integer in a field of an encoded message; nil if it has none, or is damaged before it.
  static func integer(_ wanted: UInt64, in message: ArraySlice<UInt8>) -> Int? {
    var rest = message
    while let key = takeVarint(&rest) {
      switch WireType(rawValue: key & 7) {
      case .varint:
        guard let value = takeVarint(&rest) else { return nil }
        if key >> 3 == wanted { return Int(truncatingIfNeeded: value) }
      case .fixed64: rest = rest.dropFirst(8)
      case .fixed32: rest = rest.dropFirst(4)
      case .delimited:
        guard let count = takeVarint(&rest), count <= rest.count else { return nil }
        rest = rest.dropFirst(Int(count))
      case nil: return nil
      }
    }
    return nil
  }

  private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}

/// The bytes of a number, the lowest first.
func littleEndianBytes(of value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
