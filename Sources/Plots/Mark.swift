/// Something that is drawn in a chart.
public enum Mark: Sendable {
  case line(Line)
  case band(Band)
  case points(Points)
  case bars(Bars)
  case histogram(Histogram)
  case field(Field, ColourScale)
  case contours(Field, levels: [Double])
  case circle(Circle)
  case rule(Rule)
  case note(Note)

  /// What connects points in the order given: a function, or a path through the plane.
  public struct Line: Sendable {
    public var x, y: [Double]
    public var name: String?
    public var colour: Colour
    public var dash: Dash = .solid
    public var width = 1.75
    /// Whether the first point has a ring and the last one a dot.
    public var showsEnds = false
  }

  /// The area between two functions, such as the spread over seeds.
  public struct Band: Sendable {
    public var x, low, high: [Double]
    public var name: String?
    public var colour: Colour
  }

  public struct Points: Sendable {
    public enum Shape: Sendable { case dot, ring, cross }
    public var x, y: [Double]
    public var name: String?
    public var colour: Colour
    public var shape: Shape = .dot
    public var radius = 3.0
  }

  /// A bar for each category; several of these share the place of a category.
  public struct Bars: Sendable {
    public var values: [Double]
    public var name: String?
    public var colour: Colour
  }

  /// Counts, or densities, of the values between edges; there is one edge more than counts.
  public struct Histogram: Sendable {
    public var edges, counts: [Double]
    public var name: String?
    public var colour: Colour
  }

  public struct Circle: Sendable {
    public var x, y, radius: Double
    public var name: String?
  }

  /// A straight line at one number of an axis: a threshold, an epoch's end.
  public struct Rule: Sendable {
    public enum Place: Sendable {
      case x(Double)
      case y(Double)
    }
    public var place: Place
    public var label: String?
    public var colour: Colour
    public var dash: Dash
  }

  /// Words at a point.
  public struct Note: Sendable {
    public var x, y: Double
    public var text: String
  }

  public enum Dash: String, Sendable {
    case solid = ""
    case dashed = "6 4"
    case dotted = "1.5 3.5"
  }
}

/// Colours by what they are for; each has a light and a dark form that stand out against the paper
/// and from each other for all common kinds of colour vision.
///
/// - SeeAlso: M. Okabe, K. Ito, "Color Universal Design", 2008, of which the series are.
public enum Colour: Sendable, Equatable {
  /// The n-th of things that have no order; there are seven, then they begin again.
  case series(Int)
  /// Things in order, from 0 to 1.
  case ramp(Double)
  /// Things on two sides of a middle, from 0 (blue) over 0.5 (grey) to 1 (red).
  case diverging(Double)
  /// As text.
  case ink
  /// What should recede.
  case muted
  /// What should hardly be seen, such as the noise around a line.
  case faint

  var cssClass: String {
    func index(_ fraction: Double) -> Int { Int((min(max(fraction, 0), 1) * 8).rounded()) }
    switch self {
    case .series(let n): return "c\(((n % 7) + 7) % 7)"
    case .ramp(let fraction): return "r\(fraction.isFinite ? index(fraction) : 0)"
    case .diverging(let fraction): return "d\(fraction.isFinite ? index(fraction) : 4)"
    case .ink: return "ink"
    case .muted: return "muted"
    case .faint: return "faint"
    }
  }
}

extension Mark {
  /// Points joined in the order given. Numbers that aren't finite leave a gap.
  ///
  /// - Precondition: as many `x` as `y`, here and in the others.
  public static func line(
    x: [Double], y: [Double], name: String? = nil, colour: Colour = .series(0),
    dash: Dash = .solid, width: Double = 1.75, showsEnds: Bool = false
  ) -> Mark {
    checkCounts(x.count, y.count)
    return .line(
      Line(
        x: x, y: y, name: name, colour: colour, dash: dash, width: width, showsEnds: showsEnds))
  }

  public static func band(
    x: [Double], low: [Double], high: [Double], name: String? = nil, colour: Colour = .series(0)
  ) -> Mark {
    checkCounts(x.count, low.count)
    checkCounts(x.count, high.count)
    return .band(Band(x: x, low: low, high: high, name: name, colour: colour))
  }

  public static func points(
    x: [Double], y: [Double], name: String? = nil, colour: Colour = .series(0),
    shape: Points.Shape = .dot, radius: Double = 3
  ) -> Mark {
    checkCounts(x.count, y.count)
    return .points(Points(x: x, y: y, name: name, colour: colour, shape: shape, radius: radius))
  }

  /// Bars along the axis that isn't categorical.
  public static func bars(_ values: [Double], name: String? = nil, colour: Colour = .series(0))
    -> Mark
  {
    .bars(Bars(values: values, name: name, colour: colour))
  }

  /// - Precondition: one edge more than counts.
  public static func histogram(
    edges: [Double], counts: [Double], name: String? = nil, colour: Colour = .series(0)
  ) -> Mark {
    checkCounts(edges.count, counts.count + 1)
    return .histogram(Histogram(edges: edges, counts: counts, name: name, colour: colour))
  }

  public static func field(_ field: Field, scale: ColourScale = ColourScale("")) -> Mark {
    .field(field, scale)
  }

  /// A circle in the units of the axes, such as the unit circle.
  public static func circle(x: Double = 0, y: Double = 0, radius: Double, name: String? = nil)
    -> Mark
  {
    .circle(Circle(x: x, y: y, radius: radius, name: name))
  }

  public static func rule(
    x: Double, label: String? = nil, colour: Colour = .muted, dash: Dash = .dashed
  ) -> Mark {
    .rule(Rule(place: .x(x), label: label, colour: colour, dash: dash))
  }

  public static func rule(
    y: Double, label: String? = nil, colour: Colour = .muted, dash: Dash = .dashed
  ) -> Mark {
    .rule(Rule(place: .y(y), label: label, colour: colour, dash: dash))
  }

  public static func note(_ text: String, x: Double, y: Double) -> Mark {
    .note(Note(x: x, y: y, text: text))
  }

  private static func checkCounts(_ a: Int, _ b: Int) {
    if a != b { fatalError("\(a) numbers for one axis and \(b) for the other") }
  }
}

extension Mark {
  /// Adds the numbers that this mark needs room for.
  func extend(_ xs: inout Extent, _ ys: inout Extent, horizontalBars: Bool) {
    switch self {
    case .line(let line):
      xs.add(line.x)
      ys.add(line.y)
    case .band(let band):
      xs.add(band.x)
      ys.add(band.low)
      ys.add(band.high)
    case .points(let points):
      xs.add(points.x)
      ys.add(points.y)
    case .bars(let bars):
      if horizontalBars {
        xs.add(bars.values)
        xs.standsOnZero = true
      } else {
        ys.add(bars.values)
        ys.standsOnZero = true
      }
    case .histogram(let histogram):
      xs.add(histogram.edges)
      ys.add(histogram.counts)
      ys.standsOnZero = true
    case .field(let field, _), .contours(let field, _):
      xs.add([field.x.lowerBound, field.x.upperBound])
      ys.add([field.y.lowerBound, field.y.upperBound])
    case .circle(let circle):
      xs.add([circle.x - circle.radius, circle.x + circle.radius])
      ys.add([circle.y - circle.radius, circle.y + circle.radius])
    case .rule(let rule):
      switch rule.place {
      case .x(let value): xs.add([value])
      case .y(let value): ys.add([value])
      }
    case .note(let note):
      xs.add([note.x])
      ys.add([note.y])
    }
  }

  var isField: Bool {
    if case .field = self { true } else { false }
  }
}
