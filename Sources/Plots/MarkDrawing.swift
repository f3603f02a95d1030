import Foundation

extension Canvas {
  mutating func draw(_ mark: Mark, at index: Int) {
    switch mark {
    case .line(let line): draw(line)
    case .band(let band): draw(band)
    case .points(let points): draw(points)
    case .bars(let bars): draw(bars, at: index)
    case .histogram(let histogram): draw(histogram)
    case .field(let field, let scale): draw(field, scale)
    case .contours(let field, let levels): draw(field, levels)
    case .circle(let circle): draw(circle)
    case .rule(let rule): draw(rule)
    case .note: break
    }
  }

  private mutating func draw(_ line: Mark.Line) {
    let pieces = Polyline.pieces(x: line.x.map { x($0) }, y: line.y.map { y($0) })
    var data = ""
    for piece in pieces { data += Polyline.path(Polyline.thinned(piece)) }
    let dash = line.dash == .solid ? "" : " stroke-dasharray=\"\(line.dash.rawValue)\""
    let width = line.width == 1.75 ? "" : " stroke-width=\"\(line.width.place)\""
    drawing.path(data, "line \(line.colour.cssClass)", attributes: width + dash)
    for point in pieces where point.count == 1 {
      drawing.circle(point[0].x, point[0].y, line.width, "fill \(line.colour.cssClass)")
    }
    guard line.showsEnds, let first = pieces.first?.first, let last = pieces.last?.last else {
      return
    }
    drawing.circle(first.x, first.y, 4, "ring \(line.colour.cssClass)")
    drawing.circle(last.x, last.y, 4, "fill \(line.colour.cssClass)")
  }

  private mutating func draw(_ band: Mark.Band) {
    let places = band.x.map { x($0) }
    // Where one edge has no place there is no area, so that both break alike.
    let edges = zip(band.low, band.high).map { pair -> (low: Double, high: Double)? in
      guard let low = y(pair.0), let high = y(pair.1) else { return nil }
      return (low: low, high: high)
    }
    let upper = Polyline.pieces(x: places, y: edges.map { $0?.high })
    let lower = Polyline.pieces(x: places, y: edges.map { $0?.low })
    var data = ""
    for (high, low) in zip(upper, lower) {
      let outline = Polyline.thinned(high) + Polyline.thinned(low).reversed()
      data += Polyline.path(outline) + "Z"
    }
    drawing.path(data, "band \(band.colour.cssClass)")
  }

  private mutating func draw(_ points: Mark.Points) {
    let style = points.colour.cssClass
    let r = points.radius
    for (a, b) in zip(points.x, points.y) {
      guard let px = x(a), let py = y(b) else { continue }
      switch points.shape {
      case .dot: drawing.circle(px, py, r, "dot \(style)")
      case .ring: drawing.circle(px, py, r, "ring \(style)")
      case .cross:
        drawing.path(
          "M\((px - r).place) \((py - r).place)L\((px + r).place) \((py + r).place)"
            + "M\((px - r).place) \((py + r).place)L\((px + r).place) \((py - r).place)",
          "line \(style)")
      }
    }
  }

  /// The bars of one series beside those of the others.
  private mutating func draw(_ bars: Mark.Bars, at index: Int) {
    func isBars(_ mark: Mark) -> Bool { if case .bars = mark { true } else { false } }
    let series = chart.marks.filter(isBars).count
    let number = chart.marks[..<index].filter(isBars).count
    let breadth = 0.72 / Double(series)
    for (category, value) in bars.values.enumerated() {
      let start = Double(category) - 0.36 + breadth * Double(number)
      let style = "bar \(bars.colour.cssClass)"
      if chart.y.isCategorical {
        guard let from = y(start), let to = y(start + breadth), let end = x(value) else { continue }
        drawing.rectangle(min(x.foot, end), from, abs(end - x.foot), to - from, style)
      } else {
        guard let from = x(start), let to = x(start + breadth), let end = y(value) else { continue }
        drawing.rectangle(from, min(y.foot, end), to - from, abs(end - y.foot), style)
      }
    }
  }

  private mutating func draw(_ histogram: Mark.Histogram) {
    var outline: [Polyline.Point] = []
    for (index, count) in histogram.counts.enumerated() {
      guard let from = x(histogram.edges[index]), let to = x(histogram.edges[index + 1]) else {
        continue
      }
      let height = count == 0 ? y.foot : y(count) ?? y.foot
      outline += [(from, height), (to, height)]
    }
    guard let first = outline.first, let last = outline.last else { return }
    let closed = [(first.x, y.foot)] + outline + [(last.x, y.foot)]
    drawing.path(Polyline.path(closed) + "Z", "area \(histogram.colour.cssClass)")
  }

  private mutating func draw(_ field: Field, _ scale: ColourScale) {
    guard let x1 = x(field.x.lowerBound), let x2 = x(field.x.upperBound),
      let yLow = y(field.y.lowerBound), let yHigh = y(field.y.upperBound)
    else { return }
    let rows = Array(0..<field.rows)
    let shades = scale.projection(for: field)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(field.values.count)
    for row in yHigh < yLow ? rows.reversed() : rows {
      for column in 0..<field.columns {
        let value = field.values[row * field.columns + column]
        // What has no place on the scale is as its near end.
        let shade = shades(value) ?? (value == .infinity ? 255 : 0)
        pixels.append(UInt8(min(max(shade, 0), 255).rounded()))
      }
    }
    let image = IndexedImage(
      width: field.columns, height: field.rows, pixels: pixels,
      palette: ColourMap.palette(scale.map))
    drawing.add(
      "<image class=\"field\" x=\"\(x1.place)\" y=\"\(min(yLow, yHigh).place)\" "
        + "width=\"\((x2 - x1).place)\" height=\"\(abs(yLow - yHigh).place)\" "
        + "preserveAspectRatio=\"none\" href=\"\(image.dataURL)\"/>"
    )
    drawColourBar(shades, palette: image.palette, label: scale.label)
  }

  private mutating func drawColourBar(_ shades: Projection, palette: [UInt8], label: String) {
    let (barLeft, width) = (right + 18, 12.0)
    let image = IndexedImage(
      width: 1, height: 256, pixels: (0..<256).reversed().map { UInt8($0) }, palette: palette)
    let bar = Projection(axis: shades.axis, domain: shades.domain, from: bottom, to: top)
    drawing.add("</g>")
    drawing.add(
      "<image x=\"\(barLeft.place)\" y=\"\(top.place)\" width=\"\(width.place)\" "
        + "height=\"\((bottom - top).place)\" preserveAspectRatio=\"none\" "
        + "href=\"\(image.dataURL)\"/>")
    for tick in Ticks.of(bar, atMost: 6) where !tick.label.isEmpty {
      guard let place = bar(tick.value) else { continue }
      drawing.line(barLeft + width, place, barLeft + width + 3, place, "axis")
      drawing.text(tick.label, barLeft + width + 6, place + 3.8, "tick")
    }
    drawing.text(label, chart.size.width - 14, top - 12, "label", anchor: .end)
    drawing.add("<g clip-path=\"url(#clip)\">")
  }

  private mutating func draw(_ field: Field, _ levels: [Double]) {
    let contours = Contours(field: field)
    var data = ""
    for level in levels {
      for segment in contours.segments(at: level) {
        guard let x1 = x(segment.x1), let y1 = y(segment.y1), let x2 = x(segment.x2),
          let y2 = y(segment.y2)
        else { continue }
        data += "M\(x1.place) \(y1.place)L\(x2.place) \(y2.place)"
      }
    }
    drawing.path(data, "contour")
  }

  private mutating func draw(_ circle: Mark.Circle) {
    guard let px = x(circle.x), let py = y(circle.y) else { return }
    drawing.add(
      "<ellipse class=\"circle\" cx=\"\(px.place)\" cy=\"\(py.place)\" "
        + "rx=\"\((circle.radius * x.unit).place)\" ry=\"\((circle.radius * y.unit).place)\"/>")
  }

  private mutating func draw(_ rule: Mark.Rule) {
    let dash = rule.dash == .solid ? "" : " stroke-dasharray=\"\(rule.dash.rawValue)\""
    let style = "rule \(rule.colour.cssClass)"
    switch rule.place {
    case .x(let value):
      guard let place = x(value) else { return }
      drawing.path(
        "M\(place.place) \(top.place)L\(place.place) \(bottom.place)", style, attributes: dash)
    case .y(let value):
      guard let place = y(value) else { return }
      drawing.path(
        "M\(left.place) \(place.place)L\(right.place) \(place.place)", style, attributes: dash)
    }
  }

  /// Words that belong to a mark, over everything else.
  mutating func annotate(_ mark: Mark) {
    switch mark {
    case .rule(let rule):
      guard let label = rule.label else { return }
      let style = "small halo \(rule.colour.cssClass)"
      switch rule.place {
      case .x(let value):
        guard let place = x(value) else { return }
        let fits = place + 5 + label.width(fontSize: 11) < right
        drawing.text(
          label, place + (fits ? 5 : -5), top + 10, style, anchor: fits ? .start : .end)
      case .y(let value):
        guard let place = y(value) else { return }
        drawing.text(label, right - 2, place - 5, style, anchor: .end)
      }
    case .note(let note):
      guard let px = x(note.x), let py = y(note.y) else { return }
      drawing.text(note.text, px, py, "small halo ink", anchor: .middle)
    case .contours(let field, let levels): annotate(field, levels)
    default: break
    }
  }

  /// The level of each contour at a place on it. The first stands to the left and the last to the
  /// right, so that they don't cover each other where contours lie close.
  private mutating func annotate(_ field: Field, _ levels: [Double]) {
    guard right - left > 40, bottom - top > 40 else { return }
    let contours = Contours(field: field)
    let (across, down) = (left + 16...right - 16, top + 12...bottom - 8)
    for (index, level) in levels.enumerated() {
      let places = contours.segments(at: level).compactMap { segment -> Polyline.Point? in
        guard let px = x(segment.x1), let py = y(segment.y1), across.contains(px),
          down.contains(py)
        else { return nil }
        return (px, py)
      }.sorted { $0.x < $1.x }
      guard !places.isEmpty else { continue }
      let place = places[(2 * index + 1) * places.count / (2 * levels.count)]
      drawing.text(Ticks.text(level), place.x, place.y + 3.8, "small halo ink", anchor: .middle)
    }
  }
}
