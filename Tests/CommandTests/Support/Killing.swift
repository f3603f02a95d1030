import Foundation
import Testing

extension Workplace {
  /// Trains `text` into `run`, killing the process again and again after random times, until it has
  /// come to its end by itself.
  ///
  /// - Returns: how often it was killed.
  func trainKilling(
    _ run: String, _ settings: [String], atMost limit: Int, seconds: ClosedRange<Double>
  ) throws -> Int {
    var kills = 0
    while true {
      // Killed before its settings were written, it begins anew.
      let begin = exists("\(run)/configuration.json") ? ["--resume", run] : settings
      let running = try start(
        Self.executable, ["train", "--checkpoint-seconds", "0"] + begin + ["--threads", "1"])
      if kills < limit {
        Thread.sleep(forTimeInterval: .random(in: seconds))
        running.send(SIGKILL)
      }
      let result = running.wait()
      if result.code == 0 { return kills }
      try #require(result.code == 137, "\(result.error)")
      kills += 1
    }
  }

  /// The steps in `metrics.jsonl`, those of evaluations apart.
  func metricSteps(_ run: String) throws -> (steps: [Int], evaluations: [Int]) {
    struct Line: Decodable { let step: Int, isBest: Bool? }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let lines = try read("\(run)/metrics.jsonl").split(separator: UInt8(ascii: "\n"))
      .map { try decoder.decode(Line.self, from: $0) }
    return (
      lines.filter { $0.isBest == nil }.map(\.step), lines.filter { $0.isBest != nil }.map(\.step)
    )
  }

  /// The steps in `samples.txt`.
  func sampleSteps(_ run: String) throws -> [Int] {
    String(decoding: try read("\(run)/samples.txt"), as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("— after step ") }
      .compactMap { Int($0.split(separator: " ")[3]) }
  }
}
