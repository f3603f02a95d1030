import Foundation
import Interchange
import Testing

extension CommandTests {
  /// What goes to standard output and what doesn't.
  @Suite struct OutputTests {
    let place: Workplace

    init() throws { place = try Workplace.withModel() }

    private func object(_ line: Data) throws -> [String: Any] {
      try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
    }

    private func objects(_ arguments: [String]) throws -> [[String: Any]] {
      let result = try place.unfold(arguments)
      #expect(result.code == 0, "\(result.error)")
      return try result.output.split(separator: UInt8(ascii: "\n")).map(object)
    }

    @Test func evaluate() throws {
      let objects = try objects(["evaluate", "run", "text"])
      let result = try #require(objects.first)
      #expect(objects.count == 1)
      for key in [
        "tokens", "nats_per_token", "bits_per_token", "perplexity", "bits_per_byte",
        "out_of_vocabulary",
      ] {
        #expect(result[key] is NSNumber, "\(key)")
      }
      let nats = try #require(result["nats_per_token"] as? Double)
      let perplexity = try #require(result["perplexity"] as? Double)
      let tokens = try #require(result["tokens"] as? Int)
      #expect(abs(perplexity / exp(nats) - 1) < 1e-12)
      #expect(tokens == Small.text().unicodeScalars.count - 1)
    }

    @Test func quantize() throws {
      for format in ["int8", "float16"] {
        let arguments = ["quantize", "run", "text", "--weights", format, "--out", format, "--json"]
        let result = try objects(arguments + ["--threads", "1"]).first
        #expect(result?["perplexity_after"] is NSNumber)
        #expect(try place.unfold("evaluate", format, "text").code == 0)
      }
    }

    /// Of a model that is quantized already, too.
    @Test func bytesAreThoseOfTheTensorsInTheFile() throws {
      func bytes(_ folder: String) throws -> Int {
        let file = try SafetensorsFile(contentsOf: place.path("\(folder)/model.safetensors"))
        return try #require(file.entries.last?.range.upperBound)
      }
      for (model, format, out) in [
        ("run/best", "int8", "small"), ("small", "float16", "halves"), ("halves", "int8", "again"),
      ] {
        let arguments = ["quantize", model, "text", "--weights", format, "--out", out, "--json"]
        let result = try #require(try objects(arguments).first)
        let (before, after) = (try bytes(model), try bytes(out))
        #expect(result["bytes_before"] as? Int == before)
        #expect(result["bytes_after"] as? Int == after)
        #expect(before != after)
      }
    }

    /// The first number of each tensor in turn.
    @Test func aTensorThatIsNotFiniteIsNamed() throws {
      let path = "run/best/model.safetensors"
      let whole = try place.read(path)
      let entries = try SafetensorsFile(contentsOf: place.path(path)).entries
      let last = try #require(entries.last)
      let dataStart = whole.count - last.range.upperBound
      for entry in entries {
        for (number, format) in [
          (Float.nan, "int8"), (Float.infinity, "float16"), (-Float.infinity, "int8"),
        ] {
          let pattern = withUnsafeBytes(of: number.bitPattern.littleEndian) { Data($0) }
          let start = dataStart + entry.range.lowerBound
          var bytes = whole
          bytes.replaceSubrange(start..<start + 4, with: pattern)
          try place.write(bytes, to: path)
          let result = try place.unfold(
            "quantize", "run", "text", "--weights", format, "--out", "small")
          expectRefusal(result, 65, "run can't be used", "“\(entry.name)”", "aren't finite")
          #expect(!place.exists("small"))
        }
      }
      let matrix = try #require(entries.first { $0.shape.count == 2 })
      let pattern = withUnsafeBytes(of: Float(-65_520).bitPattern.littleEndian) { Data($0) }
      let start = dataStart + matrix.range.lowerBound
      var bytes = whole
      bytes.replaceSubrange(start..<start + 4, with: pattern)
      try place.write(bytes, to: path)
      let result = try place.unfold(
        "quantize", "run", "text", "--weights", "float16", "--out", "small")
      expectRefusal(result, 65, "run doesn't fit half precision", "“\(matrix.name)”", "use int8")
      #expect(!place.exists("small"))
    }

    @Test func generate() throws {
      let objects = try objects(
        ["generate", "run", "--json", "--length", "20", "--seed", "1", "--prompt", "the"])
      #expect(objects.count == 1)
      #expect(objects.first?["prompt"] as? String == "the")
      #expect(objects.first?["tokens"] as? Int == 20)
      #expect((objects.first?["text"] as? String)?.unicodeScalars.count == 20)
    }

    @Test func train() throws {
      let objects = try objects(
        ["train", "text", "--json", "--out", "other"] + Small.settings + ["--epochs", "2"])
      #expect(objects.map { $0["event"] as? String } == ["evaluation", "evaluation", "end"])
      for key in ["step", "training_nats_per_token", "validation_perplexity", "is_best"] {
        #expect(objects.first?[key] is NSNumber, "\(key)")
      }
      for key in ["outcome", "steps", "validation_perplexity", "model"] {
        #expect(objects.last?[key] != nil, "\(key)")
      }
    }

    @Test func doctorAndBenchmark() throws {
      #expect(try objects(["doctor", "--json"]).first?["instruction_set"] is String)
      let results = try objects(["benchmark", "--json", "--config", "a", "--seconds", "0"])
      for key in ["tokens_per_second", "peak_rss_mib", "gflops"] {
        #expect(results.first?[key] is NSNumber, "\(key)")
      }
      let generation = try objects(
        ["benchmark", "--json", "--generate", "char", "--seconds", "0"])
      #expect((generation.first?["tokens_per_second"] as? Double ?? 0) > 0)
    }

    @Test func theToyLanguageEndsInATable() throws {
      let result = try place.unfold(
        "train", "--hidden", "8", "--epochs", "1", "--batch", "256", "--window", "64", "--out",
        "toy")
      #expect(result.code == 0, "\(result.error)")
      let rows = ["uniform", "unigram", "trigram", "recurrent model", "truth"]
      let lines = result.text.split(separator: "\n")
      #expect(rows.allSatisfy { row in lines.contains { $0.hasPrefix(row) } }, "\(result.text)")
      #expect(result.text.contains("p(the hunter shot the fox)"))
      #expect(!result.text.contains("\u{1B}") && !result.error.contains("\u{1B}"))
    }

    @Test(arguments: [
      "train", "generate", "evaluate", "score", "ngram", "mix", "inspect", "quantize", "report",
      "benchmark", "doctor",
    ])
    func helpTeaches(command: String) throws {
      let result = try place.unfold(command, "--help")
      #expect(result.code == 0)
      #expect(result.error.isEmpty)
      #expect(result.text.contains("OVERVIEW: "))
      #expect(result.text.contains("USAGE: unfold \(command)"))
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completions(shell: String) throws {
      let result = try place.unfold("--generate-completion-script", shell)
      #expect(result.code == 0 && result.error.isEmpty)
      #expect(result.text.contains("generate") && result.text.contains("learning-rate"))
    }

    @Test func aReaderThatLeavesIsNoError() throws {
      let result = try place.shell(
        "{ \"$unfold\" generate run --length 100000; echo $? >&2; } | head -c 10")
      #expect(result.output.count == 10)
      #expect(result.error == "141\n")
    }

    @Test func aTrainingWhoseReaderLeavesSavesACheckpoint() throws {
      let settings = Small.settings.joined(separator: " ")
      let result = try place.shell(
        "{ \"$unfold\" train text --json --out other \(settings) --epochs 500; echo $? >&2; } "
          + "| head -n 1")
      #expect(result.error.contains("Stopped, with a checkpoint."))
      #expect(result.error.hasSuffix("130\n"), "\(result.error)")
    }

    @Test func standardOutputThatCanNotBeWritten() throws {
      let closed = try place.shell("exec \"$unfold\" evaluate run text >&-")
      expectRefusal(closed, 74, "Standard output", "closed")
      guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
      expectRefusal(
        try place.shell("exec \"$unfold\" evaluate run text >/dev/full"), 74, "disk is full")
      let silent = try place.shell("exec \"$unfold\" evaluate run text 2>/dev/full")
      #expect(silent.code == 0 && !silent.output.isEmpty)
      let deaf = try place.shell("exec \"$unfold\" train text --hidden 4 --epochs 1 2>&-")
      #expect(deaf.code == 0)
    }
  }
}
