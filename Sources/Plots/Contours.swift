/// Lines of equal height in a field, by marching squares with linear interpolation.
///
/// - SeeAlso: C. Maple, "Geometric design and space planning using the marching squares and
///   marching cube algorithms", 2003.
package struct Contours {
  let field: Field

  package init(field: Field) { self.field = field }

  /// The segments at one level, in the field's units. Cells with a number that isn't finite have
  /// none; a saddle is resolved by the mean of its corners.
  package func segments(at level: Double) -> [(x1: Double, y1: Double, x2: Double, y2: Double)] {
    var segments: [(x1: Double, y1: Double, x2: Double, y2: Double)] = []
    guard field.rows > 1, field.columns > 1 else { return [] }
    for row in 0..<field.rows - 1 {
      for column in 0..<field.columns - 1 {
        add(&segments, row: row, column: column, level: level)
      }
    }
    return segments
  }

  private func add(
    _ segments: inout [(x1: Double, y1: Double, x2: Double, y2: Double)], row: Int, column: Int,
    level: Double
  ) {
    // Around the cell, so that neighbours share an edge.
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map { (row + $0.0, column + $0.1) }
    let heights = corners.map { field.values[$0.0 * field.columns + $0.1] - level }
    guard heights.allSatisfy(\.isFinite) else { return }
    var crossings: [(x: Double, y: Double)] = []
    for edge in 0..<4 {
      let (a, b) = (heights[edge], heights[(edge + 1) % 4])
      guard (a < 0) != (b < 0) else { continue }
      let fraction = a / (a - b)
      let (from, to) = (place(corners[edge]), place(corners[(edge + 1) % 4]))
      crossings.append(
        (from.x + (to.x - from.x) * fraction, from.y + (to.y - from.y) * fraction))
    }
    if crossings.count == 4, (heights.reduce(0, +) < 0) != (heights[0] < 0) {
      crossings.append(crossings.removeFirst())
    }
    for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
      let (a, b) = (crossings[pair], crossings[pair + 1])
      segments.append((a.x, a.y, b.x, b.y))
    }
  }

  private func place(_ cell: (row: Int, column: Int)) -> (x: Double, y: Double) {
    (
      Field.middle(cell.column, of: field.columns, in: field.x),
      Field.middle(cell.row, of: field.rows, in: field.y)
    )
  }
}
