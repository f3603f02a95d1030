/// The names of a chart's marks, and where they stand.
struct Legend {
  private enum Swatch {
    case line(Mark.Dash)
    case area
    case points(Mark.Points.Shape)
    case circle
  }
  private struct Entry {
    let name: String
    let colour: Colour
    let swatch: Swatch
    let row: Int
    let x: Double
  }

  private var entries: [Entry] = []
  private var names: Set<String> = []
  private let isAtEnds: Bool
  private let top: Double
  /// What it takes away from the data, in pixels.
  private(set) var height = 0.0
  private(set) var rightWidth = 0.0

  init(_ chart: Chart) {
    if case .atEnds = chart.legend { isAtEnds = true } else { isAtEnds = false }
    top = Canvas.headHeight(chart)
    if case .none = chart.legend { return }
    var (x, row) = (14.0, 0)
    for mark in chart.marks {
      guard let (name, colour, swatch) = Self.entry(mark) else { continue }
      if isAtEnds, case .line = mark {
        rightWidth = max(rightWidth, name.width(fontSize: 11.5) + 8)
        continue
      }
      guard names.insert(name).inserted else { continue }
      let width = 24 + name.width(fontSize: 11.5) + 18
      if x > 14, x + width > chart.size.width { (x, row) = (14, row + 1) }
      entries.append(Entry(name: name, colour: colour, swatch: swatch, row: row, x: x))
      x += width
      height = Double(row + 1) * 19 + 3
    }
  }

  private static func entry(_ mark: Mark) -> (String, Colour, Swatch)? {
    switch mark {
    case .line(let line): line.name.map { ($0, line.colour, .line(line.dash)) }
    case .band(let band): band.name.map { ($0, band.colour, .area) }
    case .points(let points): points.name.map { ($0, points.colour, .points(points.shape)) }
    case .bars(let bars): bars.name.map { ($0, bars.colour, .area) }
    case .histogram(let histogram): histogram.name.map { ($0, histogram.colour, .area) }
    case .circle(let circle): circle.name.map { ($0, .muted, .circle) }
    case .field, .contours, .rule, .note: nil
    }
  }

  func draw(on canvas: inout Canvas) {
    for entry in entries { draw(entry, on: &canvas.drawing) }
    if isAtEnds { drawAtEnds(on: &canvas) }
  }

  private func draw(_ entry: Entry, on drawing: inout Drawing) {
    let (x, y) = (entry.x, top + Double(entry.row) * 19 + 5)
    let style = entry.colour.cssClass
    switch entry.swatch {
    case .line(let dash):
      let attributes = dash == .solid ? "" : " stroke-dasharray=\"\(dash.rawValue)\""
      drawing.path("M\(x.place) \(y.place)h18", "line \(style)", attributes: attributes)
    case .area: drawing.rectangle(x + 2, y - 5, 14, 10, "bar \(style)")
    case .points(.cross):
      let (a, b) = (x + 9, y)
      drawing.path(
        "M\((a - 3).place) \((b - 3).place)l6 6M\((a - 3).place) \((b + 3).place)l6 -6",
        "line \(style)")
    case .points(let shape):
      drawing.circle(x + 9, y, 3.5, "\(shape == .dot ? "dot" : "ring") \(style)")
    case .circle: drawing.circle(x + 9, y, 6, "circle")
    }
    drawing.text(entry.name, x + 24, y + 4, "name")
  }

  /// Names beside the ends of their lines, pushed apart where they would cover each other.
  private func drawAtEnds(on canvas: inout Canvas) {
    var labels: [EndLabel] = []
    for case .line(let line) in canvas.chart.marks {
      if let label = EndLabel(line, on: canvas) { labels.append(label) }
    }
    labels.sort { ($0.side, $0.rank, $0.name) < ($1.side, $1.rank, $1.name) }
    let gap = 14.0
    for index in labels.indices.dropFirst() {
      labels[index].y = max(labels[index].y, labels[index - 1].y + gap)
    }
    // What went below the axis goes up again, and pushes the others.
    var limit = canvas.bottom
    for index in labels.indices.reversed() {
      labels[index].y = min(labels[index].y, limit)
      limit = labels[index].y - gap
    }
    for label in labels {
      canvas.drawing.text(
        label.name, canvas.right + 8, label.y + 4, "name strong \(label.colour.cssClass)")
    }
  }
}

/// The name of a line beside its end, or at the edge over which it has left the picture.
private struct EndLabel {
  let name: String
  let colour: Colour
  var y: Double
  /// Whether the line ends above the picture, in it or below: −1, 0 or 1.
  let side: Int
  /// Those of the same side stand in this order, from the top down. Of lines that leave by the same
  /// edge, the one that leaves first is outermost.
  let rank: Double

  /// Nil for a line without a name or without any place.
  init?(_ line: Mark.Line, on canvas: Canvas) {
    let points = zip(line.x, line.y).compactMap { place -> Polyline.Point? in
      guard let x = canvas.x(place.0), let y = canvas.y(place.1) else { return nil }
      return (x, y)
    }
    guard let name = line.name, let end = points.last else { return nil }
    self.name = name
    colour = line.colour
    // A line that ends at the edge itself hasn't left.
    let picture = canvas.top - 0.01...canvas.bottom + 0.01
    side = end.y < picture.lowerBound ? -1 : end.y > picture.upperBound ? 1 : 0
    y = min(max(end.y, canvas.top), canvas.bottom)
    rank = side == 0 ? end.y : -Double(side) * Polyline.exit(points, from: picture)
  }
}
