import Foundation

/// A chart on its way to paper: what is where, and the drawing so far.
struct Canvas {
  let chart: Chart
  /// The data's rectangle, in pixels.
  let left, right, top, bottom: Double
  let x, y: Projection
  let xTicks, yTicks: [Tick]
  let legend: Legend
  var drawing = Drawing()

  init(_ chart: Chart) {
    self.chart = chart
    var (xs, ys) = (Extent(), Extent())
    for mark in chart.marks {
      mark.extend(&xs, &ys, horizontalBars: chart.y.isCategorical)
    }
    let isField = chart.marks.contains(where: \.isField)
    let isCloud = chart.marks.contains { if case .points = $0 { true } else { false } }
    var xDomain = chart.x.domain(for: xs, margin: isCloud ? 0.04 : 0)
    var yDomain = chart.y.domain(for: ys, margin: isField ? 0 : 0.06)

    legend = Legend(chart)
    top = Self.headHeight(chart) + legend.height + (chart.y.label.isEmpty ? 8 : 26)
    bottom = chart.size.height - (chart.x.label.isEmpty ? 26 : 44)
    // The labels of the vertical axis decide how much room is left for the horizontal one.
    let draft = Projection(axis: chart.y, domain: yDomain, from: bottom, to: top)
    let labels = Ticks.of(draft, atMost: Self.count(bottom - top, every: 38))
    left = 14 + (labels.map { $0.label.width(fontSize: 11) }.max() ?? 0) + 8
    right = chart.size.width - legend.rightWidth - (isField ? 86 : 18)
    if chart.hasEqualScales {
      Self.equalise(&xDomain, right - left, &yDomain, bottom - top)
    }
    x = Projection(axis: chart.x, domain: xDomain, from: left, to: right)
    y =
      chart.y.isCategorical
      ? Projection(axis: chart.y, domain: yDomain, from: top, to: bottom)
      : Projection(axis: chart.y, domain: yDomain, from: bottom, to: top)
    xTicks = Ticks.of(x, atMost: Self.count(right - left, every: 52))
    yTicks = Ticks.of(y, atMost: Self.count(bottom - top, every: 38))
  }

  static func headHeight(_ chart: Chart) -> Double { chart.subtitle == nil ? 32 : 50 }

  private static func count(_ length: Double, every: Double) -> Int {
    max(2, Int(length / every))
  }

  /// Widens the domain that has more room than it needs.
  private static func equalise(
    _ x: inout ClosedRange<Double>, _ width: Double, _ y: inout ClosedRange<Double>,
    _ height: Double
  ) {
    func widened(_ range: ClosedRange<Double>, to span: Double) -> ClosedRange<Double> {
      let middle = (range.lowerBound + range.upperBound) / 2
      return middle - span / 2...middle + span / 2
    }
    let unit = max(
      (x.upperBound - x.lowerBound) / width, (y.upperBound - y.lowerBound) / height)
    x = widened(x, to: unit * width)
    y = widened(y, to: unit * height)
  }

  func svg(style: String?) -> String {
    var canvas = self
    canvas.drawAll()
    let body = canvas.drawing.text
    // Names within a page must differ: they come from what is drawn.
    let key = Self.hash(chart.title + body)
    let description = chart.description ?? chart.subtitle ?? ""
    let (width, height) = (chart.size.width.place, chart.size.height.place)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="chart" width="\(width)" height="\(height)" \
      viewBox="0 0 \(width) \(height)" role="img" aria-labelledby="t\(key) d\(key)">
      <title id="t\(key)">\(HTML.escaped(chart.title))</title>
      <desc id="d\(key)">\(HTML.escaped(description))</desc>
      \(style.map { "<style>\n\($0)</style>\n" } ?? "")\
      <clipPath id="p\(key)"><rect x="\((left - 2).place)" y="\((top - 4).place)" \
      width="\((right - left + 6).place)" height="\((bottom - top + 6).place)"/></clipPath>
      \(body.replacing("#clip", with: "#p\(key)"))</svg>

      """
  }

  /// FNV-1a.
  private static func hash(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return String(hash, radix: 36)
  }

  private mutating func drawAll() {
    drawing.rectangle(0, 0, chart.size.width, chart.size.height, "paper")
    drawHead()
    drawGrid()
    drawing.add("<g clip-path=\"url(#clip)\">")
    for (index, mark) in chart.marks.enumerated() { draw(mark, at: index) }
    drawing.add("</g>")
    drawAxes()
    for mark in chart.marks { annotate(mark) }
    legend.draw(on: &self)
    if chart.marks.isEmpty {
      drawing.text(
        "no data yet", (left + right) / 2, (top + bottom) / 2, "small halo muted", anchor: .middle)
    }
  }

  private mutating func drawHead() {
    drawing.text(chart.title, 14, 22, "title")
    if let subtitle = chart.subtitle { drawing.text(subtitle, 14, 40, "small muted") }
  }

  private var hasField: Bool { chart.marks.contains(where: \.isField) }

  private mutating func drawGrid() {
    guard !hasField else { return }
    if !chart.y.isCategorical {
      for tick in yTicks {
        guard !tick.label.isEmpty, let place = y(tick.value) else { continue }
        drawing.line(left, place, right, place, "grid")
      }
    }
    if chart.y.isCategorical || chart.hasEqualScales {
      for tick in xTicks {
        guard !tick.label.isEmpty, let place = x(tick.value) else { continue }
        drawing.line(place, top, place, bottom, "grid")
      }
    }
  }

  private mutating func drawAxes() {
    for tick in yTicks {
      guard let place = y(tick.value) else { continue }
      if tick.label.isEmpty {
        drawing.line(left - 3, place, left, place, "axis")
      } else {
        drawing.text(tick.label, left - 7, place + 3.8, "tick", anchor: .end)
      }
    }
    for tick in xTicks {
      guard let place = x(tick.value) else { continue }
      if !chart.x.isCategorical {
        drawing.line(place, bottom, place, bottom + (tick.label.isEmpty ? 3 : 5), "axis")
      }
      drawing.text(tick.label, place, bottom + 18, "tick", anchor: .middle)
    }
    if chart.y.isCategorical {
      let foot = x.foot
      if !hasField { drawing.line(foot, top, foot, bottom, "axis") }
    } else {
      drawing.line(left, bottom, right, bottom, "axis")
    }
    if chart.y.scale == .logarithmic { drawing.line(left, top, left, bottom, "axis") }
    drawing.text(chart.y.label, 14, top - 12, "label")
    drawing.text(chart.x.label, (left + right) / 2, bottom + 36, "label", anchor: .middle)
  }
}
