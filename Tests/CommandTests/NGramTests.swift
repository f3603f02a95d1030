import Foundation
import Testing

extension CommandTests {
  /// `unfold ngram`, and what the other commands do with its files.
  @Suite struct NGramTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    private func build(_ arguments: String...) throws -> Data {
      let result = try place.unfold(["ngram", "--out", "m.arpa"] + arguments)
      #expect(result.code == 0, "\(result.error)")
      return try place.read("m.arpa")
    }

    @Test func severalTextsAndStandardInputAreOneText() throws {
      try place.write(Small.text(seed: 2), to: "more")
      try place.write(Small.text() + "\n" + Small.text(seed: 2), to: "both")
      let both = try build("both")
      #expect(try build("text", "more") == both)
      let piped = try place.unfold(["ngram", "--out", "p.arpa", "-"], input: "both")
      #expect(piped.code == 0, "\(piped.error)")
      #expect(try place.read("p.arpa") == both)
    }

    @Test func bothFormsAreOneModel() throws {
      let arpa = try build("text")
      _ = try place.unfold("ngram", "text", "--out", "m.ngram")
      #expect(try place.read("m.ngram").count < arpa.count)
      let measured = try place.unfold("evaluate", "m.arpa", "text")
      #expect(measured.code == 0, "\(measured.error)")
      #expect(try place.unfold("evaluate", "m.ngram", "text").output == measured.output)
      #expect(try build("--from", "m.ngram") == arpa)
      let words = try place.unfold("generate", "m.ngram", "--seed", "1", "--length", "20")
      #expect(words.code == 0, "\(words.error)")
      #expect(
        try place.unfold("generate", "m.arpa", "--seed", "1", "--length", "20").output
          == words.output)
    }

    @Test func threadsAndMemoryChangeNothing() throws {
      let arpa = try build("text", "--order", "5", "--tokens", "characters")
      #expect(
        try build(
          "text", "--order", "5", "--tokens", "characters", "--threads", "1", "--memory", "1M")
          == arpa)
    }

    @Test func theTestPartIsNotCounted() throws {
      let bytes = Array(Small.text().utf8)
      try place.write(Data(bytes.prefix(bytes.count * 80 / 100)), to: "part")
      #expect(
        try build("text", "--tokens", "bytes", "--split", "80,10,10")
          == build("part", "--tokens", "bytes"))
    }

    @Test func conversionTakesNoSettings() throws {
      struct Summary: Decodable {
        let order: Int
        let smoothing, prune: String?
      }
      let made = try place.unfold("ngram", "text", "--out", "m.ngram", "--json")
      let summary = try JSONDecoder().decode(Summary.self, from: made.output)
      #expect(summary.order == 3 && summary.smoothing == "kneser-ney" && summary.prune == "0")
      let conversion = ["ngram", "--from", "m.ngram", "--out", "x.arpa"]
      for setting in [
        ["--order", "2"], ["--smoothing", "add-k"], ["--tokens", "bytes"],
        ["--minimum-count", "2"], ["--split", "80,10,10"], ["--prune", "0,5"],
      ] {
        expectRefusal(
          try place.unfold(conversion + setting), 64, "--from converts", "no other settings")
        #expect(!place.exists("x.arpa"))
      }
      let converted = try place.unfold(
        conversion + ["--memory", "1M", "--threads", "1", "--json"])
      let kept = try JSONDecoder().decode(Summary.self, from: converted.output)
      #expect(kept.order == 3 && kept.smoothing == nil && kept.prune == nil)
    }

    @Test func damagedFilesAreRefused() throws {
      _ = try place.unfold("ngram", "text", "--out", "m.ngram")
      let whole = try place.read("m.ngram")
      let half = whole.count / 2
      let newer = Data("unfoldNG\u{7}\0\0\0".utf8) + whole.dropFirst(12)
      let other = Data("unfoldXX".utf8) + whole.dropFirst(8)
      let large = whole.prefix(48) + Data(repeating: 0xFF, count: 8) + whole.dropFirst(56)
      let zeroed = whole.prefix(half) + Data(count: whole.count - half)
      let damaged: [(Data, String)] = [
        (whole.dropLast(), "should have"), (whole.prefix(30), "ends within its header"),
        (newer, "version 7"), (other, "doesn't begin as"), (large, "contradicts"),
        (zeroed, "n-grams are missing"),
      ]
      for (bytes, part) in damaged {
        try place.write(bytes, to: "bad.ngram")
        for command in [["evaluate", "bad.ngram", "text"], ["generate", "bad.ngram"]] {
          expectRefusal(try place.unfold(command), 65, "bad.ngram", part)
        }
      }
    }

    @Test func brokenARPAFilesAreRefused() throws {
      let arpa = String(decoding: try build("text", "--order", "2"), as: UTF8.self)
      for (old, new, part) in [
        ("ngram 2=", "ngram 2=9", "declare"), ("\\2-grams:", "\\3-grams:", "line"),
        ("ngram 2=", "ngram 3=", "2-grams is expected"), ("\\end\\", "", "before \\end\\"),
        ("\t<s>\t", "\t<s>\tnan", "is no number"), ("0\t<s>", "0.5\t<s>", "above 0"),
        ("\tfox\t", "\tf\0x\t", "zero byte"), ("\t<s>\t-", "\t<s>\t30", "above 10"),
      ] {
        try place.write(arpa.replacing(old, with: new, maxReplacements: 1), to: "bad.arpa")
        expectRefusal(try place.unfold("evaluate", "bad.arpa", "text"), 65, "bad.arpa, line", part)
      }
    }

    @Test func textsThatCannotBeCountedAreRefused() throws {
      try place.write("<unk> <unk>\n", to: "unknown")
      try place.write("a b\n\n" + String(repeating: "a", count: 2_000_000), to: "long")
      try place.write("", to: "empty")
      try place.write("a b\n\nthe <s> mark\n", to: "marked")
      try place.write("the hunter\nthe \0 fox\n", to: "zero")
      for (file, code, part) in [
        ("unknown", Int32(65), "no word but <unk>"), ("long", 65, "in line 3"),
        ("empty", 65, "is empty"), ("nothing", 66, "There is no file"),
        ("marked", 65, "marked holds the word <s> in line 3"),
        ("zero", 65, "zero holds a word with a zero byte in line 2"),
      ] {
        expectRefusal(try place.unfold("ngram", file, "--out", "x.arpa"), code, part)
        #expect(!place.exists("x.arpa"))
      }
      expectRefusal(try place.unfold("ngram", "--out", "x.arpa"), 64, "Name a text")
      // Before anything is read: a model that took an hour must find its place.
      expectRefusal(
        try place.unfold("ngram", "nowhere", "--out", "none/x.arpa"), 73, "none/x.arpa", "folder")
      expectRefusal(
        try place.unfold("ngram", "text", "--memory", "5", "--out", "x.arpa"), 64, "--memory")
      expectRefusal(
        try place.unfold("ngram", "text", "--order", "1001", "--out", "x.arpa"), 64,
        "from 1 to 1000")
    }

    @Test func whatIsNoModelIsBadData() throws {
      try place.write(Data([0x7F, 0x45, 0x4C, 0x46, 0, 0, 0, 0]), to: "program")
      expectRefusal(
        try place.unfold("evaluate", "program", "text"), 65, "program is a file, but a model is")
      expectRefusal(try place.unfold("evaluate", "nothing", "text"), 66, "no model at")
    }

    /// Of a part too, which is cut within a line.
    @Test(arguments: ["bytes", "characters", "words", "bpe"])
    func orderIsNothingToAUnigram(unit: String) throws {
      struct Report: Decodable {
        struct Row: Decodable { let perplexity, ratio: Double }
        let models: [Row]
      }
      _ = try place.unfold("ngram", "text", "--tokens", unit, "--out", "m.ngram")
      let result = try place.unfold(
        "evaluate", "m.ngram", "text", "--split", "80,10,10", "--shuffle-words", "--json")
      #expect(result.code == 0, "\(result.error)")
      let rows = try JSONDecoder().decode(Report.self, from: result.output).models
      #expect(rows.count == 2 && rows[0].ratio == 1 && rows[1].ratio != 1)
    }
  }
}
