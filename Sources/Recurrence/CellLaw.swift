import Tensors

extension CellLaws {
  /// The laws, numbered.
  public enum Law: Int, CaseIterable, Sendable, CustomStringConvertible {
    case gradients = 1
    case fusedUnfold, zeroState, chunks, batches, truncation, sameBytes

    /// What the law says.
    public var sentence: String {
      switch self {
      case .gradients:
        "gradients equal finite differences, for weights, inputs and initial state"
      case .fusedUnfold:
        "a fused unfold equals stepping the cell: outputs, states and all gradients"
      case .zeroState: "no initial state equals a zero initial state"
      case .chunks: "a sequence in chunks with carried state equals the whole sequence"
      case .batches:
        "a batch equals its rows one by one, a padded batch with lengths the unpadded sequences"
      case .truncation:
        "truncated BPTT with one window as long as the sequence equals BPTT; a shorter one cuts"
      case .sameBytes:
        "saving and loading is the identity; threads and repetition don't change a byte"
      }
    }

    public var description: String { "law \(rawValue) (\(sentence))" }
  }

  /// Where a law is broken: one number that isn't what it should be.
  public struct Violation: Error, Sendable, CustomStringConvertible {
    public let law: Law
    /// Which number: of which tensor, at which index, in which part of the check.
    public let place: String
    public let expected: Double
    public let found: Double

    public var description: String {
      "\(law) is broken at \(place): expected \(expected), found \(found)."
    }
  }
}

extension CellLaws {
  /// How far two orders of the same float32 additions may be apart, as a part of the largest
  /// number in a tensor: 128 units of 2⁻²³. Rounding errors of n additions grow as √n of them;
  /// gradients of weights add up some hundreds of products, each of which came through a dozen
  /// operations.
  static let rounding = 128 * Float.ulpOfOne

  /// Tensors with smaller numbers are compared as if their largest were this. The loss weights are
  /// of order 1, and so are gradients; one that is far smaller is what cancellation left.
  static let smallestScale: Float = 0.01

  /// Compares two lists of tensors, number by number.
  ///
  /// - Parameters:
  ///   - tolerance: for each tensor, as a part of its largest number; 0 asks for the same bits.
  ///   - part: which part of the check this is.
  /// - Returns: for each tensor that differs, the largest difference.
  static func differences(
    _ law: Law, _ part: String, expected: [NamedTensor], found: [NamedTensor],
    tolerance: Float = rounding
  ) -> [Violation] {
    guard expected.count == found.count else {
      return [
        Violation(
          law: law, place: "the number of tensors, \(part)", expected: Double(expected.count),
          found: Double(found.count))
      ]
    }
    return zip(expected, found).compactMap { expected, found in
      difference(law, part, expected: expected, found: found, tolerance: tolerance)
    }
  }

  private static func difference(
    _ law: Law, _ part: String, expected: NamedTensor, found: NamedTensor, tolerance: Float
  ) -> Violation? {
    let shape = expected.value.shape
    guard shape == found.value.shape else {
      return Violation(
        law: law, place: "the element count of \(expected.name), \(part)",
        expected: Double(shape.count), found: Double(found.value.count))
    }
    let (a, b) = (expected.value.values, found.value.values)
    let scale = max(a.reduce(0) { max($0, abs($1)) }, smallestScale)
    var worst: (index: Int, distance: Float)?
    for index in a.indices where a[index].bitPattern != b[index].bitPattern {
      let difference = abs(a[index] - b[index])
      let distance = difference.isNaN ? .infinity : difference
      let isWrong = tolerance == 0 || !(distance <= tolerance * scale)
      if isWrong, distance >= worst?.distance ?? 0 { worst = (index, distance) }
    }
    return worst.map { index, _ in
      Violation(
        law: law, place: "\(expected.name)\(position(of: index, in: shape)), \(part)",
        expected: Double(a[index]), found: Double(b[index]))
    }
  }

  /// The index of element number `index`, one number a dimension.
  static func position(of index: Int, in shape: Shape) -> String {
    var rest = index
    var position: [Int] = []
    for size in shape.dimensions.reversed() {
      position.insert(rest % size, at: 0)
      rest /= size
    }
    return "\(position)"
  }
}

/// A tensor and what it is called in a report.
struct NamedTensor {
  let name: String
  let value: Tensor
}
