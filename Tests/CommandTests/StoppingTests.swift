import Foundation
import Testing

extension CommandTests {
  /// Trainings that are interrupted, diverge, or can't write.
  @Suite struct StoppingTests {
    let place: Workplace
    private static let settings = [
      "text", "--hidden", "8", "--batch", "8", "--window", "16", "--threads", "1",
    ]

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    @Test(arguments: [SIGINT, SIGTERM]) func aSignalSavesACheckpoint(signal: Int32) throws {
      let settings = Self.settings + ["--epochs", "8"]
      let running = try place.start(
        Workplace.executable, ["train", "--out", "run"] + settings)
      while !place.exists("run/best/model.safetensors") { Thread.sleep(forTimeInterval: 0.01) }
      running.send(signal)
      let result = running.wait()
      #expect(result.code == 130, "\(result.error)")
      #expect(result.error.contains("Stopping after this step"))
      #expect(result.errorLines.dropLast().last?.hasPrefix("Stopped, with a checkpoint.") == true)
      #expect(result.error.contains("unfold train --resume "))
      #expect(try place.unfold("train", "--resume", "run").code == 0)
      try place.unfold(["train", "--out", "whole"] + settings)
      #expect(try place.hashes("run") == place.hashes("whole"))
    }

    @Test func aSecondSignalLeavesAtOnce() throws {
      // Steps of seconds, so that both signals arrive within one.
      try place.write(Small.text(lines: 1200), to: "long")
      let running = try place.start(
        "train", "long", "--out", "run", "--hidden", "512", "--batch", "32", "--window", "1000")
      while !running.errorSoFar.contains("everything goes to") {
        Thread.sleep(forTimeInterval: 0.01)
      }
      Thread.sleep(forTimeInterval: 0.1)
      running.send(SIGINT)
      while !running.errorSoFar.contains("Stopping") { Thread.sleep(forTimeInterval: 0.01) }
      running.send(SIGINT)
      let result = running.wait(limit: 1)
      #expect(result.code == 130)
      #expect(!result.error.contains("Stopped, with a checkpoint."))
    }

    @Test(arguments: ["16", "1000"]) func divergenceIsSeenAtOnce(window: String) throws {
      // With the longer window there is but one update, and only the evaluation can tell.
      let arguments = [
        "--out", "run", "--learning-rate", "1e6", "--schedule", "constant", "--epochs", "1",
      ]
      let result = try place.unfold(
        ["train"] + Self.settings + arguments + ["--window", window, "--checkpoint-seconds", "0"])
      #expect(result.code == 75)
      let sentences = result.errorLines.dropLast().suffix(1)
      for part in ["diverged at step", "Try a lower learning rate", "last good checkpoint"] {
        #expect(sentences.last?.contains(part) == true, "\(result.error)")
      }
      let step = result.error.firstMatch(of: /diverged at step (\d+)/).flatMap { Int($0.1) }
      #expect((1...2).contains(step ?? 0))
      let again = try place.unfold("train", "--resume", "run")
      #expect(again.code == 75)
      #expect(again.error.contains("diverged at step"))
    }

    @Test func aFullDiskStopsTheTrainingAndLosesNothing() throws {
      // A limit for the size of files stands in for the disk: metrics.jsonl reaches it first.
      let settings = (Self.settings + ["--epochs", "4", "--hidden", "4"]).joined(separator: " ")
      let result = try place.shell(
        "ulimit -f 48; exec \"$unfold\" train --out run --checkpoint-seconds 0 \(settings)")
      expectFailure(result, 74, "metrics.jsonl", "--resume")
      #expect(try place.unfold("train", "--resume", "run").code == 0)
      try place.unfold(
        ["train", "--out", "whole"] + settings.split(separator: " ").map(String.init))
      #expect(try place.hashes("run") == place.hashes("whole"))
      #expect(try place.metricSteps("run") == place.metricSteps("whole"))
    }

    @Test func foldersThatCanNotBeWritten() throws {
      let train = ["train"] + Self.settings + ["--epochs", "1", "--out"]
      expectRefusal(try place.unfold(train + ["text/run"]), 73, "text/run", "check the path")
      expectRefusal(try place.unfold(train + ["text"]), 73, "check the path")
      #expect(try place.unfold(train + ["deep/er/run", "--max-seconds", "0"]).code == 0)
      let configuration = try place.read("deep/er/run/configuration.json")
      expectRefusal(try place.unfold(train + ["deep/er/run"]), 73, "already holds a training run")
      #expect(try place.read("deep/er/run/configuration.json") == configuration)
      #expect(try place.read("text") == Data(Small.text().utf8))
    }

    @Test func withoutOutAFreeFolderIsTaken() throws {
      for name in ["runs/text", "runs/text-2", "runs/text-3"] {
        let result = try place.unfold(["train", "--max-seconds", "0"] + Self.settings)
        #expect(result.code == 0, "\(result.error)")
        #expect(place.exists("\(name)/configuration.json"))
      }
    }
  }
}
