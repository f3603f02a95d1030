import Plots
import Snapshots
import Testing

/// The pictures of ``SampleCharts`` as somebody has looked at them.
@Suite struct SnapshotTests {
  private let snapshots = Snapshots(beside: #filePath)

  @Test(arguments: SampleCharts.all.map(\.name)) func isAsItWas(name: String) throws {
    let chart = try #require(SampleCharts.all.first { $0.name == name }?.chart)
    #expect(try snapshots.fault(of: chart.svg, named: name) == nil)
  }

  @Test func eachSnapshotHasAChart() throws {
    #expect(try snapshots.names() == Set(SampleCharts.all.map(\.name)))
  }
}
