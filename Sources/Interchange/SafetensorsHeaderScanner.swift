extension SafetensorsHeader {
  /// Walks over JSON text, one token at a time.
  struct Scanner {
    let bytes: UnsafeRawBufferPointer
    /// Where in the file the text begins.
    let start: Int
    let file: String
    private var position = 0

    init(bytes: UnsafeRawBufferPointer, start: Int, file: String) {
      self.bytes = bytes
      self.start = start
      self.file = file
    }

    /// Calls `member` at each value, with its key and the file position of the key.
    mutating func object(
      _ member: (inout Scanner, _ key: String, _ byte: Int) throws(SafetensorsError) -> Void
    ) throws(SafetensorsError) {
      var keys: Set<String> = []
      try expect("{")
      if accept("}") { return }
      repeat {
        skipSpace()
        let byte = start + position
        let key = try string()
        guard keys.insert(key).inserted else {
          throw .duplicateKey(file: file, byte: byte, found: key)
        }
        try expect(":")
        try member(&self, key, byte)
      } while accept(",")
      try expect("}")
    }

    mutating func numbers() throws(SafetensorsError) -> [Int] {
      var numbers: [Int] = []
      try expect("[")
      if accept("]") { return numbers }
      repeat { numbers.append(try number()) } while accept(",")
      try expect("]")
      return numbers
    }

    mutating func pair() throws(SafetensorsError) -> (Int, Int) {
      try expect("[")
      let first = try number()
      try expect(",")
      let second = try number()
      try expect("]")
      return (first, second)
    }

    /// A whole number, 0 or more, without leading zeros.
    mutating func number() throws(SafetensorsError) -> Int {
      skipSpace()
      let first = position
      while let byte = peek, "0123456789+-.eE".utf8.contains(byte) { position += 1 }
      guard first < position else { throw unexpected("a whole number") }
      let digits = String(decoding: bytes[first..<position], as: UTF8.self)
      guard let value = Int(digits), String(value) == digits, value >= 0 else {
        throw .badNumber(file: file, byte: start + first, found: quoted(digits))
      }
      return value
    }

    mutating func string() throws(SafetensorsError) -> String {
      try expect("\"")
      let first = position
      var text: [UInt8] = []
      while true {
        guard let byte = peek, byte >= 0x20 else { throw unexpected("a closing quotation mark") }
        position += 1
        if byte == UInt8(ascii: "\"") { break }
        if byte == UInt8(ascii: "\\") {
          text += try escaped().utf8
        } else {
          text.append(byte)
        }
      }
      guard let string = String(validating: text, as: UTF8.self) else {
        throw .notUTF8(file: file, byte: start + first)
      }
      return string
    }

    /// The very next byte is this one, without a space before it.
    func beginning(with scalar: Unicode.Scalar) throws(SafetensorsError) {
      guard peek == UInt8(ascii: scalar) else { throw unexpected("\"\(scalar)\"") }
    }

    /// Nothing but spaces is left.
    mutating func padding() throws(SafetensorsError) {
      while peek == UInt8(ascii: " ") { position += 1 }
      guard peek == nil else { throw unexpected("a space, as padding") }
    }

    /// The character that is written as a backslash and what follows.
    private mutating func escaped() throws(SafetensorsError) -> String {
      if peek == UInt8(ascii: "u") { return try unicodeEscape() }
      guard let byte = peek, let character = Self.escapes[Unicode.Scalar(byte)] else {
        throw unexpected("an escaped character")
      }
      position += 1
      return character
    }

    private static let escapes: [Unicode.Scalar: String] = [
      "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t",
    ]

    /// One UTF-16 code unit, or a surrogate pair.
    private mutating func unicodeEscape() throws(SafetensorsError) -> String {
      let first = try codeUnit()
      if let scalar = Unicode.Scalar(first) { return String(scalar) }
      guard UTF16.isLeadSurrogate(first), peek == UInt8(ascii: "\\") else {
        throw unexpected("the second half of a surrogate pair")
      }
      position += 1
      let second = try codeUnit()
      guard UTF16.isTrailSurrogate(second) else {
        throw unexpected("after the second half of a surrogate pair")
      }
      return String(decoding: [first, second], as: UTF16.self)
    }

    /// `u` and four hexadecimal digits.
    private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
      guard peek == UInt8(ascii: "u") else { throw unexpected("\"u\"") }
      position += 1
      var unit: UInt16 = 0
      for _ in 0..<4 {
        guard let byte = peek, let digit = Character(.init(byte)).hexDigitValue else {
          throw unexpected("a hexadecimal digit")
        }
        unit = unit << 4 | UInt16(digit)
        position += 1
      }
      return unit
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
      while let byte = peek, " \t\n\r".utf8.contains(byte) { position += 1 }
    }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
      skipSpace()
      guard peek == UInt8(ascii: scalar) else { return false }
      position += 1
      return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws(SafetensorsError) {
      guard accept(scalar) else { throw unexpected("\"\(scalar)\"") }
    }

    private func unexpected(_ expected: String) -> SafetensorsError {
      let found: String
      switch peek {
      case nil: found = "the end of the header"
      case .some(let byte) where (0x21..<0x7f).contains(byte):
        found = "\"\(Character(.init(byte)))\""
      case .some(let byte): found = "0x" + String(byte, radix: 16)
      }
      return .syntax(file: file, byte: start + position, expected: expected, found: found)
    }
  }
}
