import Foundation
import Testing

extension CommandTests {
  /// Texts that can't be trained on or evaluated.
  @Suite struct BadTextTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func train(_ arguments: String...) throws -> Workplace.Result {
      let result = try place.unfold(
        ["train"] + Small.settings + ["--out", "run"] + arguments)
      if result.code != 0 { #expect(!place.exists("run")) }
      return result
    }

    @Test func aMissingFileAndAFolder() throws {
      expectRefusal(try train("nothing"), 66, "There is no file", "nothing")
      expectRefusal(try train("."), 66, "is a folder")
    }

    @Test func tooLittleText() throws {
      for (content, part) in [
        ("", "is empty"), ("a", "only one distinct character"),
        (String(repeating: "a", count: 5000), "only one distinct character (“a”)"),
        ("hello world", "need at least 65"),
      ] {
        try place.write(content, to: "text")
        expectRefusal(try train("text"), 65, part)
      }
      try place.write(Small.text(), to: "text")
      try place.write("t", to: "short")
      expectRefusal(try train("text", "--valid", "short"), 65, "short has 1 token")
      expectRefusal(try train("text", "--split", "99.995,0.005"), 65, "validation part")
    }

    @Test func nothingButUnknownWords() throws {
      try place.write(Small.text(), to: "text")
      expectRefusal(
        try train("text", "--tokens", "words", "--minimum-count", "100000"), 65,
        "text occurs 100000 times")
      try place.write(String(repeating: "x y z\n", count: 100), to: "foreign")
      expectRefusal(
        try train("text", "--tokens", "words", "--valid", "foreign"), 65, "none of the 300 words")
      try place.write("\n \n\n", to: "blank")
      expectRefusal(
        try train("text", "--tokens", "words", "--valid", "blank"), 65, "blank holds no words")
      try place.write(String(repeating: "<unk> <unk> <unk>\n", count: 300), to: "unknown")
      expectRefusal(
        try train("unknown", "--tokens", "words"), 65, "unknown holds no word but <unk>")
      expectRefusal(
        try train("text", "--tokens", "words", "--valid", "unknown"), 65, "none of the 900 words")
    }

    @Test func oneSymbolIsEnoughForBytes() throws {
      try place.write(String(repeating: "a", count: 5000), to: "text")
      let result = try train("text", "--tokens", "bytes")
      #expect(result.code == 0, "\(result.error)")
    }

    @Test func invalidUTF8SaysWhereAndBytesTakeIt() throws {
      let bad = Data("one\ntwo".utf8) + [0xFF] + Data(Small.text().utf8)
      try place.write(bad, to: "text")
      for unit in ["characters", "words"] {
        expectRefusal(
          try train("text", "--tokens", unit), 65, "offset 7 (line 2)", "--tokens bytes")
      }
      #expect(try train("text", "--tokens", "bytes").code == 0)
    }

    @Test func aHundredMegabytesInOneLine() throws {
      var line = Data(capacity: 100_000_000)
      let piece = Data((0..<100_000).map { UInt8(ascii: "a") + UInt8($0 * $0 % 23) })
      for _ in 0..<1000 { line += piece }
      try place.write(line, to: "text")
      let clock = ContinuousClock()
      let begin = clock.now
      let result = try place.shell(
        "ulimit -v 4000000; exec \"$unfold\" train text --out run --hidden 8 --layers 1 "
          + "--max-seconds 1 --threads 1")
      #expect(result.code == 0, "\(result.error)")
      #expect(result.error.contains("90,000,000 tokens for training"))
      // About three seconds on a quiet machine.
      #expect(begin.duration(to: clock.now) < .seconds(20))
    }

    @Test func standardInputIsAText() throws {
      try place.write(Small.text(), to: "text")
      let result = try place.unfold(
        ["train", "-", "--out", "run", "--max-seconds", "0"] + Small.settings, input: "text")
      #expect(result.code == 0, "\(result.error)")
      expectRefusal(
        try place.unfold("train", "--resume", "run"), 66, "standard input", "FILE --resume")
      #expect(try place.unfold("train", "text", "--resume", "run").code == 0)
      let piped = try place.unfold(["evaluate", "run", "-"], input: "text")
      #expect(try piped.output == place.unfold("evaluate", "run", "text").output)
      #expect(!piped.output.isEmpty)
      expectRefusal(try place.unfold("evaluate", "run", "-"), 65, "standard input is empty")
    }

    @Test func evaluateRefusesTheSame() throws {
      let place = try Workplace.withModel()
      try place.write("", to: "empty")
      try place.write("¿¿¿¿", to: "foreign")
      try place.write(Data([0x61, 0xC3]), to: "cut")
      expectRefusal(try place.unfold("evaluate", "run", "nothing"), 66, "nothing")
      expectRefusal(try place.unfold("evaluate", "run", "run"), 66, "is a folder")
      expectRefusal(try place.unfold("evaluate", "run", "empty"), 65, "is empty")
      expectRefusal(try place.unfold("evaluate", "run", "foreign"), 65, "foreign has 0 tokens")
      expectRefusal(try place.unfold("evaluate", "run", "cut"), 65, "offset 1 (line 1)")
    }
  }
}
