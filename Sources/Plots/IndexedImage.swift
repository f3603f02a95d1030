import Foundation

/// A small PNG with a palette, for fields: a byte a cell, so that a page holds many of them.
///
/// The pixels aren't compressed (deflate's stored blocks), which needs no library.
///
/// - SeeAlso: PNG specification, third edition, sections 5 and 11; RFC 1950; RFC 1951, section
///   3.2.4.
struct IndexedImage {
  let width, height: Int
  /// Indices into the palette, row by row from the top.
  let pixels: [UInt8]
  /// `[256, 3]`.
  let palette: [UInt8]

  var dataURL: String { "data:image/png;base64," + Data(png).base64EncodedString() }

  var png: [UInt8] {
    var header = UInt32(width).bigEndianBytes + UInt32(height).bigEndianBytes
    header += [8, 3, 0, 0, 0]  // 8 bits, palette
    var rows: [UInt8] = []
    rows.reserveCapacity((width + 1) * height)
    for row in 0..<height {
      rows.append(0)  // no filter
      rows += pixels[row * width..<(row + 1) * width]
    }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + Self.chunk("IHDR", header) + Self.chunk("PLTE", palette)
      + Self.chunk("IDAT", Self.stored(rows)) + Self.chunk("IEND", [])
  }

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return UInt32(data.count).bigEndianBytes + body + crc(body).bigEndianBytes
  }

  /// A zlib stream of stored blocks.
  private static func stored(_ data: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
      let count = min(data.count - start, 0xFFFF)
      let isLast: UInt8 = start + count == data.count ? 1 : 0
      let size = UInt16(count)
      stream += [isLast, UInt8(size & 255), UInt8(size >> 8)]
      stream += [UInt8(~size & 255), UInt8(~size >> 8)]
      stream += data[start..<start + count]
      start += count
    } while start < data.count
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in data {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return stream + (b << 16 | a).bigEndianBytes
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

extension UInt32 {
  fileprivate var bigEndianBytes: [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self >> $0) }
  }
}
