import Foundation
import Testing

extension CommandTests {
  /// `unfold inspect`: its results, its refusals, and its page in a browser.
  @Suite struct InspectTests {
    let place: Workplace

    init() throws { place = try Workplace.withModel() }

    @Test func writesAPageAndATable() throws {
      let result = try place.unfold(
        "inspect", "run", "text", "--out", "seen", "--probe", "animals=fox|🦊", "--ahead", "Z")
      #expect(result.code == 0, "\(result.error)")
      #expect(result.text.contains("position in line") && result.text.contains("animals"))
      #expect(result.text.contains("Not asked: Z ahead"))
      #expect(result.text.hasSuffix("Report: seen/report.html\n"))
      let page = String(decoding: try place.read("seen/report.html"), as: UTF8.self)
      #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("animals"))
    }

    @Test func jsonIsOneObject() throws {
      try place.write("0 50\n", to: "labels")
      let result = try place.unfold(
        "inspect", "run", "text", "--out", "seen", "--json", "--labels", "mine=labels",
        "--limit", "4096")
      #expect(result.code == 0, "\(result.error)")
      let object = try #require(
        JSONSerialization.jsonObject(with: result.output) as? [String: Any])
      for key in ["tokens", "bytes", "bytes_read", "nats_per_token", "layers", "probes", "syntax"] {
        #expect(object[key] != nil, "\(key)")
      }
      let probes = try #require(object["probes"] as? [[String: Any]])
      let position = try #require(probes.first { $0["probe"] as? String == "position in line" })
      #expect(position["chance"] is NSNumber && position["layers"] is [Any])
      let best = try #require((position["units"] as? [[String: Any]])?.first)
      #expect(best["correlation"] is NSNumber && best["unit"] is [String: Any])
      #expect(probes.contains { $0["probe"] as? String == "mine" })
    }

    @Test(arguments: ["terminal", "svg", "html", "json"]) func oneUnit(format: String) throws {
      let result = try place.unfold(
        [
          "inspect", "run", "text", "--unit", "0:3", "--format", format, "--excerpt", "200",
          "--colours", "range",
        ],
        environment: ["NO_COLOR": "1"])
      #expect(result.code == 0 && result.error.isEmpty, "\(result.error)")
      let beginnings = ["terminal": "", "svg": "<svg", "html": "<!DOCTYPE", "json": "{"]
      #expect(result.text.hasPrefix(beginnings[format] ?? "?"))
      #expect(!result.text.contains("\u{1B}") && !place.exists("inspection"))
    }

    @Test func refusals() throws {
      let inspect = ["inspect", "run", "text"]
      try place.write("0 5\n5 x\n", to: "labels")
      expectRefusal(try place.unfold(inspect + ["--probe", "a=("]), 64, "regular expression")
      expectRefusal(try place.unfold(inspect + ["--probe", "digit=x"]), 64, "two probes")
      expectRefusal(try place.unfold(inspect + ["--probe", "a"]), 64)
      expectRefusal(try place.unfold(inspect + ["--ahead", "ab"]), 64)
      expectRefusal(try place.unfold(inspect + ["--labels", "a=labels"]), 65, "line 2")
      expectRefusal(try place.unfold(inspect + ["--labels", "a=nowhere"]), 66)
      expectRefusal(try place.unfold(inspect + ["--unit", "7:0"]), 64, "layers are 0 to 0")
      expectRefusal(try place.unfold(inspect + ["--unit", "0:8"]), 64, "0 to 7")
      expectRefusal(try place.unfold(inspect + ["--unit", "0"]), 64)
      expectRefusal(try place.unfold(inspect + ["--format", "svg"]), 64, "--unit")
      expectRefusal(try place.unfold(inspect + ["--excerpt", "0"]), 64, "--excerpt")
      expectRefusal(try place.unfold(inspect + ["--colours", "range"]), 64, "--unit")
      for option in ["--probe=a=x", "--labels=a=labels", "--ahead=x", "--shifts=3", "--streams=2"] {
        expectRefusal(
          try place.unfold(inspect + ["--unit", "0:0", option]), 64,
          String(option.prefix { $0 != "=" }))
      }
      // What fails after its folder was made leaves none.
      expectRefusal(try place.unfold(inspect + ["--signal", "z", "--out", "a/b"]), 64, "z")
      #expect(!place.exists("a"))
      expectRefusal(try place.unfold("inspect", "run", "nowhere"), 66)
      expectRefusal(try place.unfold("inspect", "nowhere", "text"), 66)
      try place.write("short", to: "little")
      expectRefusal(try place.unfold("inspect", "run", "little"), 65, "16")
      _ = try place.unfold("ngram", "text", "--tokens", "words", "--out", "m.arpa")
      expectRefusal(try place.unfold("inspect", "m.arpa", "text"), 65, "n-grams")
    }

    @Test func thePageWorksInABrowser() throws {
      #expect(try place.unfold("inspect", "run", "text", "--out", "seen").code == 0)
      try expectPageWorks("seen/report.html", in: place)
    }
  }
}
