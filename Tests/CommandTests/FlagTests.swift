import Testing

extension CommandTests {
  /// Options that are out of range, of the wrong kind or not known.
  @Suite struct FlagTests {
    private static let nonsense = ["abc", "nan", "-1", "99999999999999999999999"]

    /// Numeric options, and what they refuse besides nonsense.
    @Test(arguments: [
      ("layers", ["0", "65", "1.5"]), ("hidden", ["0", "65537"]), ("embedding", ["0", "65537"]),
      ("dropout", ["1", "inf"]), ("batch", ["0", "65537"]), ("window", ["0", "1048577"]),
      ("stride", ["0", "17"]), ("learning-rate", ["0", "inf", "1e999"]), ("momentum", ["1"]),
      ("weight-decay", ["inf"]), ("clip-norm", ["0", "-inf"]), ("clip-value", ["0", "-inf"]),
      ("epochs", ["0", "1.5"]), ("evaluations", ["0"]), ("patience", ["1.5"]), ("seed", ["1.5"]),
      ("threads", ["0", "1025"]), ("log-every", ["0", "1.5"]), ("max-seconds", ["inf", "1e300"]),
      ("checkpoint-seconds", ["inf", "1e300"]), ("embedding-dropout", ["1", "inf"]),
      ("input-dropout", ["1"]), ("layer-dropout", ["1"]), ("output-dropout", ["1"]),
      ("recurrent-dropout", ["1"]), ("activation-penalty", ["inf"]),
      ("temporal-penalty", ["inf"]), ("average-after", ["1.5"]),
    ]) func trainRefuses(option: String, values: [String]) throws {
      let place = try Workplace()
      try place.write(Small.text(), to: "text")
      let fitting = [
        "learning-rate", "clip-norm", "clip-value", "weight-decay", "activation-penalty",
        "temporal-penalty",
      ]
      for value in values + Self.nonsense {
        if value == Self.nonsense[3], fitting.contains(option) { continue }
        let result = try place.unfold(
          ["train", "text", "--out", "run"] + Small.settings + ["--\(option)", value])
        expectRefusal(result, 64)
        #expect(!place.exists("run"))
      }
    }

    @Test(arguments: [
      ("generate", "length", ["1.5"]), ("generate", "temperature", ["inf"]),
      ("generate", "top-k", ["0"]), ("generate", "top-p", ["0", "1.1", "inf"]),
      ("generate", "seed", ["1.5"]), ("generate", "samples", ["0", "4097"]),
      ("generate", "threads", ["0", "1025"]),
      ("evaluate", "streams", ["0"]), ("evaluate", "threads", ["0"]),
      ("benchmark", "seconds", ["inf"]), ("benchmark", "threads", ["0"]),
      ("benchmark", "steps", ["0", "4097"]), ("benchmark", "batch", ["0", "4097"]),
      ("benchmark", "window", ["0", "4097"]),
      ("quantize", "streams", ["0"]), ("quantize", "threads", ["0", "1025"]),
    ]) func othersRefuse(command: String, option: String, values: [String]) throws {
      let place = try Workplace()
      let operands =
        [
          "generate": ["run"], "evaluate": ["run", "text"],
          "quantize": ["run", "text", "--weights", "int8", "--out", "small"],
        ][command] ?? []
      for value in values + Self.nonsense where !(option == "temperature" && value.count > 9) {
        let result = try place.unfold([command] + operands + ["--\(option)", value])
        expectRefusal(result, 64)
      }
    }

    @Test func aNegativeNumberIsAValueOutOfRange() throws {
      let place = try Workplace()
      try place.write(Small.text(), to: "text")
      expectRefusal(
        try place.unfold("train", "text", "--layers", "-3"), 64,
        "layers must be from 1 to 64, not -3")
    }

    @Test func namesThatAreNotKnown() throws {
      let place = try Workplace()
      try place.write(Small.text(), to: "text")
      expectRefusal(try place.unfold("frobnicate"), 64, "frobnicate", "unfold --help")
      expectRefusal(try place.unfold("train", "--layrs", "3"), 64, "--layers")
      expectRefusal(try place.unfold("generate"), 64, "<model>", "unfold generate --help")
      expectRefusal(try place.unfold("train", "--cell", "rnn"), 64, "elman", "lstm")
      expectRefusal(try place.unfold("train", "text", "--schedule", "x"), 64, "cosine")
      expectRefusal(try place.unfold("train", "text", "--split", "50,20"), 64, "sum to 70")
      expectRefusal(try place.unfold("train", "--tokens", "bytes"), 64, "need a FILE")
      expectRefusal(try place.unfold("benchmark", "--config", "z"), 64, "a to f")
    }

    @Test func anEnvironmentThatAsksForTheImpossible() throws {
      let place = try Workplace()
      func doctor(_ name: String, _ value: String) throws -> Workplace.Result {
        try place.unfold(["doctor", "--json"], environment: [name: value])
      }
      expectRefusal(try doctor("UNFOLD_KERNELS", "abacus"), 64, "“abacus”", "portable")
      for value in ["0", "1025", "two", "-1"] {
        expectRefusal(try doctor("UNFOLD_THREADS", value), 64, "1 to 1024", "“\(value)”")
      }
      for (name, value) in [
        ("UNFOLD_KERNELS", ""), ("UNFOLD_KERNELS", "portable"), ("UNFOLD_THREADS", ""),
        ("UNFOLD_THREADS", "3"),
      ] {
        let result = try doctor(name, value)
        #expect(result.code == 0, "\(result.error)")
        if !value.isEmpty { #expect(result.text.contains(value)) }
      }
    }

    @Test func aTrainingThatCanNotFitIsRefusedBeforeItTakesMemory() throws {
      let place = try Workplace()
      try place.write(Small.text(), to: "text")
      expectRefusal(
        try place.unfold(
          "train", "text", "--hidden", "65536", "--layers", "64", "--batch", "4", "--window", "4"),
        64, "GiB of memory", "lower --hidden")
      #expect(!place.exists("runs"))
    }
  }
}
