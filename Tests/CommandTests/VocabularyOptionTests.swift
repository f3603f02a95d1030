import Foundation
import Language
import Testing

extension CommandTests {
  /// `--tokens bpe`, and what limits and shapes vocabularies.
  @Suite struct VocabularyOptionTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    @discardableResult
    private func unfold(_ arguments: [String]) throws -> Workplace.Result {
      let result = try place.unfold(arguments)
      #expect(result.code == 0, "\(result.error)")
      return result
    }

    private func train(_ run: String, _ options: String...) throws {
      try unfold(["train", "text", "--out", run] + Small.settings + options)
    }

    private static let bpe = ["--tokens", "bpe", "--vocabulary-size", "290"]

    @Test func aModelOfBytePairsServesEveryCommand() throws {
      try train("run", "--tokens", "bpe", "--vocabulary-size", "290")
      #expect(!place.exists("run/best/vocabulary.json"))
      let tokenizer = try place.read("run/best/tokenizer.json")
      #expect(try Vocabulary(json: tokenizer).count == 290)

      struct Measured: Decodable { let tokens: Int, bitsPerByte, bitsPerToken: Double }
      let result = try unfold(["evaluate", "run", "text"])
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let measured = try decoder.decode(Measured.self, from: result.output)
      let bytes = try place.read("text").count
      // The first token is only context.
      #expect(measured.tokens < bytes / 2)
      let ratio = measured.bitsPerToken * Double(measured.tokens) / measured.bitsPerByte
      #expect(abs(ratio - Double(bytes)) < 20)

      let score = try unfold(["score", "run", "text", "--json"])
      #expect(score.text.split(separator: "\n").count == 300)
      let written = try unfold(["generate", "run", "--prompt", "über 日", "--seed", "1"])
      #expect(
        written.text.hasPrefix("über 日") && String(validating: written.output, as: UTF8.self) != nil
      )
      try unfold(["inspect", "run", "text", "--out", "report"])
      let shown = try unfold(["tokenize", "run", "text"])
      #expect(shown.text.split(separator: "\n").count == 300)
      #expect(shown.text.contains(" ⏎\n"))
      try unfold(["ngram", "text", "--out", "m.arpa", "--tokenizer", "run/best/tokenizer.json"])
      try unfold(["ngram", "--from", "m.arpa", "--out", "m.ngram"])
      let byNGrams = try unfold(["evaluate", "m.arpa", "text"])
      #expect(try unfold(["evaluate", "m.ngram", "text"]).output == byNGrams.output)
      try unfold(["mix", "run", "m.ngram", "--tune", "text", "--out", "both.json"])
      try unfold(["evaluate", "both.json", "text"])
    }

    /// Each line begins and ends with a space, as in the Penn Treebank: `score` predicts what
    /// `evaluate` predicts, and the first token, which is only context there.
    @Test func linesHaveTheTokensOfTheirText() throws {
      let lines = Small.text().split(separator: "\n").map { " \($0) \n" }
      try place.write(lines.joined(), to: "text")
      try train("run", "--tokens", "bpe", "--vocabulary-size", "290")
      func tokens(_ command: [String]) throws -> [Int] {
        struct Counted: Decodable { let tokens: Int }
        return try unfold(command).text.split(separator: "\n").map {
          try JSONDecoder().decode(Counted.self, from: Data($0.utf8)).tokens
        }
      }
      let scored = try tokens(["score", "run", "text", "--json"])
      #expect(scored.count == lines.count)
      #expect(try tokens(["evaluate", "run", "text"]) == [scored.reduce(0, +) - 1])
    }

    @Test func ngramLearnsTheSamePairs() throws {
      try train("run", "--tokens", "bpe", "--vocabulary-size", "290")
      try unfold(["ngram", "text", "--out", "a.arpa"] + Self.bpe)
      try unfold([
        "ngram", "text", "--out", "b.arpa", "--tokenizer", "run/best/tokenizer.json", "--memory",
        "1M", "--threads", "1",
      ])
      #expect(try place.read("a.arpa") == place.read("b.arpa"))
    }

    @Test func aStoppedTrainingGoesOn() throws {
      try train("whole", "--tokens", "bpe", "--vocabulary-size", "290")
      try place.write(try place.read("whole/best/tokenizer.json"), to: "t.json")
      for options in [Self.bpe, ["--tokenizer", "t.json"]] {
        let run = "run\(options.count)"
        try unfold(
          ["train", "text", "--out", run, "--max-seconds", "0"] + Small.settings + options)
        // The run has kept its tokenizer.
        try? FileManager.default.removeItem(at: place.path(options.count == 2 ? "t.json" : "none"))
        try unfold(["train", "--resume", run])
        #expect(try place.hashes(run) == place.hashes("whole"))
        #expect(
          try place.read("\(run)/best/tokenizer.json") == place.read("whole/best/tokenizer.json"))
      }
    }

    @Test func limitsAndSplittingStayWithTheRun() throws {
      try place.write(
        #"{"tokens": "words", "vocabulary-size": 8, "word-splitting": "punctuation"}"#,
        to: "mine.json")
      try train("run", "--recipe", "mine.json", "--minimum-count", "2")
      let settings = try JSONDecoder().decode(
        RunSettings.self, from: place.read("run/configuration.json"))
      #expect(
        settings.text.vocabulary
          == VocabularySettings(unit: .words, size: 8, minimumCount: 2, splitting: .punctuation))
      let vocabulary = try Vocabulary(json: place.read("run/best/vocabulary.json"))
      #expect(vocabulary.count == 8 && vocabulary.splitting == .punctuation)
      try unfold(["train", "--resume", "run"])
      try unfold(
        [
          "ngram", "text", "--out", "m.arpa", "--vocabulary-size", "8", "--word-splitting",
          "punctuation",
        ])
      try unfold(["mix", "run", "m.arpa", "--tune", "text", "--out", "both.json"])
    }

    @Test func optionsThatDoNotFitAreRefused() throws {
      for (options, part) in [
        (["--vocabulary-size", "300"], "--tokens words and bpe, not characters"),
        (["--minimum-count", "2", "--tokens", "bytes"], "--tokens words and bpe, not bytes"),
        (["--word-splitting", "punctuation", "--tokens", "bpe"], "--tokens words, not bpe"),
        (["--word-splitting", "letters", "--tokens", "words"], "letters"),
        (["--tokenizer", "text", "--tokens", "words"], "--tokens bpe, not words"),
        (["--tokenizer", "text", "--vocabulary-size", "300"], "neither"),
        (["--tokens", "bpe", "--vocabulary-size", "255"], "from 256, all bytes, to 2000000"),
        (["--tokens", "words", "--vocabulary-size", "2"], "from 3 to 2000000"),
        (["--tokens", "words", "--minimum-count", "0"], "at least 1"),
        (["--tokens", "words", "--minimum-count", "1.5"], "1.5"),
      ] {
        expectRefusal(try place.unfold(["train", "text", "--out", "run"] + options), 64, part)
        if !part.contains("characters") {
          expectRefusal(try place.unfold(["ngram", "text", "--out", "m.arpa"] + options), 64, part)
        }
      }
      #expect(!place.exists("run"))
      expectRefusal(try place.unfold("train", "--vocabulary-size", "300"), 64, "need a FILE")
      expectRefusal(
        try place.unfold("train", "--resume", "run", "--vocabulary-size", "300"), 64, "--resume")
    }

    @Test func tokenizersThatCannotBeUsedAreRefused() throws {
      try place.write(#"{"model": {"type": "Unigram", "vocab": []}}"#, to: "unigram.json")
      for command in [["train", "text", "--out", "run"], ["ngram", "text", "--out", "m.arpa"]] {
        for (file, code, part) in [
          ("unigram.json", Int32(65), "its model is “Unigram”"), ("text", 65, "tokenizer.json"),
          ("nowhere.json", 66, "nowhere.json"),
        ] {
          expectRefusal(try place.unfold(command + ["--tokenizer", file]), code, file, part)
        }
      }
      #expect(!place.exists("run") && !place.exists("m.arpa"))
    }

    /// Of a model whose tokenizer is damaged, missing or another's.
    @Test func aDamagedTokenizerIsNamed() throws {
      try train("run", "--tokens", "bpe", "--vocabulary-size", "290")
      let whole = try place.read("run/best/tokenizer.json")
      try place.write(whole.prefix(whole.count / 2), to: "run/best/tokenizer.json")
      expectRefusal(
        try place.unfold("generate", "run"), 65, "best/tokenizer.json can't be used", "“merges”")
      try train("other", "--tokens", "bpe", "--vocabulary-size", "280")
      try place.write(try place.read("other/best/tokenizer.json"), to: "run/best/tokenizer.json")
      expectRefusal(try place.unfold("generate", "run"), 65, "280 tokens")
      try FileManager.default.removeItem(at: place.path("run/best/tokenizer.json"))
      expectRefusal(
        try place.unfold("generate", "run"), 65, "or tokenizer.json, so it isn't a whole model")
    }
  }
}
