import Foundation
import Testing

extension CommandTests {
  /// The same seed gives the same bytes.
  @Suite struct SeedTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    @Test(arguments: ["lstm", "gru", "elman"]) func threadsDoNotMatter(cell: String) throws {
      // Large enough for the work to be shared.
      let settings = [
        "train", "text", "--cell", cell, "--hidden", "96", "--batch", "16", "--window", "32",
        "--epochs", "1", "--dropout", "0.1", "--recurrent-dropout", "0.2", "--layer-dropout", "0.2",
        "--input-dropout", "0.2", "--embedding-dropout", "0.1", "--temporal-penalty", "1",
      ]
      for (run, options) in [
        ("one", ["--threads", "1"]), ("two", ["--threads", "2"]), ("again", ["--threads", "2"]),
        ("three", ["--threads", "3"]), ("other", ["--threads", "1", "--seed", "2"]),
      ] {
        let result = try place.unfold(settings + options + ["--out", run])
        #expect(result.code == 0, "\(result.error)")
      }
      let hashes = try place.hashes("one")
      #expect(try place.hashes("two") == hashes)
      #expect(try place.hashes("again") == hashes)
      #expect(try place.hashes("three") == hashes)
      #expect(try place.hashes("other") != hashes)
    }

    @Test func generationFollowsItsSeed() throws {
      let place = try Workplace.withModel()
      func text(_ options: String...) throws -> String {
        let result = try place.unfold(["generate", "run", "--length", "200"] + options)
        #expect(result.code == 0, "\(result.error)")
        return result.text
      }
      #expect(try text("--seed", "7") == text("--seed", "7", "--threads", "1"))
      #expect(try text("--seed", "7") != text("--seed", "8"))
      let likeliest = try text("--temperature", "0")
      #expect(try text("--top-k", "1", "--seed", "3") == likeliest)
      #expect(try text("--top-p", "1e-9", "--seed", "4") == likeliest)
    }

    @Test func samplesAreTheTextsOfTheNextSeeds() throws {
      let place = try Workplace.withModel()
      func text(_ options: String...) throws -> String {
        let result = try place.unfold(
          ["generate", "run", "--length", "50", "--prompt", "the "] + options)
        #expect(result.code == 0, "\(result.error)")
        return result.text
      }
      let single = try (7...9).map { try text("--seed", "\($0)") }
      let expected = single.enumerated().map { "--- \($0 + 1) of 3, seed \($0 + 7)\n\($1)" }
      #expect(try text("--seed", "7", "--samples", "3") == expected.joined())
      let lines = try text("--seed", "7", "--samples", "3", "--json").split(separator: "\n")
      #expect(lines.count == 3)
    }

    @Test func bytesNeverSplitACharacter() throws {
      let place = try Workplace()
      try place.write(Small.text().filter { !$0.isASCII }, to: "text")
      try place.unfold(
        ["train", "text", "--out", "run", "--tokens", "bytes"] + Small.settings + ["--epochs", "3"])
      for seed in 1...20 {
        let result = try place.unfold(
          "generate", "run", "--length", "\(90 + seed)", "--prompt", "日", "--seed", "\(seed)")
        #expect(result.code == 0, "\(result.error)")
        #expect(String(data: result.output, encoding: .utf8)?.hasPrefix("日") == true)
      }
    }
  }
}
