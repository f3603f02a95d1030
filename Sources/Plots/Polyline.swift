import Foundation

/// Joined points on the paper.
enum Polyline {
  typealias Point = (x: Double, y: Double)

  /// The runs of points that have a place.
  static func pieces(x: [Double?], y: [Double?]) -> [[Point]] {
    var pieces: [[Point]] = []
    var current: [Point] = []
    for (x, y) in zip(x, y) {
      if let x, let y {
        current.append((x, y))
      } else if !current.isEmpty {
        pieces.append(current)
        current = []
      }
    }
    return current.isEmpty ? pieces : pieces + [current]
  }

  /// Where a path that ends above or below a strip has left it for the last time, as x; where it
  /// begins if it never was inside.
  static func exit(_ points: [Point], from strip: ClosedRange<Double>) -> Double {
    guard let inside = points.lastIndex(where: { strip.contains($0.y) }), inside + 1 < points.count
    else { return points.first?.x ?? 0 }
    let (a, b) = (points[inside], points[inside + 1])
    let edge = b.y < strip.lowerBound ? strip.lowerBound : strip.upperBound
    return a.x + (b.x - a.x) * (edge - a.y) / (b.y - a.y)
  }

  /// A long function in fewer points that look the same: the first, lowest, highest and last of
  /// each column of pixels. Other paths stay as they are.
  ///
  /// - SeeAlso: U. Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB
  ///   2014.
  static func thinned(_ points: [Point]) -> [Point] {
    guard points.count > 2000, zip(points, points.dropFirst()).allSatisfy({ $0.x <= $1.x }) else {
      return points
    }
    var kept: [Point] = []
    var start = 0
    while start < points.count {
      let column = floor(points[start].x)
      var end = start
      while end < points.count, floor(points[end].x) == column { end += 1 }
      let inside = start..<end
      let lowest = inside.min { points[$0].y < points[$1].y } ?? start
      let highest = inside.max { points[$0].y < points[$1].y } ?? start
      for index in Set([start, lowest, highest, end - 1]).sorted() { kept.append(points[index]) }
      start = end
    }
    return kept
  }

  static func path(_ points: [Point]) -> String {
    guard let first = points.first else { return "" }
    var data = "M\(first.x.place) \(first.y.place)"
    for (index, point) in points.dropFirst().enumerated() {
      data += "\(index == 0 ? "L" : " ")\(point.x.place) \(point.y.place)"
    }
    return data
  }
}
