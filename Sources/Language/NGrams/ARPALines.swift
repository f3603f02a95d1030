import Interchange

/// The lines of an ARPA file and their fields, without a copy.
struct ARPALines {
  private let bytes: UnsafeRawBufferPointer
  private let file: String
  /// Where the bytes lie, if they are mapped, and up to where they needn't stay in memory.
  private let map: MappedFile?
  private var released = 0
  private var position = 0
  /// The number of the line that was read last, from 1.
  private(set) var number = 0

  init(_ bytes: UnsafeRawBufferPointer, file: String, map: MappedFile? = nil) {
    self.bytes = bytes
    self.file = file
    self.map = map
  }

  /// Bytes of the whole file.
  var size: Int { bytes.count }

  /// The next line without its end, or nil after the last.
  mutating func next() -> UnsafeRawBufferPointer? {
    guard position < bytes.count else { return nil }
    if let map, position - released > 1 << 20 {
      map.release(released..<position)
      released = position
    }
    var end = position
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    let line = position..<(end > position && bytes[end - 1] == 0x0D ? end - 1 : end)
    position = end + 1
    number += 1
    return UnsafeRawBufferPointer(rebasing: bytes[line])
  }

  /// The next line that holds more than white space, or nil.
  mutating func nextFilled() -> UnsafeRawBufferPointer? {
    while let line = next() {
      if !Self.isBlank(line) { return line }
    }
    return nil
  }

  func error(_ problem: ARPAError.Problem, line: Int? = nil) -> ARPAError {
    ARPAError(file: file, line: max(line ?? number, 1), problem: problem)
  }

  static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool { line.allSatisfy(isSeparator) }

  /// Without white space around it, and short enough to be shown.
  static func text(_ line: UnsafeRawBufferPointer) -> String {
    let line = trimmed(line)
    let text = line.prefix(80).split(omittingEmptySubsequences: false, whereSeparator: isSeparator)
      .map(Vocabulary.visible).joined(separator: " ")
    return line.count > 80 ? text + "…" : text
  }

  static func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let first = line.firstIndex(where: { !isSeparator($0) }),
      let last = line.lastIndex(where: { !isSeparator($0) })
    else { return UnsafeRawBufferPointer(rebasing: line[0..<0]) }
    return UnsafeRawBufferPointer(rebasing: line[first...last])
  }

  /// Replaces `fields` by what stands between white space.
  static func split(_ line: UnsafeRawBufferPointer, into fields: inout [Range<Int>]) {
    fields.removeAll(keepingCapacity: true)
    var begin = 0
    for index in 0...line.count where index == line.count || isSeparator(line[index]) {
      if index > begin { fields.append(begin..<index) }
      begin = index + 1
    }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D
  }
}

/// Reads a decimal number such as -1.0976 or 1e-05.
///
/// - Returns: nil if it is none; `inf`, `-inf` and `nan`, as C prints them, are.
func decimalNumber(_ bytes: UnsafeRawBufferPointer) -> Double? {
  // Up to 15 digits and 10²² are exact in double precision, so one division rounds correctly.
  var index = 0
  let isNegative = bytes.first == UInt8(ascii: "-")
  if isNegative { index += 1 }
  var (mantissa, digits, decimals, seesPoint) = (0, 0, 0, false)
  while index < bytes.count {
    let byte = bytes[index]
    if byte == UInt8(ascii: "."), !seesPoint {
      seesPoint = true
    } else if (0x30...0x39).contains(byte), digits < 15 {
      mantissa = mantissa * 10 + Int(byte - 0x30)
      digits += 1
      decimals += seesPoint ? 1 : 0
    } else {
      return longDecimalNumber(bytes)
    }
    index += 1
  }
  guard digits > 0 else { return nil }
  let value = Double(mantissa) / powersOfTen[decimals]
  return isNegative ? -value : value
}

/// As `decimalNumber`, where there are more digits, an exponent or no digits at all.
private func longDecimalNumber(_ bytes: UnsafeRawBufferPointer) -> Double? {
  let text = String(decoding: bytes, as: UTF8.self)
  // `Double` reads hexadecimal numbers too, and more names of infinity.
  let isDecimal = bytes.allSatisfy { byte in
    switch byte {
    case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
      UInt8(ascii: "E"):
      true
    default: false
    }
  }
  return isDecimal || ["inf", "-inf", "nan"].contains(text) ? Double(text) : nil
}

private let powersOfTen: [Double] = (0...15).map { digits in
  (0..<digits).reduce(1.0) { power, _ in power * 10 }
}
