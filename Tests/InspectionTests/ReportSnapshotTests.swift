import Inspection
import Plots
import Snapshots
import Testing

/// The charts of reports, drawn from ``SampleStudies``, as somebody has looked at them.
@Suite struct ReportSnapshotTests {
  private let snapshots = Snapshots(beside: #filePath)

  @Test(arguments: SampleStudies.charts.map(\.name)) func isAsItWas(name: String) throws {
    let chart = try #require(SampleStudies.charts.first { $0.name == name }?.chart)
    #expect(try snapshots.fault(of: chart.svg, named: name) == nil)
  }

  @Test func eachSnapshotHasAChart() throws {
    #expect(try snapshots.names() == Set(SampleStudies.charts.map(\.name)))
  }
}
