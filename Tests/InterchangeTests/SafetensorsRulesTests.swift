import Foundation
import Interchange
import Testing

/// Every rule of the format, broken once.
@Suite struct SafetensorsRulesTests {
  /// A header that breaks a rule, above `data` zeros, and the error for it. Bytes are counted from
  /// the start of the file, so the header's first is 8.
  struct Broken: Sendable, CustomTestStringConvertible {
    var header: String
    var data = 0
    var error: @Sendable (_ file: String) -> SafetensorsError
    var testDescription: String { String(header.prefix(80)) }
  }

  static func tensor(_ shape: String, _ offsets: String, dtype: String = "F32") -> String {
    #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static let syntax: [Broken] = [
    Broken(header: "") {
      .syntax(file: $0, byte: 8, expected: #""{""#, found: "the end of the header")
    },
    Broken(header: " {}") { .syntax(file: $0, byte: 8, expected: #""{""#, found: "0x20") },
    Broken(header: "[]") { .syntax(file: $0, byte: 8, expected: #""{""#, found: #""[""#) },
    Broken(header: "{}\n") {
      .syntax(file: $0, byte: 10, expected: "a space, as padding", found: "0xa")
    },
    Broken(header: "{} {") {
      .syntax(file: $0, byte: 11, expected: "a space, as padding", found: #""{""#)
    },
    Broken(header: "{,}") { .syntax(file: $0, byte: 9, expected: #"""""#, found: #"",""#) },
    Broken(header: #"{"a""#) {
      .syntax(file: $0, byte: 12, expected: #"":""#, found: "the end of the header")
    },
    Broken(header: #"{"a"#) {
      .syntax(
        file: $0, byte: 11, expected: "a closing quotation mark", found: "the end of the header")
    },
    Broken(header: "{\"\n\":1}") {
      .syntax(file: $0, byte: 10, expected: "a closing quotation mark", found: "0xa")
    },
    Broken(header: #"{"\x"#) {
      .syntax(file: $0, byte: 11, expected: "an escaped character", found: #""x""#)
    },
    Broken(header: #"{"\u00g0"#) {
      .syntax(file: $0, byte: 14, expected: "a hexadecimal digit", found: #""g""#)
    },
    Broken(header: #"{"\ud800"}"#) {
      .syntax(
        file: $0, byte: 16, expected: "the second half of a surrogate pair", found: #"""""#)
    },
    Broken(header: #"{"\ud800\u0041"}"#) {
      .syntax(
        file: $0, byte: 22, expected: "after the second half of a surrogate pair",
        found: #"""""#)
    },
    Broken(header: #"{"\udc00"}"#) {
      .syntax(
        file: $0, byte: 16, expected: "the second half of a surrogate pair", found: #"""""#)
    },
    Broken(header: #"{"__metadata__":{"a":1}}"#) {
      .syntax(file: $0, byte: 29, expected: #"""""#, found: #""1""#)
    },
    Broken(header: #"{"a":{"shape":[1,]}}"#) {
      .syntax(file: $0, byte: 25, expected: "a whole number", found: #""]""#)
    },
    Broken(header: #"{"a":{"data_offsets":[1,2,3]}}"#) {
      .syntax(file: $0, byte: 33, expected: #""]""#, found: #"",""#)
    },
    // Deep nesting: refused at the first bracket, without recursion.
    Broken(header: #"{"a":{"shape":["# + String(repeating: "[", count: 1_000_000)) {
      .syntax(file: $0, byte: 23, expected: "a whole number", found: #""[""#)
    },
    Broken(header: String(repeating: #"{"a":"#, count: 200_000)) {
      .unknownKey(file: $0, byte: 14, found: "a")
    },
  ]

  static let values: [Broken] =
    ["4.0", "1e0", "-1", "+1", "01", "-0", "9223372036854775808"].map { number in
      Broken(header: #"{"a":{"shape":[\#(number)]}}"#) {
        .badNumber(file: $0, byte: 23, found: "\"\(number)\"")
      }
    } + [
      Broken(header: #"{"a":\#(tensor("[]", "[0,4]")),"a":\#(tensor("[]", "[0,4]"))}"#, data: 4) {
        .duplicateKey(file: $0, byte: 61, found: "a")
      },
      Broken(header: #"{"__metadata__":{"a":"b","\u0061":"c"}}"#) {
        .duplicateKey(file: $0, byte: 33, found: "a")
      },
      Broken(header: #"{"a":{"shape":[],"shape":[]}}"#) {
        .duplicateKey(file: $0, byte: 25, found: "shape")
      },
      Broken(header: #"{"__metadata__":{},"__metadata__":{}}"#) {
        .duplicateKey(file: $0, byte: 27, found: "__metadata__")
      },
      Broken(header: #"{"a":{"stride":[]}}"#) {
        .unknownKey(file: $0, byte: 14, found: "stride")
      },
      Broken(header: #"{"a":{"shape":[],"data_offsets":[0,4]}}"#, data: 4) {
        .missingKey(file: $0, tensor: "a", expected: "dtype")
      },
      Broken(header: #"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, data: 4) {
        .missingKey(file: $0, tensor: "a", expected: "shape")
      },
      Broken(header: #"{"a":{"dtype":"F32","shape":[]}}"#) {
        .missingKey(file: $0, tensor: "a", expected: "data_offsets")
      },
      Broken(header: #"{"a":\#(tensor("[]", "[0,4]", dtype: "f32"))}"#, data: 4) {
        .unknownDType(file: $0, tensor: "a", found: "f32")
      },
      Broken(header: #"{"a":\#(tensor("[4611686018427387904,4,0]", "[0,0]"))}"#) {
        .sizeOverflow(file: $0, tensor: "a", found: [4_611_686_018_427_387_904, 4, 0])
      },
      Broken(header: #"{"a":\#(tensor("[2305843009213693952]", "[0,0]"))}"#) {
        .sizeOverflow(file: $0, tensor: "a", found: [2_305_843_009_213_693_952])
      },
      Broken(header: #"{"a":\#(tensor("[2,3]", "[0,20]"))}"#, data: 20) {
        .sizeMismatch(file: $0, tensor: "a", expected: 24, found: 20)
      },
      Broken(header: #"{"a":\#(tensor("[]", "[4,0]"))}"#, data: 4) {
        .sizeMismatch(file: $0, tensor: "a", expected: 4, found: -4)
      },
      Broken(header: #"{"a":\#(tensor("[]", "[1,5]"))}"#, data: 5) {
        .notContiguous(file: $0, tensor: "a", expected: 0, found: 1)
      },
      Broken(header: #"{"b":\#(tensor("[]", "[8,12]")),"a":\#(tensor("[]", "[0,4]"))}"#, data: 12) {
        .notContiguous(file: $0, tensor: "b", expected: 4, found: 8)
      },
      Broken(header: #"{"a":\#(tensor("[]", "[0,4]")),"b":\#(tensor("[]", "[2,6]"))}"#, data: 6) {
        .notContiguous(file: $0, tensor: "b", expected: 4, found: 2)
      },
      Broken(header: #"{"a":\#(tensor("[]", "[0,4]"))}"#, data: 3) {
        .lengthMismatch(file: $0, expected: 65, found: 64)
      },
      Broken(header: #"{"a":\#(tensor("[]", "[0,4]"))}"#, data: 5) {
        .lengthMismatch(file: $0, expected: 65, found: 66)
      },
      Broken(header: "{}", data: 1) { .lengthMismatch(file: $0, expected: 10, found: 11) },
      Broken(
        header:
          #"{"a":\#(tensor("[9223372036854775807]", "[0,9223372036854775807]", dtype: "U8"))}"#
      ) {
        .lengthMismatch(file: $0, expected: .max, found: 97)
      },
    ]

  @Test(arguments: syntax + values) func everyBrokenRuleHasItsError(broken: Broken) throws {
    let data = [UInt8](repeating: 0, count: broken.data)
    try expect(broken.error, for: safetensors(broken.header, data: data))
  }

  @Test func aSizeBeyondTheFileOrTheLimitIsRefused() throws {
    try expect({ .noHeader(file: $0, found: 0) }, for: Data())
    try expect({ .noHeader(file: $0, found: 7) }, for: Data(count: 7))
    try expect(
      { .headerTruncated(file: $0, expected: 3, found: 2) },
      for: Data([3, 0, 0, 0, 0, 0, 0, 0]) + "{}".utf8)
    // 100,000,001 = 0x5F5E101
    let aboveLimit = Data([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0])
    try expect({ .headerTooLarge(file: $0, found: 100_000_001) }, for: aboveLimit)
    try expect({ .headerTooLarge(file: $0, found: .max) }, for: Data(repeating: 255, count: 8))
    let limit = Data([0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0])
    try expect({ .headerTruncated(file: $0, expected: 100_000_000, found: 0) }, for: limit)
  }

  /// A lone continuation byte, an overlong slash, a surrogate, a cut-off character.
  @Test(arguments: [[0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]])
  func textThatIsNotUTF8IsRefused(bytes: [UInt8]) throws {
    let header = Array(#"{""#.utf8) + bytes + Array(#"":{}}"#.utf8)
    try expect({ .notUTF8(file: $0, byte: 10) }, for: safetensors(header, data: []))
  }

  @Test func noPrefixOfAFileIsAFile() throws {
    let whole = Data(SafetensorsFileTests.goldenBytes)
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      for count in 0..<whole.count {
        try whole.prefix(count).write(to: url)
        #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: url) }
      }
    }
  }

  /// Whatever a flipped bit does, tensors stay within the file.
  @Test func flippedBitsNeverLeadOutOfTheFile() throws {
    let whole = SafetensorsFileTests.goldenBytes
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      for bit in 0..<8 * whole.count {
        var bytes = whole
        bytes[bit / 8] ^= 1 << (bit % 8)
        try Data(bytes).write(to: url)
        guard let file = try? SafetensorsFile(contentsOf: url) else { continue }
        #expect(file.entries.allSatisfy { $0.range.upperBound <= 8 })
      }
    }
  }

  @Test func askingForTheWrongTensorThrows() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      let header = #"{"n":\#(Self.tensor("[]", "[0,4]", dtype: "I32"))}"#
      try safetensors(header, data: [1, 0, 0, 0]).write(to: url)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(throws: SafetensorsError.noTensor(file: url.path, expected: "w")) {
        try file.bytes(named: "w")
      }
      let wrong = SafetensorsError.wrongDType(
        file: url.path, tensor: "n", expected: .f32, found: .i32)
      #expect(throws: wrong) { try file.withFloats(named: "n") { _, _ in } }
      #expect(
        wrong.description
          == "\(url.path): tensor \"n\" should be F32, but is I32; convert it to F32.")
    }
  }

  @Test func aMissingFileIsUnreadable() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("missing.safetensors")
      #expect(throws: SafetensorsError.unreadable(FileError(.read, url.path, code: ENOENT))) {
        try SafetensorsFile(contentsOf: url)
      }
    }
  }

  @Test func descriptionsTellWhatToDo() {
    let truncated = SafetensorsError.headerTruncated(
      file: "model.safetensors", expected: 1200, found: 800)
    #expect(
      truncated.description == "model.safetensors: the header says 1200 bytes, but the file has "
        + "only 800 for it; the file is truncated, so copy it again.")
    // Outside text can neither flood nor control a terminal.
    let key = "\u{1B}[2J" + String(repeating: "x", count: 1000)
    let duplicate = SafetensorsError.duplicateKey(file: "f", byte: 9, found: key)
    #expect(duplicate.description.count < 200)
    #expect(!duplicate.description.contains("\u{1B}"))
  }

  private func expect(_ error: (String) -> SafetensorsError, for bytes: Data) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try bytes.write(to: url)
      #expect(throws: error(url.path)) { try SafetensorsFile(contentsOf: url) }
    }
  }
}
