import Foundation
import Interchange
import Testing

@Suite struct SafetensorsFileTests {
  typealias Part = SafetensorsFile.Part

  /// Lengths counted by hand: `{"__metadata__":{"format":"pt"},` 32, `"w":{` 5,
  /// `"dtype":"F32",` 14, `"shape":[2],` 12, `"data_offsets":[0,8]` 20, `}}` 2; 85 in all, and
  /// 3 spaces make 88 = 0x58.
  static let goldenBytes: [UInt8] =
    [0x58, 0, 0, 0, 0, 0, 0, 0]
    + Array(
      #"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   "#
        .utf8)
    + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]  // 1, −2

  @Test func writesTheBytesOfTheFormat() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafetensorsFile.write([Part(name: "w", shape: [2], floats: [1, -2])], to: url)
      #expect(try Array(Data(contentsOf: url)) == Self.goldenBytes)
    }
  }

  @Test func readsTheBytesOfTheFormat() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try Data(Self.goldenBytes).write(to: url)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(file.metadata == ["format": "pt"])
      #expect(file.entries.map(\.name) == ["w"])
      #expect(file.entry(named: "w")?.range == 0..<8)
      try file.withFloats(named: "w") { floats, shape in
        #expect(Array(floats) == [1, -2])
        #expect(shape == [2])
        // Aligned, so not copied.
        let bytes = try file.withBytes(named: "w") { bytes, _ in bytes.baseAddress }
        #expect(UnsafeRawPointer(floats.baseAddress) == bytes)
      }
    }
  }

  @Test func aFileWithoutTensorsIsAPaddedPairOfBraces() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("empty.safetensors")
      try SafetensorsFile.write([SafetensorsFile.Part](), metadata: [:], to: url)
      #expect(try Array(Data(contentsOf: url)) == [8, 0, 0, 0, 0, 0, 0, 0] + "{}      ".utf8)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(file.entries.isEmpty)
      #expect(file.metadata.isEmpty)
    }
  }

  /// The order in which the Python package 0.8.0 writes one tensor of each type; within a type, by
  /// the bytes of the name.
  @Test func writesInTheOrderOfTheReference() throws {
    let names = [
      "U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16", "F8_E8M0",
      "F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL",
    ]
    #expect(Set(names) == Set(SafetensorsFile.DType.allCases.map(\.rawValue)))
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      let parts = try names.sorted().flatMap { name in
        let dtype = try #require(SafetensorsFile.DType(rawValue: name))
        return ["é", "z", "a"].map { suffix in
          Part(name: name + suffix, dtype: dtype, shape: []) {
            try $0.write([UInt8](repeating: 7, count: dtype.byteCount))
          }
        }
      }
      try SafetensorsFile.write(parts, to: url)
      let expected = names.flatMap { [$0 + "a", $0 + "z", $0 + "é"] }
      #expect(try SafetensorsFile(contentsOf: url).entries.map(\.name) == expected)
    }
  }

  @Test func readsFloatsAtOddAddresses() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      for padding in 0..<8 {
        let header =
          #"{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#
          + String(repeating: " ", count: padding)
        try safetensors(header, data: [0, 0, 0x80, 0x3F]).write(to: url)
        let file = try SafetensorsFile(contentsOf: url)
        try file.withFloats(named: "w") { floats, _ in
          #expect(Array(floats) == [1])
          #expect(Int(bitPattern: floats.baseAddress) % 4 == 0)
        }
      }
    }
  }

  @Test func readsEveryKindOfEscapeAndSpace() throws {
    let header = #"""
      {"__metadata__" : {"a\"\\\/\b\f\n\r\t\u00e9\uD83E\udd8a": "🦊"},
      	"w": {"shape" :[ 0 , 3 ],"data_offsets":[0,0], "dtype":"F64"} }
      """#
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try safetensors(header, data: []).write(to: url)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(file.metadata == ["a\"\\/\u{8}\u{C}\n\r\té🦊": "🦊"])
      #expect(file.entry(named: "w")?.shape == [0, 3])
    }
  }

  @Test(arguments: 0..<50) func writingAndReadingIsTheIdentity(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let texts = ["w", "", "\"", "\\", "\n\u{1}\u{1F}", "é", "🦊", "a/b", " "]
    var contents: [String: (dtype: SafetensorsFile.DType, shape: [Int], bytes: [UInt8])] = [:]
    for index in 0..<Int.random(in: 0...8, using: &random) {
      let name = (texts.randomElement(using: &random) ?? "") + "\(index)"
      let dtype = SafetensorsFile.DType.allCases.randomElement(using: &random) ?? .f32
      let rank = Int.random(in: 0...4, using: &random)
      let shape = (0..<rank).map { _ in Int.random(in: 0...5, using: &random) }
      let count = shape.reduce(dtype.byteCount, *)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      contents[name] = (dtype, shape, bytes)
    }
    let metadata = Dictionary(uniqueKeysWithValues: texts.map { ($0, $0 + $0) })
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      let parts = contents.map { name, tensor in
        Part(name: name, dtype: tensor.dtype, shape: tensor.shape) { try $0.write(tensor.bytes) }
      }
      try SafetensorsFile.write(parts, metadata: metadata, to: url)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(file.metadata == metadata)
      #expect(Set(file.entries.map(\.name)) == Set(contents.keys))
      for (name, tensor) in contents {
        #expect(file.entry(named: name)?.dtype == tensor.dtype)
        #expect(file.entry(named: name)?.shape == tensor.shape)
        #expect(try file.bytes(named: name) == tensor.bytes)
      }
    }
  }

  @Test func anInterruptedWriteLeavesTheOldFile() throws {
    struct Interruption: Error {}
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try Data(Self.goldenBytes).write(to: url)
      let broken = Part(name: "w", dtype: .f32, shape: [1000]) { writer in
        try writer.write([Float](repeating: 1, count: 500))
        throw Interruption()
      }
      #expect(throws: Interruption.self) { try SafetensorsFile.write([broken], to: url) }
      #expect(try Array(Data(contentsOf: url)) == Self.goldenBytes)
      #expect(try names(in: folder) == ["model.safetensors"])
    }
  }

  #if compiler(>=6.2) && (os(macOS) || os(Linux))
    @Test func trapsWhenFloatsDoNotMatchTheShape() async {
      await #expect(processExitsWith: .failure) {
        _ = Part(name: "w", shape: [3], floats: [1, 2])
      }
    }

    @Test func trapsWhenTwoTensorsHaveOneName() async {
      await #expect(processExitsWith: .failure) {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let part = Part(name: "w", shape: [1], floats: [1])
        try SafetensorsFile.write([part, part], to: url)
      }
    }
  #endif
}

/// The file with this header, padded with nothing.
func safetensors(_ header: String, data: [UInt8]) -> Data {
  safetensors(Array(header.utf8), data: data)
}

func safetensors(_ header: [UInt8], data: [UInt8]) -> Data {
  withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + data
}

/// - SeeAlso: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
