import Foundation
import Plots
import Testing

@Suite struct ChartTests {
  private func chart(_ marks: [Mark], _ scale: Axis.Scale = .linear) -> Chart {
    Chart("a < b & \"c\"", x: Axis("x"), y: Axis("y", scale: scale), marks: marks)
  }

  @Test func textIsEscaped() {
    let svg = chart([.note("<script>", x: 1, y: 1)]).svg
    #expect(svg.contains("a &lt; b &amp; &quot;c&quot;"))
    #expect(svg.contains("&lt;script&gt;") && !svg.contains("<script>"))
  }

  @Test func canBeReadAloud() {
    var chart = chart([])
    chart.description = "It falls."
    #expect(chart.svg.contains("role=\"img\" aria-labelledby="))
    #expect(chart.svg.contains(">It falls.</desc>"))
  }

  @Test(arguments: [Axis.Scale.linear, .logarithmic])
  func numbersWithoutAPlaceLeaveGaps(scale: Axis.Scale) throws {
    let y: [Double] = [1, .nan, 2, 3, .infinity, -.infinity, 4, 5]
    let svg = chart([.line(x: (0..<8).map(Double.init), y: y)], scale).svg
    let line = try #require(svg.split(separator: "\n").first { $0.contains("class=\"line c0\"") })
    // 1 alone is a dot; 2 3 and 4 5 are lines.
    #expect(line.count { $0 == "M" } == 3)
    #expect(line.count { $0 == "L" } == 2)
    #expect(!svg.contains("nan") && !svg.contains("inf\""))
  }

  /// The names at the ends of lines, from the top down.
  private func namesAtEnds(_ marks: [Mark]) throws -> [String] {
    var chart = chart(marks)
    chart.y.domain = 0...10
    chart.legend = .atEnds
    let texts = chart.svg.matches(of: #/<text class="name strong[^>]* y="([^"]*)">([^<]*)<\/text>/#)
    let names = try texts.map { (try #require(Double($0.output.1)), String($0.output.2)) }
    return names.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// The line that leaves first is outermost, whatever its name.
  @Test func namesStandInTheOrderInWhichLinesLeave() throws {
    func line(_ name: String, _ slope: Double) -> Mark {
      .line(x: (0...20).map(Double.init), y: (0...20).map { 5 + slope * Double($0) }, name: name)
    }
    let slopes = [
      ("a", -2.0), ("b", -0.1), ("c", -0.5), ("d", 3.0), ("e", 0.1), ("f", 0.6), ("g", -1.0),
    ]
    #expect(
      try namesAtEnds(slopes.map { line($0.0, $0.1) }) == ["d", "f", "e", "b", "c", "g", "a"])
    // One that comes back has left where it left for the last time; one that never was inside is
    // outermost.
    let back = Mark.line(x: [0, 1, 2, 20], y: [5, -5, 5, -100], name: "back")
    let never = Mark.line(x: [0, 20], y: [-1, -2], name: "never")
    #expect(try namesAtEnds([never, back, line("c", -3)]) == ["back", "c", "never"])
  }

  /// On a logarithmic axis 0 has no place: where one edge of a band is 0 there is no area.
  @Test func aBandIsCutWhereEitherEdgeHasNoPlace() throws {
    let x: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    let low: [Double] = [1, 1, 0, 1, 1, 1, 1, 1, 1]
    let high: [Double] = [2, 2, 2, 2, 2, 2, .nan, 2, 2]
    let svg = chart([.band(x: x, low: low, high: high)], .logarithmic).svg
    let band = try #require(svg.split(separator: "\n").first { $0.contains("class=\"band c0\"") })
    let data = try #require(band.split(separator: "\"").first { $0.hasPrefix("M") })
    let pieces = data.split(separator: "Z").map { piece in
      piece.split { "ML ".contains($0) }.compactMap { Double($0) }
    }
    #expect(pieces.map(\.count) == [2 * 4, 2 * 6, 2 * 4])
    // Both edges of each piece span the same places.
    for piece in pieces {
      let places = stride(from: 0, to: piece.count, by: 2).map { piece[$0] }
      #expect(places == Array(places.reversed()))
    }
  }

  @Test func contoursHaveTheirLevels() {
    let field = Field(x: 0...1, y: 0...1, columns: 40, rows: 40) { x, _ in x }
    let svg = chart([.contours(field, levels: [0.25, 0.5, 3])]).svg
    #expect(svg.contains(">0.25</text>"))
    // A level that isn't reached has no line to be named.
    #expect(!svg.contains(">3</text>"))
  }

  @Test func chosenTicksAreLabelled() {
    var chart = chart([.line(x: [1, 1024], y: [0, 1])])
    chart.x = Axis("window", scale: .logarithmic, ticks: [1, 4, 0.5, 1024, 4096])
    let svg = chart.svg
    for label in ["1", "4", "1,024"] { #expect(svg.contains(">\(label)</text>"), "\(label)") }
    // Beyond the axis.
    #expect(!svg.contains(">4,096</text>") && !svg.contains(">100</text>"))
  }

  @Test func aLongLineKeepsItsPeaksInFewPoints() throws {
    let count = 200_000
    var y = (0..<count).map { sin(Double($0) / 1000) }
    y[123_456] = 50
    let svg = chart([.line(x: (0..<count).map(Double.init), y: y)]).svg
    #expect(svg.utf8.count < 60_000)
    let short = chart([.line(x: [0, 1, 2], y: [0, 50, 0])]).svg
    // The peak is as high as that of a line that has no more: the least y on paper.
    func highest(_ svg: String) throws -> Double {
      let line = try #require(svg.split(separator: "\n").first { $0.contains("class=\"line c0\"") })
      let data = try #require(line.split(separator: "\"").first { $0.hasPrefix("M") })
      let places = data.split { "ML ".contains($0) }.compactMap { Double($0) }
      return try #require(stride(from: 1, to: places.count, by: 2).map { places[$0] }.min())
    }
    #expect(abs(try highest(svg) - highest(short)) < 6)
  }

  /// The checks of a PNG's parts: that of the empty last one is in every PNG, AE 42 60 82.
  @Test func aFieldIsAWholePNG() throws {
    let field = Field(x: 0...1, y: 0...1, columns: 300, rows: 250) { x, y in x * y }
    let svg = chart([.field(field)]).svg
    let start = try #require(svg.range(of: "data:image/png;base64,"))
    let code = svg[start.upperBound...].prefix { $0 != "\"" }
    let png = [UInt8](try #require(Data(base64Encoded: String(code))))
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    #expect(png.suffix(8) == Array("IEND".utf8) + [0xAE, 0x42, 0x60, 0x82])
    #expect(png[16..<24] == [0, 0, 1, 44, 0, 0, 0, 250])
    // Stored without compression: each row and a byte before it, in two blocks of at most 65,535.
    #expect(png.count > 301 * 250 && png.count < 301 * 250 + 1000)
  }

  @Test func contoursOfAConeAreCircles() {
    let cone = Field(x: -1...1, y: -1...1, columns: 101, rows: 101) { x, y in
      (x * x + y * y).squareRoot()
    }
    let segments = Contours(field: cone).segments(at: 0.5)
    let length = segments.reduce(0) { $0 + hypot($1.x2 - $1.x1, $1.y2 - $1.y1) }
    #expect(abs(length - .pi) < 0.005)
    #expect(segments.allSatisfy { abs(hypot($0.x1, $0.y1) - 0.5) < 1e-3 })
  }

  @Test func contoursAvoidWhatIsNoNumber() {
    let field = Field(x: 0...1, y: 0...1, columns: 2, rows: 2, values: [0, 1, .nan, 1])
    #expect(Contours(field: field).segments(at: 0.5).isEmpty)
  }
}

@Suite struct PageTests {
  @Test func escapesWhatIsPutIntoIt() {
    let name = "<b onclick='x'>\u{1}"
    let html: HTML = "<td title=\"\(name)\">\(name)</td>"
    let escaped = "&lt;b onclick=&#39;x&#39;&gt;\u{FFFD}"
    #expect(html.text == "<td title=\"\(escaped)\">\(escaped)</td>")
    let nested: HTML = "<tr>\(html)</tr>"
    #expect(nested.text == "<tr>\(html.text)</tr>")
  }

  @Test func needsNothingElseAndAsksNoNetwork() {
    var page = Page("Title", subtitle: "<i>")
    for (_, chart) in SampleCharts.all { page.figure(chart) }
    let html = page.html
    let addresses = html.matches(of: #/https?:[^"' )]*/#).map { String($0.output) }
    #expect(Set(addresses) == ["http://www.w3.org/2000/svg"])
    #expect(html.contains("default-src 'none'"))
    #expect(html.matches(of: /<(link|iframe|script|object)/).isEmpty)
  }

  @Test func noTwoElementsHaveOneName() {
    var page = Page("Title")
    for title in ["A", "B"] {
      page.section(title)
      for (_, chart) in SampleCharts.all where title == "A" || chart.title == "Loss" {
        var chart = chart
        chart.title += title
        page.figure(chart)
      }
    }
    let names = page.html.matches(of: #/ id="([^"]*)"/#).map { String($0.output.1) }
    #expect(names.count > 30)
    #expect(Set(names).count == names.count)
  }

  @Test func numbersStandToTheRight() {
    var page = Page("Title")
    page.table(["model", "perplexity"], [["<lstm>", "4.2"], ["truth", "−1"]])
    #expect(page.html.contains("<tr><td>&lt;lstm&gt;</td><td class=\"number\">4.2</td></tr>"))
  }
}
