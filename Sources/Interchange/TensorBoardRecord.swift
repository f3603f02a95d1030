/// The records of TensorBoard's event files:
///
///     u64 length | u32 masked CRC of the length's bytes | data | u32 masked CRC of the data
///
/// - SeeAlso: TensorBoard's `record_writer.py`; TensorFlow's "TFRecord" format.
package enum TensorBoardRecord {
  package static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndianBytes(of: UInt64(data.count))
    return length + littleEndianBytes(of: CRC32C.masked(length[...])) + data
      + littleEndianBytes(of: CRC32C.masked(data[...]))
  }

  /// The number of bytes of the whole records at the beginning of a file for which `isKept` holds,
  /// up to the first that is damaged, cut off or not kept.
  package static func prefix(of file: [UInt8], where isKept: (ArraySlice<UInt8>) -> Bool) -> Int {
    var start = 0
    while file.count - start >= 16 {
      let head = file[start..<start + 8]
      guard let length = Int(exactly: number(head)), length <= file.count - start - 16,
        number(file[start + 8..<start + 12]) == CRC32C.masked(head)
      else { break }
      let data = file[start + 12..<start + 12 + length]
      let check = file[data.endIndex..<data.endIndex + 4]
      guard number(check) == CRC32C.masked(data), isKept(data) else { break }
      start = check.endIndex
    }
    return start
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// The cyclic redundancy check of Castagnoli's polynomial, reflected: 0x82F63B78.
///
/// - SeeAlso: RFC 3720, appendix B.4, for test values.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
  }

  package static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
    }
  }

  /// As event files store it, so that the check of data with checks in them stays meaningful.
  package static func masked(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let crc = of(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
