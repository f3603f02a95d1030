import Foundation
import Testing

extension CommandTests {
  /// Checkpoints that something has damaged.
  @Suite struct CheckpointDamageTests {
    let place: Workplace
    private let whole: [String]

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
      try place.unfold(
        ["train", "text", "--out", "run", "--checkpoint-seconds", "0"] + Small.settings)
      whole = try place.hashes("run")
    }

    private var checkpoints: [String] {
      get throws {
        try FileManager.default.contentsOfDirectory(atPath: place.path("run/checkpoints").path)
          .filter { $0.hasPrefix("step-") }.sorted().map { "run/checkpoints/\($0)" }
      }
    }

    private static let damages: [@Sendable (Data) -> Data] = [
      { _ in Data() },
      { $0.prefix($0.count / 2) },
      { $0.prefix($0.count - 1) },
      { data in flipped(data, at: data.count - 5) },
      { data in flipped(data, at: data.count * 3 / 4) },
      { data in flipped(data, at: 3) },
      { data in flipped(data, at: 300) },
    ]

    private static func flipped(_ data: Data, at place: Int) -> Data {
      var data = data
      data[place] ^= 0x55
      return data
    }

    @Test func theOneBeforeTakesOver() throws {
      let (steps, samples) = try (place.metricSteps("run"), place.sampleSteps("run"))
      for damage in Self.damages {
        let files = try checkpoints
        try #require(files.count == 2)
        try place.write(damage(try place.read(files[1])), to: files[1])
        let result = try place.unfold("train", "--resume", "run", "--checkpoint-seconds", "0")
        #expect(result.code == 0, "\(result.error)")
        #expect(result.error.contains("Going back to the checkpoint after step"))
        #expect(try place.hashes("run") == whole)
        #expect(try place.metricSteps("run") == steps)
        #expect(try place.sampleSteps("run") == samples)
      }
    }

    @Test func noneIsWhole() throws {
      for file in try checkpoints { try place.write(place.read(file).dropLast(9), to: file) }
      expectRefusal(try place.unfold("train", "--resume", "run"), 65, "each is damaged")
      for file in try checkpoints { try FileManager.default.removeItem(at: place.path(file)) }
      expectRefusal(try place.unfold("train", "--resume", "run"), 66, "no whole checkpoint")
      #expect(try place.hashes("run") == whole)
    }

    @Test func withoutThePointerTheNewestCounts() throws {
      try FileManager.default.removeItem(at: place.path("run/checkpoints/newest"))
      #expect(try place.unfold("train", "--resume", "run").code == 0)
      #expect(try place.hashes("run") == whole)
    }
  }
}
