import Foundation
import Inspection
import Language
import Testing

extension CommandTests {
  @Suite struct GradientsTests {
    /// What the JSON of a study must have.
    private struct Study: Decodable {
      struct Verdict: Decodable {
        let kind: String
        let finding: String
        let advice: [String]
        let factorPerStep: Double?
      }
      struct Flow: Decodable {
        struct Agreement: Decodable {
          let lags, compared, agreeing: Int, largest, largestOfOneStep: Double, finding: String
        }
        let agreement: Agreement, measured, product: [Double], verdict: Verdict?
      }
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
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
      return try decoder.decode(Study.self, from: result.output)
    }

    @Test func aRunIsStudiedOnItsOwnText() throws {
      let place = try Workplace.withModel()
      let result = try place.unfold("gradients", "run", "--json", "--steps", "40")
      #expect(result.code == 0, "\(result.error)")
      let study = try study(result)
      #expect(study.verdicts.count == 1)
      let flow = try #require(study.modelFlow)
      #expect(flow.measured.count == 40 && flow.product.count == 40)
      #expect(flow.agreement.lags == 40 && flow.agreement.agreeing > 1)
      #expect(flow.agreement.largestOfOneStep < 1e-4)
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
      for part in [
        "<svg", "Gradients of run", "In this model’s training", "before training",
        flow.agreement.finding,
      ] {
        #expect(page.contains(part), "\(part)")
      }
      // An LSTM isn't told to become one.
      #expect(study.verdicts.allSatisfy { !$0.advice.joined().contains("--cell") })
      // Nothing from elsewhere: no address but the name of SVG's own namespace.
      let addresses = page.components(separatedBy: "http").dropFirst()
      #expect(addresses.allSatisfy { $0.hasPrefix("://www.w3.org/") || $0.hasPrefix("-equiv") })
    }

    /// Whatever a person is told to try, `unfold train` has.
    @Test func adviceCanBeFollowed() throws {
      let help = try Workplace().unfold("train", "--help").text
      let kinds: [CellKind?] = [.elman, .elmanReLU, .lstm, .gru, nil]
      for cell in kinds {
        for factor in [0.5, 1.5] {
          let norms = (0..<60).map { pow(factor, Double($0)) }
          let verdict = GradientVerdict(subject: "", norms: norms, cell: cell)
          #expect(!verdict.advice.isEmpty)
          for option in verdict.advice.joined(separator: " ").matches(of: #/--[a-z-]+/#) {
            #expect(help.contains(option.output), "\(option.output)")
          }
        }
      }
    }

    /// So many steps that the state of the steepest sweep overflows.
    @Test func theWorstExplosionIsCalledOne() throws {
      let place = try Workplace()
      let result = try place.unfold("gradients", "--steps", "180", "--json", "--out", "out")
      #expect(result.code == 0, "\(result.error)")
      let steepest = try #require(try study(result).radii.last?.verdict)
      #expect(steepest.kind == "exploding" && steepest.finding.contains("the state itself"))
      let page = String(decoding: try place.read("out/report.html"), as: UTF8.self)
      #expect(page.contains("λ = 1.50: the state outgrows Float32"))
      try expectPageWorks("out/report.html", in: place)
      #expect(!page.contains("factor of nan") && !page.contains(">nan<"))
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
