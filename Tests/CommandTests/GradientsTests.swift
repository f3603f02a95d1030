import Foundation
import Testing

extension CommandTests {
  @Suite struct GradientsTests {
    /// What the JSON of a study must have.
    private struct Study: Decodable {
      struct Verdict: Decodable {
        let kind: String
        let finding: String
        let factorPerStep: Double
      }
      struct Flow: Decodable { let disagreement: Double, measured, product: [Double] }
      struct Change: Decodable {
        struct Spectrum: Decodable {
          let name: String, spectralRadius: Double, eigenvalues: [[Double]]
        }
        let before: Spectrum?, now: Spectrum
      }
      struct Truncation: Decodable {
        struct Study: Decodable {
          struct Point: Decodable { let window: Int, cosine: Double }
          let points: [Point]
        }
        let study: Study
      }
      struct History: Decodable { let norms: [Double], clipped: [Bool] }
      let verdicts: [Verdict]
      let freshCells, radii: [Flow]
      let modelFlow: Flow?
      let spectra: [Change]
      let truncation: [Truncation]
      let training: History?
    }

    private func study(_ result: Workplace.Result) throws -> Study {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(Study.self, from: result.output)
    }

    @Test func aRunIsStudiedOnItsOwnText() throws {
      let place = try Workplace.withModel()
      let result = try place.unfold("gradients", "run", "--json", "--steps", "40")
      #expect(result.code == 0, "\(result.error)")
      let study = try study(result)
      #expect(study.verdicts.count == 1)
      let flow = try #require(study.modelFlow)
      #expect(flow.measured.count == 40 && flow.disagreement < 1e-4)
      #expect(study.spectra.map(\.now.name).last == "candidate")
      for change in study.spectra {
        // A small training moves the eigenvalues, but not far.
        let before = try #require(change.before)
        #expect(before.eigenvalues.count == 8 && change.now.eigenvalues.count == 8)
        #expect(before.eigenvalues != change.now.eigenvalues)
        #expect(abs(before.spectralRadius - change.now.spectralRadius) < 1)
      }
      #expect(abs((study.truncation.first?.study.points.last?.cosine ?? 0) - 1) < 1e-5)
      #expect(study.training?.norms.isEmpty == false)
      let page = String(decoding: try place.read("run/gradients/report.html"), as: UTF8.self)
      for part in ["<svg", "Gradients of run", "In this model’s training", "before training"] {
        #expect(page.contains(part), "\(part)")
      }
      // Nothing from elsewhere: no address but the name of SVG's own namespace.
      let addresses = page.components(separatedBy: "http").dropFirst()
      #expect(addresses.allSatisfy { $0.hasPrefix("://www.w3.org/") || $0.hasPrefix("-equiv") })
    }

    @Test func theSameSeedGivesTheSameReport() throws {
      let place = try Workplace.withModel()
      for (threads, out) in [("1", "a"), ("2", "b")] {
        let result = try place.unfold(
          "gradients", "run/best", "text", "--out", out, "--threads", threads)
        #expect(result.code == 0, "\(result.error)")
        #expect(result.text.contains("Gradients "))
      }
      #expect(try place.read("a/report.html") == place.read("b/report.html"))
    }

    @Test func refusesWhatHasNoGradients() throws {
      let place = try Workplace.withModel()
      expectRefusal(try place.unfold("gradients", "nowhere"), 66, "no model at", "nowhere")
      expectRefusal(try place.unfold("gradients", "text"), 65, "no recurrent model")
      expectRefusal(try place.unfold("gradients", "run", "nowhere"), 66, "no file nowhere")
      expectRefusal(try place.unfold("gradients", "--steps", "1"), 64, "from 20 to 1000")
      try place.write("ab", to: "short")
      expectRefusal(try place.unfold("gradients", "run", "short"), 65, "Too little text")
      try FileManager.default.moveItem(at: place.path("run/best"), to: place.path("alone"))
      expectRefusal(try place.unfold("gradients", "alone"), 66, "gradients alone FILE")
    }
  }
}
