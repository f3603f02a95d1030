import Foundation
import Plots
import Testing

/// The pictures of ``SampleCharts`` as somebody has looked at them.
///
/// To change them: `UNFOLD_RECORD_SNAPSHOTS=1 swift test -c release --filter SnapshotTests` writes
/// them anew; look at each in a browser, in light and dark, before you commit it.
@Suite struct SnapshotTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Snapshots")
  private static let isRecording =
    ProcessInfo.processInfo.environment["UNFOLD_RECORD_SNAPSHOTS"] != nil

  @Test(arguments: SampleCharts.all.map(\.name)) func isAsItWas(name: String) throws {
    let chart = try #require(SampleCharts.all.first { $0.name == name }?.chart)
    let file = Self.folder.appending(path: "\(name).svg")
    if Self.isRecording { try Data(chart.svg.utf8).write(to: file) }
    let snapshot = try #require(
      try? String(contentsOf: file, encoding: .utf8),
      "no snapshot of \(name); the comment above these tests says how to make one")
    #expect(chart.svg == snapshot, "\(name) is drawn otherwise; the comment above says what to do")
  }

  @Test func eachSnapshotHasAChart() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(files) == Set(SampleCharts.all.map { "\($0.name).svg" }))
  }
}
