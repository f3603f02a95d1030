/// Numbers over a rectangle of the plane, sampled on a grid.
public struct Field: Sendable {
  /// The rectangle, up to the outer edges of the cells around the samples.
  public var x, y: ClosedRange<Double>
  public let columns, rows: Int
  /// `[rows, columns]`, row-major, from the smallest y to the largest.
  public var values: [Double]

  /// - Precondition: `columns` times `rows` values.
  public init(
    x: ClosedRange<Double>, y: ClosedRange<Double>, columns: Int, rows: Int, values: [Double]
  ) {
    if columns <= 0 || rows <= 0 || values.count != columns * rows {
      fatalError("\(values.count) values for \(rows) rows of \(columns)")
    }
    (self.x, self.y) = (x, y)
    (self.columns, self.rows) = (columns, rows)
    self.values = values
  }

  /// Samples a function at the middles of the cells.
  public init(
    x: ClosedRange<Double>, y: ClosedRange<Double>, columns: Int, rows: Int,
    _ value: (Double, Double) -> Double
  ) {
    var values: [Double] = []
    values.reserveCapacity(columns * rows)
    for row in 0..<rows {
      for column in 0..<columns {
        values.append(
          value(Self.middle(column, of: columns, in: x), Self.middle(row, of: rows, in: y)))
      }
    }
    self.init(x: x, y: y, columns: columns, rows: rows, values: values)
  }

  static func middle(_ index: Int, of count: Int, in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * (Double(index) + 0.5) / Double(count)
  }
}

/// Which colours the numbers of a field have.
public struct ColourScale: Sendable {
  public enum Map: Sendable {
    /// From dark blue to yellow, ever lighter: cividis.
    case sequential
    /// From blue over white to red; white is the middle of the domain.
    case diverging
  }

  /// With the unit; stands over the bar of colours.
  public var label: String
  public var map: Map
  public var scale: Axis.Scale
  public var domain: ClosedRange<Double>?

  public init(
    _ label: String, map: Map = .sequential, scale: Axis.Scale = .linear,
    domain: ClosedRange<Double>? = nil
  ) {
    self.label = label
    self.map = map
    self.scale = scale
    self.domain = domain
  }

  func projection(for field: Field) -> Projection {
    var extent = Extent()
    extent.add(field.values)
    let axis = Axis(label, scale: scale, domain: domain)
    var shown = axis.domain(for: extent, margin: 0)
    if map == .diverging, domain == nil, scale == .linear {
      let reach = max(abs(shown.lowerBound), abs(shown.upperBound))
      shown = -reach...reach
    }
    return Projection(axis: axis, domain: shown, from: 0, to: 255)
  }
}
