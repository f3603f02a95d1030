import Foundation
import Testing

extension CommandTests {
  /// `score`, `mix`, and what `evaluate` can do beside measuring a whole file.
  @Suite struct ScoringTests {
    private let place: Workplace

    /// A model of words and a trigram of the same text.
    init() throws {
      place = try Workplace.withModel(tokens: "words")
      let result = try place.unfold("ngram", "text", "--out", "n.arpa")
      try #require(result.code == 0, "\(result.error)")
      try place.write("the fox sees\n\nfox the\n", to: "lines")
    }

    private func objects(_ arguments: String...) throws -> [[String: Any]] {
      let result = try place.unfold(arguments)
      #expect(result.code == 0, "\(result.error)")
      return try result.text.split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
    }

    private func perplexity(_ arguments: String...) throws -> Double {
      let result = try place.unfold(["evaluate"] + arguments)
      #expect(result.code == 0, "\(result.error)")
      let object = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
      return object?["perplexity"] as? Double ?? .nan
    }

    @Test(arguments: ["run", "n.arpa"]) func scoresLines(model: String) throws {
      let lines = try objects("score", model, "lines", "--json", "--per-token")
      #expect(lines.map { $0["tokens"] as? Int } == [4, 1, 3])
      #expect(lines.map { $0["text"] as? String } == ["the fox sees", "", "fox the"])
      for line in lines {
        let tokens = line["per_token"] as? [[String: Any]] ?? []
        let sum = tokens.reduce(0.0) { $0 + ($1["log_probability"] as? Double ?? .nan) }
        #expect(abs(sum - (line["log_probability"] as? Double ?? .nan)) < 1e-9)
        #expect(tokens.last?["token"] as? String == "</s>")
      }
      let text = try place.unfold("score", model, "lines").text
      #expect(text.split(separator: "\n").map { $0.split(separator: "\t").count } == [2, 1, 2])
      let piped = try place.unfold(["score", model], input: "lines")
      #expect(piped.text == text)
      let each = try place.unfold("score", model, "lines", "--per-token").text
      #expect(each.split(separator: "\n").count == 8)
    }

    @Test func comparesPairs() throws {
      try place.write("the fox sees\tsees sees fox\n", to: "pairs")
      let results = try objects("score", "run", "--pairs", "pairs", "--json")
      let values = results.first?["log_probabilities"] as? [Double] ?? []
      try #require(values.count == 2)
      #expect(results.first?["likelier"] as? String == (values[0] > values[1] ? "first" : "second"))
      #expect(results.last?["accuracy"] as? Double == (values[0] > values[1] ? 1 : 0))
      #expect(try place.unfold("score", "run", "--pairs", "pairs").text.contains("accuracy "))
    }

    /// To the model both sentences of the first pair are the same.
    @Test func countsWhatIsUnknown() throws {
      try place.write("the fox zebra\tthe fox giraffe\nthe fox\tfox the\n", to: "pairs")
      let results = try objects("score", "run", "--pairs", "pairs", "--json")
      try #require(results.count == 3)
      #expect(results[0]["likelier"] as? String == "equal")
      #expect(results.dropLast().map { $0["out_of_vocabulary"] as? [Int] } == [[1, 1], [0, 0]])
      #expect(results[2]["out_of_vocabulary"] as? Int == 2 && results[2]["pairs"] as? Int == 2)
      let pairs = try place.unfold("score", "run", "--pairs", "pairs")
      #expect(
        pairs.error == "2 of 10 words were read as <unk>; 1 pair differs only in them.\n",
        "\(pairs.error)")
      try place.write("the zebra\nfox\n", to: "some")
      #expect(try place.unfold("score", "run", "some").error.contains("1 of 3 words was read as"))
      #expect(try !place.unfold("score", "run", "lines").error.contains("<unk>"))
      // Of a text with unknown words the tokens' bytes aren't the text's.
      let (known, unknown) = (
        try objects("evaluate", "run", "lines")[0], try objects("evaluate", "run", "some")[0]
      )
      #expect(known["bits_per_byte"] is NSNumber && known["out_of_vocabulary"] as? Int == 0)
      #expect(unknown["bits_per_byte"] == nil && unknown["out_of_vocabulary"] as? Int == 1)
    }

    @Test func textsWithoutWordsAreRefused() throws {
      try place.write(String(repeating: "<unk> <unk> <unk>\n", count: 300), to: "unknown")
      try place.write("\n \n\t\n", to: "blank")
      for (text, part) in [("unknown", "none of the 900 words"), ("blank", "only white space")] {
        for command in ["score", "evaluate"] {
          expectRefusal(try place.unfold(command, "run", text), 65, text, part)
        }
        expectRefusal(
          try place.unfold("mix", "run", "n.arpa", "--tune", text, "--out", "x"), 65, text, part)
      }
    }

    /// After “the” the backoff makes a probability of 10⁴ of everything.
    @Test func modelsThatGiveNoProbabilitiesAreRefused() throws {
      try place.write(
        """
        \\data\\
        ngram 1=5
        ngram 2=1

        \\1-grams:
        -1\t<unk>
        0\t<s>
        -1\t</s>
        -0.5\tthe\t5
        -1\tfox

        \\2-grams:
        -0.1\t<s> the

        \\end\\

        """, to: "bold.arpa")
      try place.write("the fox\n", to: "bold")
      for command in ["score", "evaluate"] {
        expectRefusal(try place.unfold(command, "bold.arpa", "bold"), 65, "bold.arpa", "above 1")
      }
      expectRefusal(
        try place.unfold("evaluate", "bold.arpa", "bold", "--shuffle-words"), 65, "above 1")
      expectRefusal(
        try place.unfold("mix", "bold.arpa", "bold.arpa", "--tune", "bold", "--out", "x"), 65,
        "bold.arpa", "above 1")
      #expect(!place.exists("x"))
    }

    @Test func badLines() throws {
      try place.write("a\tb\nno tab\n", to: "pairs")
      expectRefusal(
        try place.unfold("score", "run", "--pairs", "pairs"), 65, "pairs", "line 2", "tab")
      try place.write("the\n" + String(repeating: "x", count: 1 << 20 + 1) + "\n", to: "long")
      try place.write("zork\nzork zork\n", to: "unknown")
      for command in ["score", "evaluate"] {
        expectRefusal(try place.unfold(command, "run", "long"), 65, "long", "line 2")
        expectRefusal(try place.unfold(command, "n.arpa", "unknown"), 65, "none of the 3 words")
      }
      try place.write(Data([0x61, 0x0A, 0xFF, 0x0A]), to: "cut")
      expectRefusal(try place.unfold("score", "run", "cut"), 65, "(line 2)")
      expectRefusal(try place.unfold("score", "run", "nothing"), 66, "nothing")
      expectRefusal(try place.unfold("score", "run", "lines", "--pairs", "pairs"), 64, "--pairs")
    }

    @Test func mixesModels() throws {
      let mixed = try place.unfold(
        "mix", "run", "n.arpa", "--tune", "text", "--out", "mixed.json", "--json")
      #expect(mixed.code == 0 && mixed.error.contains("iteration 1: weights 0.5000 0.5000"))
      let summary = try JSONSerialization.jsonObject(with: mixed.output) as? [String: Any]
      let weights = (summary?["weights"] as? [Double] ?? []).map { String(format: "%.4f", $0) }
      let shown = "weights \(weights.joined(separator: " ")), perplexity "
      #expect(mixed.errorLines.dropLast().last?.contains(shown) == true, "\(mixed.error)")
      let reported = summary?["perplexity"] as? Double ?? .nan
      #expect(abs(try perplexity("mixed.json", "text") / reported - 1) < 1e-6)
      let best = min(try perplexity("run", "text"), try perplexity("n.arpa", "text"))
      #expect(try perplexity("mixed.json", "text") <= best + 1e-3)
      #expect(try place.unfold("score", "mixed.json", "lines").code == 0)
      #expect(try place.unfold("generate", "mixed.json", "--length", "5").code == 0)
      try FileManager.default.moveItem(at: place.path("n.arpa"), to: place.path("m.arpa"))
      expectRefusal(try place.unfold("evaluate", "mixed.json", "text"), 66, "n.arpa", "isn't there")
      expectRefusal(
        try place.unfold("mix", "run", "--tune", "text", "--out", "x"), 64, "two models")
    }

    @Test func vocabulariesThatDifferAreNotMixed() throws {
      try place.write("the fox and the cat\n", to: "other")
      #expect(try place.unfold("ngram", "other", "--out", "o.arpa").code == 0)
      expectRefusal(
        try place.unfold("mix", "run", "o.arpa", "--tune", "text", "--out", "x"), 65, "has no token"
      )
      #expect(
        try place.unfold("ngram", "text", "--word-splitting", "punctuation", "--out", "p.arpa").code
          == 0)
      expectRefusal(
        try place.unfold("mix", "n.arpa", "p.arpa", "--tune", "text", "--out", "x"), 65,
        "n.arpa and p.arpa divide a text into tokens in different ways")
      #expect(!place.exists("x"))
    }

    @Test func nothingIsWrittenOverWhatIsRead() throws {
      let (model, text) = (try place.read("n.arpa"), try place.read("text"))
      expectRefusal(
        try place.unfold("mix", "run", "n.arpa", "--tune", "text", "--out", "./n.arpa"), 64,
        "written over what is read")
      expectRefusal(
        try place.unfold("ngram", "text", "--out", "text"), 64, "written over what is read")
      #expect(try place.read("n.arpa") == model && place.read("text") == text)
    }

    @Test func measuresAPart() throws {
      let test = try objects("evaluate", "run", "text", "--split", "80,10,10")
      let valid = try objects("evaluate", "run", "text", "--split", "80,10,10", "--part", "valid")
      #expect(test.first?["tokens"] as? Int == 270 && valid.first?["tokens"] as? Int == 270)
      expectRefusal(try place.unfold("evaluate", "run", "text", "--part", "test"), 64, "--split")
      expectRefusal(
        try place.unfold("evaluate", "run", "text", "--split", "90,10"), 64, "test part")
    }

    /// Four tokens a line: both the validation and the test part hold unknown words only.
    @Test func partsWithoutKnownWordsAreRefused() throws {
      let (known, unknown) = ("the fox sees\n", "zork zork zork\n")
      try place.write(
        String(repeating: known, count: 90) + String(repeating: unknown, count: 30), to: "half")
      let split = ["--split", "80,10,10"]
      let evaluate = ["evaluate", "run", "half"] + split
      expectRefusal(
        try place.unfold(evaluate), 65, "none of the 36 words of the test part of half")
      #expect(try place.unfold(evaluate + ["--part", "train"]).code == 0)
      expectRefusal(
        try place.unfold(["mix", "run", "n.arpa", "--tune", "half", "--out", "x"] + split), 65,
        "valid part of half")
      #expect(!place.exists("x"))
    }

    @Test func showsWhatOrderIsWorth() throws {
      let result = try place.unfold("evaluate", "run", "n.arpa", "text", "--shuffle-words")
      #expect(result.code == 0, "\(result.error)")
      let rows = result.text.split(separator: "\n")
      #expect(rows.count == 4 && rows[1].hasPrefix("unigram of the text"))
      #expect(rows[1].hasSuffix("1.00"))
      let report = try objects("evaluate", "run", "text", "--shuffle-words", "--json").first
      #expect((report?["models"] as? [[String: Any]])?.count == 2)
    }

    @Test func followsTheText() throws {
      let plain = try perplexity("run", "text")
      #expect(abs(try perplexity("run", "text", "--streams", "1") / plain - 1) < 1e-6)
      let same = try perplexity(
        "run", "text", "--dynamic", "sgd:rate=0,decay=0", "--cache", "continuous:lambda=0")
      #expect(abs(same / plain - 1) < 1e-6)
      let weights = try place.read("run/best/model.safetensors")
      try place.write(Small.text(lines: 40, seed: 2), to: "valid")
      let tuned = try place.unfold(
        "evaluate", "run", "text", "--dynamic", "sgd", "--cache", "unigram", "--tune", "valid",
        "--tune-tokens", "300", "--settings", "s.json")
      #expect(tuned.code == 0 && tuned.error.contains("Best on"), "\(tuned.error)")
      #expect(
        try place.unfold("evaluate", "run", "text", "--settings", "s.json").text == tuned.text)
      #expect(try place.read("run/best/model.safetensors") == weights)
    }

    /// What the gradients' sizes are taken from matters.
    @Test func followsTheTextByStatistics() throws {
      try place.write(Small.text(lines: 40, seed: 2), to: "like")
      try place.write(String(repeating: "the the the the\n", count: 40), to: "unlike")
      func perplexity(_ statistics: String) throws -> Double {
        let found = try objects(
          "evaluate", "run", "text", "--dynamic", "rms:rate=0.001", "--statistics", statistics)
        #expect((found.first?["dynamic"] as? String)?.hasPrefix("rms:rate=0.001,") == true)
        return found.first?["perplexity"] as? Double ?? .nan
      }
      let plain = try self.perplexity("run", "text")
      let (like, unlike) = (try perplexity("like"), try perplexity("unlike"))
      #expect(like.isFinite && abs(like / plain - 1) > 1e-6)
      #expect(unlike.isFinite && abs(unlike / like - 1) > 1e-6)
      // The training part of the text, for its test part.
      let parts = try place.unfold(
        "evaluate", "run", "text", "--split", "80,10,10", "--dynamic", "rms", "--statistics",
        "text")
      #expect(parts.code == 0, "\(parts.error)")
    }

    @Test func refusesStatisticsThatMeanNothing() throws {
      func refusal(_ statistics: String, _ others: String...) throws -> Workplace.Result {
        try place.unfold(
          ["evaluate", "run", "text", "--dynamic", "rms", "--statistics", statistics] + others)
      }
      try place.write(String(repeating: "zork zork zork\n", count: 300), to: "unknown")
      try place.write(String(repeating: " \n", count: 300), to: "blank")
      try place.write("the fox\n", to: "few")
      expectRefusal(try refusal("unknown"), 65, "none of the 900 words of unknown")
      expectRefusal(try refusal("blank"), 65, "blank", "only white space")
      expectRefusal(try refusal("few"), 65, "few has 3 tokens", "at least 11")
      expectRefusal(try refusal("./text"), 64, "--statistics", "another text")
      expectRefusal(
        try refusal("text", "--split", "80,10,10", "--part", "train"), 64, "another text")
      expectRefusal(try refusal("nothing"), 66, "nothing")
    }

    @Test func refusesWhatCannotFollow() throws {
      func refusal(_ arguments: String...) throws -> Workplace.Result {
        try place.unfold(["evaluate"] + arguments)
      }
      expectRefusal(try refusal("n.arpa", "text", "--dynamic", "sgd"), 64, "no weights")
      expectRefusal(try refusal("n.arpa", "text", "--cache", "continuous"), 64, "unigram")
      expectRefusal(try refusal("run", "text", "--dynamic", "rms"), 64, "--statistics")
      expectRefusal(try refusal("run", "text", "--cache", "neural"), 64, "neural")
      expectRefusal(try refusal("run", "text", "--tune", "lines"), 64, "--tune")
      expectRefusal(
        try refusal("run", "text", "--cache", "unigram", "--tune", "./text"), 64, "another text")
      expectRefusal(
        try refusal(
          "run", "text", "--cache", "unigram", "--tune", "text", "--split", "80,10,10", "--part",
          "valid"), 64, "--tune", "another text")
      expectRefusal(try refusal("run", "text", "--statistics", "text"), 64, "--dynamic rms")
      let huge = "9223372036854775807"
      for option in [
        ["--cache", "continuous:window=\(huge)"], ["--dynamic", "sgd:segment=\(huge)"],
      ] {
        let result = try place.unfold(["evaluate", "run", "text"] + option)
        expectRefusal(result, 64, "from 1 to 1000000000")
      }
      expectRefusal(try refusal("run", "text", "--cache", "unigram", "--streams", "2"), 64)
      expectRefusal(try refusal("run"), 64, "a model and a text")
      let diverged = try refusal("run", "text", "--dynamic", "sgd:rate=1e6")
      expectFailure(diverged, 75, "diverged")
    }
  }
}
