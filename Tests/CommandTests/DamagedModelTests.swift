import Foundation
import Testing

extension CommandTests {
  /// Model folders that aren't whole.
  @Suite struct DamagedModelTests {
    let place: Workplace

    init() throws { place = try Workplace.withModel() }

    private func refuse(
      _ code: Int32, _ part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for command in ["generate run/best --length 5", "evaluate run/best text"] {
        // No model of this size needs as much; an absurd one must not be tried.
        let result = try place.shell("ulimit -v 4000000; exec \"$unfold\" \(command)")
        expectRefusal(result, code, part, sourceLocation: sourceLocation)
      }
    }

    @Test(arguments: ["config.json", "vocabulary.json", "model.safetensors"])
    func aFileThatIsMissingEmptyOrCut(name: String) throws {
      let file = "run/best/\(name)"
      let whole = try place.read(file)
      for length in [0, 1, 7, whole.count / 2, whole.count - 3] {
        try place.write(whole.prefix(length), to: file)
        try refuse(65, name)
      }
      try FileManager.default.removeItem(at: place.path(file))
      try FileManager.default.createDirectory(
        at: place.path(file), withIntermediateDirectories: true)
      try refuse(66, name)
      try FileManager.default.removeItem(at: place.path(file))
      try refuse(65, "has no \(name)")
    }

    @Test func aFileOfAnotherModel() throws {
      let arguments = ["train", "text", "--out", "other"] + Small.settings
      try place.unfold(arguments + ["--tokens", "bytes", "--hidden", "5"])
      for (name, part) in [
        ("model.safetensors", "another model"), ("vocabulary.json", "256 tokens"),
        ("config.json", "vocabulary.json"),
      ] {
        let whole = try place.read("run/best/\(name)")
        try place.write(try place.read("other/best/\(name)"), to: "run/best/\(name)")
        try refuse(65, part)
        try place.write(whole, to: "run/best/\(name)")
      }
    }

    @Test(arguments: [
      ("\"hidden_size\" : 8", "\"hidden_size\" : 1000000000000", "from 1 to 65536"),
      ("\"hidden_size\" : 8", "\"hidden_size\" : 65536", "different models"),
      ("\"hidden_size\" : 8", "\"hidden_size\" : -8", "from 1 to 65536"),
      ("\"hidden_size\" : 8", "\"hidden_size\" : 1e300", "config.json"),
      ("\"layers\" : 1", "\"layers\" : 64", "different models"),
      ("\"layers\" : 1", "\"layers\" : 9223372036854775807", "from 1 to 64"),
      ("\"vocabulary_size\" : ", "\"vocabulary_size\" : 9", "vocabulary.json"),
      ("\"cell\" : \"lstm\"", "\"cell\" : \"transformer\"", "config.json"),
    ]) func absurdSizes(old: String, new: String, part: String) throws {
      let text = String(decoding: try place.read("run/best/config.json"), as: UTF8.self)
      try #require(text.contains(old), "\(text)")
      try place.write(text.replacingOccurrences(of: old, with: new), to: "run/best/config.json")
      try refuse(65, part)
    }

    @Test func weightsThatAreNotNumbers() throws {
      var weights = try place.read("run/best/model.safetensors")
      weights.replaceSubrange(weights.count - 4..<weights.count, with: [0, 0, 0xC0, 0x7F])
      try place.write(weights, to: "run/best/model.safetensors")
      for command in ["evaluate", "score"] {
        expectRefusal(try place.unfold(command, "run", "text"), 65, "run", "aren't numbers")
      }
      expectRefusal(
        try place.unfold("evaluate", "run", "text", "--streams", "2"), 65, "aren't numbers")
      #expect(try place.unfold("generate", "run", "--length", "9").code == 0)
    }

    @Test func noModelAtAll() throws {
      expectRefusal(try place.unfold("generate", "nothing"), 66, "no model at")
      expectRefusal(try place.unfold("generate", "text"), 65, "line 1: an ARPA file begins")
      expectRefusal(try place.unfold("generate", "."), 65, "has no config.json")
      for model in ["best", "last"] {
        try FileManager.default.removeItem(at: place.path("run/\(model)"))
      }
      expectRefusal(try place.unfold("generate", "run"), 66, "no model yet", "--resume")
    }

    @Test func promptsThatTheModelDoesNotKnow() throws {
      expectRefusal(
        try place.unfold("generate", "run", "--prompt", "the ¿fox? é"), 65, "“¿”, “?”, “é”")
    }
  }
}
