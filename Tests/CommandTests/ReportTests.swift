import Foundation
import Testing

extension CommandTests {
  /// What a training leaves for those who want to see how it went.
  @Suite struct ReportTests {
    let place: Workplace

    init() throws { place = try Workplace.withModel() }

    private func text(_ name: String) throws -> String {
      String(decoding: try place.read(name), as: UTF8.self)
    }

    @Test func aTrainingLeavesItsReport() throws {
      let html = try text("run/report.html")
      #expect(html.contains("<p class=\"subtitle\">Finished: "))
      for part in ["Gradient norm of each layer", "Updates: layer 0", "What it writes", "bits/"] {
        #expect(html.contains(part), "\(part)")
      }
      #expect(html.contains("training.learning_rate"))
      // The validation losses while training and at the end are measured in different ways.
      #expect(html.contains("the text cut into 4 streams side by side"))
      #expect(html.contains("on texts that are read from beginning to end"))
    }

    @Test func thePageWorksInABrowser() throws {
      try expectPageWorks("run/report.html", in: place)
    }

    /// Evaluations that take hundreds of steps' time aren't a part of the step after them.
    @Test func speedIsThatOfSteps() throws {
      try place.write(Small.text(lines: 4000, seed: 2), to: "held-out")
      let result = try place.unfold(
        ["train", "text", "--valid", "held-out", "--out", "timed", "--log-every", "1"]
          + ["--evaluations", "8"] + Small.settings)
      #expect(result.code == 0, "\(result.error)")
      struct Line: Decodable { let step: Int, tokensPerSecond: Double?, isBest: Bool? }
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let lines = try place.read("timed/metrics.jsonl").split(separator: UInt8(ascii: "\n"))
        .map { try decoder.decode(Line.self, from: $0) }
      let evaluated = Set(lines.filter { $0.isBest != nil }.map(\.step))
      func median(_ isWanted: (Line) -> Bool) throws -> Double {
        let speeds = lines.filter(isWanted).compactMap(\.tokensPerSecond).sorted()
        return try #require(speeds.isEmpty ? nil : speeds[speeds.count / 2])
      }
      let after = try median { evaluated.contains($0.step - 1) }
      let others = try median { !evaluated.contains($0.step - 1) }
      #expect(after > others / 10)
    }

    @Test func theCommandMakesTheSameReport() throws {
      let before = try text("run/report.html")
      try FileManager.default.removeItem(at: place.path("run/report.html"))
      let result = try place.unfold("report", "run")
      #expect(result.code == 0 && result.text.hasSuffix("/run/report.html\n"), "\(result.error)")
      #expect(try text("run/report.html") == before)
      let json = try place.unfold("report", "run", "--json")
      #expect(try JSONDecoder().decode([String: String].self, from: json.output).count == 1)
      expectRefusal(try place.unfold("report", "text"), 66, "holds no training run")
    }

    @Test func aStoppedTrainingHasAReportAndLosesItWhenItGoesOn() throws {
      let options = ["train", "text", "--out", "other", "--log-every", "1"] + Small.settings
      try place.unfold(options + ["--epochs", "3", "--max-seconds", "0"])
      #expect(try text("other/report.html").contains(">Interrupted: 1 of "))
      let result = try place.unfold("train", "--resume", "other", "--log-every", "1")
      #expect(result.code == 0, "\(result.error)")
      #expect(try text("other/report.html").contains(">Finished: "))
      let names = try FileManager.default.contentsOfDirectory(atPath: place.path("other").path)
      #expect(names.count { $0.contains(".tfevents.") } == 2)
    }
  }
}
