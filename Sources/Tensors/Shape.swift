/// The sizes of a tensor's dimensions, slowest first. At most four dimensions; kept inline, so that
/// making a tensor doesn't allocate for its shape.
///
/// Dimension key, used everywhere: `T` time steps, `B` batch, `I` input size, `H` hidden size,
/// `V` vocabulary, `L` layers. Sequences are time-major, `[T, B, …]`.
public struct Shape: Sendable, Equatable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The number of dimensions, 0 (a scalar) to 4.
  public let rank: Int
  private let sizes: SIMD4<Int>

  /// - Precondition: at most four dimensions, none negative.
  public init(_ dimensions: some Collection<Int>) {
    require(dimensions.count <= 4, "a shape has at most 4 dimensions, not \(dimensions.count)")
    var sizes = SIMD4<Int>(repeating: 1)
    for (index, size) in dimensions.enumerated() {
      require(size >= 0, "a dimension can't be negative: \(Array(dimensions))")
      sizes[index] = size
    }
    self.sizes = sizes
    rank = dimensions.count
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The size of dimension `index`; a negative index counts from the last.
  public subscript(index: Int) -> Int {
    let position = index < 0 ? rank + index : index
    require(0..<rank ~= position, "shape \(self) has no dimension \(index)")
    return sizes[position]
  }

  /// The number of elements.
  public var count: Int { sizes[0] * sizes[1] * sizes[2] * sizes[3] }

  public var dimensions: [Int] { (0..<rank).map { sizes[$0] } }

  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }

  /// This shape without its first dimension.
  package var dropFirst: Shape { Shape(dimensions.dropFirst()) }

  /// This shape with a new first dimension.
  package func prepending(_ size: Int) -> Shape { Shape([size] + dimensions) }

  /// This shape with its last dimension replaced.
  package func replacingLast(with size: Int) -> Shape { Shape(dimensions.dropLast() + [size]) }

  /// Rows and columns when all dimensions but the last are taken as rows.
  package var asMatrix: (rows: Int, columns: Int) {
    guard rank > 0 else { return (1, 1) }
    return ((0..<rank - 1).reduce(1) { $0 * sizes[$1] }, sizes[rank - 1])
  }
}
