/// A picture of data: marks between two axes, under a title, as SVG text.
///
/// The text stands alone as a file and inline in a page; it follows the reader's light or dark
/// colours, is light in print, and can be read aloud. The same chart gives the same bytes.
///
///     Chart(
///       "Loss", x: Axis("step"), y: Axis("nats per token"),
///       marks: [.line(x: steps, y: losses, name: "training")]
///     ).svg
public struct Chart: Sendable {
  /// In pixels, at which the text has its natural size; a page may scale it.
  public struct Size: Sendable, Equatable {
    public var width, height: Double

    public init(_ width: Double, _ height: Double) { (self.width, self.height) = (width, height) }

    /// For a column of text.
    public static let wide = Size(680, 340)
    /// For two beside each other.
    public static let half = Size(400, 280)
    /// For planes: eigenvalues, error surfaces.
    public static let square = Size(440, 470)
  }

  /// Where the names of the marks stand.
  public enum Legend: Sendable {
    /// In a row under the title.
    case above
    /// At the right end of each line: the eye needn't travel.
    case atEnds
    case none
  }

  public var title: String
  /// A second line: what the data are, what to look for.
  public var subtitle: String?
  /// What the picture says, for those who hear it.
  public var description: String?
  public var x, y: Axis
  public var size: Size
  public var legend: Legend
  /// Whether a unit is as long on both axes.
  public var hasEqualScales: Bool
  /// Drawn one over the other.
  public var marks: [Mark]

  public init(
    _ title: String, subtitle: String? = nil, description: String? = nil, x: Axis, y: Axis,
    size: Size = .wide, legend: Legend = .above, hasEqualScales: Bool = false, marks: [Mark]
  ) {
    self.title = title
    self.subtitle = subtitle
    self.description = description
    (self.x, self.y) = (x, y)
    self.size = size
    self.legend = legend
    self.hasEqualScales = hasEqualScales
    self.marks = marks
  }

  /// A file of its own.
  public var svg: String { Canvas(self).svg(style: ChartStyle.rules) }

  /// For a page that has the rules of charts in its style, as ``Page`` does.
  public var inlineSVG: HTML { HTML(raw: Canvas(self).svg(style: nil)) }
}
