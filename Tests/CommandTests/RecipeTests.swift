import Foundation
import Language
import Testing

extension CommandTests {
  /// `--recipe`: settings under a name, or in a file.
  @Suite struct RecipeTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    /// A training that ends before its first step; the settings that it had.
    private func settings(_ options: [String]) throws -> RunSettings {
      let out = "run-\(UUID().uuidString)"
      let result = try place.unfold(
        ["train", "text", "--max-seconds", "0", "--threads", "1", "--out", out] + options)
      #expect(result.code == 0, "\(result.error)")
      let data = try Data(contentsOf: place.path("\(out)/configuration.json"))
      return try JSONDecoder().decode(RunSettings.self, from: data)
    }

    private static let names = [
      "penn-treebank-lstm", "penn-treebank-elman", "war-and-peace", "linux-kernel",
      "tiny-shakespeare",
    ]
    /// So that the short text fills a window.
    private static let short = ["--batch", "4", "--window", "16", "--hidden", "8"]

    @Test(arguments: names) func everyShippedRecipeTrains(name: String) throws {
      _ = try settings(["--recipe", name] + Self.short)
    }

    /// So that they stay what they are when a default changes.
    @Test(arguments: ["war-and-peace", "linux-kernel"])
    func whatDoesNotFollowTheDefaultsIsSpelledOut(name: String) throws {
      let defaults = [
        "--optimiser", "adam", "--learning-rate", "0.002", "--schedule",
        "cosine:warmup=100,final=0.05", "--clip-norm", "1",
      ]
      let recipe = ["--recipe", name] + Self.short
      #expect(try settings(recipe) == settings(recipe + defaults))
    }

    @Test func theHelpListsThem() throws {
      let result = try place.unfold("train", "--help")
      let words = result.text.split(whereSeparator: { " \n,:;()".contains($0) })
      for name in Self.names { #expect(words.contains(Substring(name))) }
    }

    @Test func theDefaultsSpelledOutAreTheDefaults() throws {
      #expect(try settings(["--recipe", "tiny-shakespeare"]) == settings([]))
    }

    @Test func aRecipeIsInEffectButForWhatIsGiven() throws {
      let recipe = """
        {"about": "a test", "tokens": "words", "cell": "gru", "layers": 1, "hidden": 8, "tie": true,
         "dropout": 0.25, "layer-dropout": 0.5, "batch": 4, "window": 16, "random-windows": true,
         "optimiser": "sgd", "learning-rate": 2, "split": "80,10,10", "clip-norm": 0.25}
        """
      try place.write(recipe, to: "mine.json")
      let whole = try settings(["--recipe", "mine.json"])
      #expect(whole.text.unit == .words && whole.text.split == "80,10,10")
      #expect(whole.model.cell == .gru && whole.model.layers == 1 && whole.model.tied)
      #expect(whole.model.dropout == 0.25 && whole.model.regularisation?.layerDropout == 0.5)
      #expect(whole.training.batch == 4 && whole.training.randomWindows != nil)
      #expect(whole.training.optimiser.method == .sgd && whole.training.learningRate == 2)
      #expect(whole.training.clipping.maximumNorm == 0.25)
      // What neither gives has its default.
      #expect(whole.training.epochs == 10 && whole.seed == 1)

      try place.write(Small.text(seed: 2), to: "held")
      let changed = try settings([
        "--recipe", "mine.json", "--no-tie", "--no-random-windows", "--layer-dropout", "0",
        "--hidden", "9", "--valid", "held", "--seed", "4",
      ])
      #expect(!changed.model.tied && changed.model.hiddenSize == 9)
      #expect(changed.model.regularisation == nil && changed.training.randomWindows == nil)
      #expect(changed.text.validationFile?.hasSuffix("held") == true)
      #expect(changed.text.split != "80,10,10")
      #expect(changed.training.learningRate == 2 && changed.seed == 4)
    }

    @Test func whatIsNoRecipeIsRefused() throws {
      func refused(_ contents: String, _ part: String) throws {
        try place.write(contents, to: "bad.json")
        expectRefusal(
          try place.unfold("train", "text", "--recipe", "bad.json"), 65, "bad.json", part)
      }
      try refused("{\"layers\": 2", "JSON object")
      try refused("[1, 2]", "JSON object")
      try refused("{\"layers\": [2]}", "JSON object")
      try refused("{\"layrs\": 2}", "--layrs")
      try refused("{\"out\": \"x\"}", "--out")
      for name in [
        "help", "help-hidden", "version", "generate-completion-script", "experimental-dump-help",
        "vocabulary",
      ] {
        for value in ["true", "\"bash\""] { try refused("{\"\(name)\": \(value)}", name) }
      }
      try refused("{\"layers\": \"two\"}", "two")
      try refused("{\"cell\": \"rnn\"}", "rnn")
      try refused("{\"tie\": 1}", "--tie")
      try refused("{\"dropout\": 1.5}", "dropout")
      try refused("{\"window\": 0}", "--window")
      try refused("{\"schedule\": \"sometimes\"}", "sometimes")
      try place.write("{\"layers\": 2}", to: "good.json")
      let given = try place.unfold("train", "text", "--recipe", "good.json", "--dropout", "1.5")
      expectRefusal(given, 64, "dropout")
      #expect(!given.error.contains("good.json"))
      expectRefusal(
        try place.unfold("train", "text", "--recipe", "soup"), 64, "soup", "tiny-shakespeare")
      expectRefusal(try place.unfold("train", "text", "--recipe", "soup.json"), 66, "soup.json")
      expectRefusal(
        try place.unfold("train", "--resume", "run", "--recipe", "war-and-peace"), 64, "--resume")
      #expect(!place.exists("runs"))
    }
  }
}
