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
    var labels: [(name: String, colour: Colour, y: Double)] = []
    for case .line(let line) in canvas.chart.marks {
      let (x, y) = (canvas.x, canvas.y)
      let ends = zip(line.x, line.y).reversed().lazy.compactMap { place in
        x(place.0).flatMap { _ in y(place.1) }
      }
      guard let name = line.name, let end = ends.first else { continue }
      labels.append((name, line.colour, min(max(end, canvas.top), canvas.bottom)))
    }
    labels.sort { ($0.y, $0.name) < ($1.y, $1.name) }
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
