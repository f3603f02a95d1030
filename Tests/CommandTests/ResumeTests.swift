import Foundation
import Testing

extension CommandTests {
  /// A training that was stopped, and gone on with, ends in the same bytes.
  @Suite struct ResumeTests {
    let place: Workplace
    private static let base = [
      "text", "--hidden", "8", "--batch", "8", "--window", "16", "--epochs", "3", "--evaluations",
      "2",
    ]

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    @Test(arguments: [
      ["--optimiser", "sgd"], ["--optimiser", "momentum"], ["--optimiser", "adam"],
      ["--optimiser", "momentum", "--nesterov"], ["--optimiser", "adamw", "--tie"],
      ["--optimiser", "rmsprop", "--cell", "gru"], ["--optimiser", "adagrad", "--cell", "elman"],
      ["--softmax", "adaptive", "--cutoffs", "4", "--tokens", "words"],
      ["--softmax", "sampled", "--samples", "5", "--tokens", "words", "--tie"],
      ["--stride", "5"], ["--dropout", "0.4", "--tokens", "words"], ["--tokens", "bytes"],
      ["--learning-rate", "0.1", "--schedule", "plateau:patience=0,factor=0.5", "--patience", "1"],
      [
        "--optimiser", "sgd", "--learning-rate", "1", "--random-windows", "--average-after", "0",
        "--embedding-dropout", "0.1", "--input-dropout", "0.2", "--layer-dropout", "0.2",
        "--output-dropout", "0.2", "--recurrent-dropout", "0.2", "--activation-penalty", "2",
        "--temporal-penalty", "1", "--tie", "--embedding", "6",
      ],
    ]) func stoppingAfterStepsChangesNothing(options: [String]) throws {
      let settings = Self.base + options
      try place.unfold(["train", "--threads", "1", "--out", "whole"] + settings)
      try place.unfold(["train", "--max-seconds", "0", "--out", "run"] + settings)
      for seconds in ["0", "0.02", "0.05"] {
        let result = try place.unfold("train", "--resume", "run", "--max-seconds", seconds)
        #expect(result.code == 0, "\(result.error)")
      }
      let result = try place.unfold("train", "--resume", "run")
      #expect(result.code == 0, "\(result.error)")
      #expect(try place.hashes("run") == place.hashes("whole"))
      #expect(try place.metricSteps("run") == place.metricSteps("whole"))
      #expect(try place.sampleSteps("run") == place.sampleSteps("whole"))
      #expect(try place.read("run/samples.txt") == place.read("whole/samples.txt"))
    }

    @Test func killingAtRandomInstantsChangesNothing() throws {
      let settings =
        Self.base + ["--learning-rate", "0.03", "--epochs", "6", "--dropout", "0.2"]
      try place.unfold(["train", "--threads", "1", "--out", "whole"] + settings)
      for run in 0..<3 {
        let kills = try place.trainKilling(
          "run\(run)", settings + ["--out", "run\(run)"], atMost: 4, seconds: 0...0.3)
        #expect(kills > 0)
        #expect(try place.hashes("run\(run)") == place.hashes("whole"))
        #expect(try place.metricSteps("run\(run)") == place.metricSteps("whole"))
        #expect(try place.sampleSteps("run\(run)") == place.sampleSteps("whole"))
        let names = try FileManager.default.subpathsOfDirectory(
          atPath: place.path("run\(run)").path)
        #expect(!names.contains { $0.hasSuffix(".tmp") })
      }
    }

    /// The checkpoint of a step that is followed by an evaluation belongs after it.
    @Test func noEvaluationIsLostByKilling() throws {
      // One short step an epoch, then a long evaluation, during which most kills happen.
      try place.write(Small.text(lines: 24), to: "text")
      try place.write(Small.text(lines: 2000), to: "valid")
      let settings = [
        "text", "--valid", "valid", "--hidden", "32", "--batch", "8", "--window", "70", "--epochs",
        "12",
      ]
      try place.unfold(["train", "--threads", "1", "--out", "whole"] + settings)
      let whole = try place.metricSteps("whole")
      #expect(whole.evaluations == Array(1...12))
      let kills = try place.trainKilling(
        "run", settings + ["--out", "run"], atMost: 8, seconds: 0.02...0.2)
      #expect(kills > 0)
      #expect(try place.metricSteps("run") == whole)
    }

    @Test func anEndedTrainingStaysEnded() throws {
      try place.unfold(
        ["train", "--out", "run"] + Self.base + [
          "--learning-rate", "0.1", "--schedule", "constant", "--epochs", "15", "--patience", "0",
        ])
      let (hashes, steps) = try (place.hashes("run"), place.metricSteps("run"))
      #expect(steps.evaluations.count < 30, "the training was to stop early")
      let result = try place.unfold("train", "--resume", "run")
      #expect(result.code == 0, "\(result.error)")
      #expect(try place.hashes("run") == hashes)
      #expect(try place.metricSteps("run") == steps)
    }

    @Test func anotherTextIsRefused() throws {
      try place.unfold(["train", "--max-seconds", "0", "--out", "run"] + Self.base)
      let checkpoints = try FileManager.default.contentsOfDirectory(
        atPath: place.path("run/checkpoints").path)
      for text in [Small.text(seed: 2), Small.text(lines: 100), Small.text() + "ÿ"] {
        try place.write(text, to: "text")
        expectRefusal(try place.unfold("train", "--resume", "run"), 65, "text isn't what")
      }
      try FileManager.default.removeItem(at: place.path("text"))
      expectRefusal(try place.unfold("train", "--resume", "run"), 66, "There is no file")
      try place.write(Small.text(), to: "moved")
      let left = try FileManager.default.contentsOfDirectory(
        atPath: place.path("run/checkpoints").path)
      #expect(left.sorted() == checkpoints.sorted())
      let result = try place.unfold("train", "moved", "--resume", "run")
      #expect(result.code == 0, "\(result.error)")
    }

    @Test func whatCanNotBeResumed() throws {
      try place.unfold(["train", "--max-seconds", "0", "--out", "run"] + Self.base)
      expectRefusal(try place.unfold("train", "--resume", "nothing"), 66, "no training run")
      expectRefusal(try place.unfold("train", "--resume", "."), 66, "no training run")
      expectRefusal(try place.unfold("train", "--resume", "text"), 66, "no training run")
      for other in [["--hidden", "9"], ["--seed", "1"], ["--out", "x"], ["--tie"]] {
        expectRefusal(
          try place.unfold(["train", "--resume", "run"] + other), 64, "no other settings")
      }
      try place.write("{", to: "run/configuration.json")
      expectRefusal(
        try place.unfold("train", "--resume", "run"), 65, "can't be read as the settings")
    }
  }
}
