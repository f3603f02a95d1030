import Foundation
import Tensors

/// A point of the complex plane.
public struct ComplexNumber: Sendable, Equatable, Codable {
  public var real: Double
  public var imaginary: Double

  public init(_ real: Double, _ imaginary: Double = 0) {
    self.real = real
    self.imaginary = imaginary
  }

  /// |z|.
  public var modulus: Double { hypot(real, imaginary) }
}

/// Why a matrix has no spectrum.
public enum SpectrumError: Error, Equatable, Sendable, CustomStringConvertible {
  case notFinite
  case noConvergence(size: Int)

  public var description: String {
    switch self {
    case .notFinite:
      "A recurrent matrix holds numbers that aren't finite, so the model has diverged; use an "
        + "earlier checkpoint."
    case .noConvergence(let size):
      "The eigenvalues of a matrix of \(size) × \(size) weren't found; its numbers may be too "
        + "large or too small for Double."
    }
  }
}

extension DoubleMatrix {
  /// The eigenvalues, by falling modulus; of a complex pair the one above the real axis first.
  ///
  /// Balanced, reduced to Hessenberg form, then Francis's double-shift QR: each step works on the
  /// real matrix with a complex pair of shifts at once. An error of about 10⁻¹⁶·‖A‖ times the
  /// condition of the eigenvectors is to be expected; a defective eigenvalue of multiplicity m is
  /// found to 10^(−16/m).
  ///
  /// - Throws: ``SpectrumError``.
  /// - Precondition: square.
  /// - Complexity: some 13 n³ operations, on one thread.
  /// - SeeAlso: J. Francis, "The QR Transformation", Computer Journal 4 (1961, 1962); J. Wilkinson,
  ///   C. Reinsch, "Handbook for Automatic Computation, Linear Algebra", 1971, II/11 to II/14.
  public func eigenvalues() throws(SpectrumError) -> [ComplexNumber] {
    require(rows == columns, "a matrix of \(rows) × \(columns) has no eigenvalues")
    guard isFinite else { throw .notFinite }
    var iteration = FrancisQR(balanced().hessenberg())
    return try iteration.eigenvalues().sorted {
      ($0.modulus, $0.real, $0.imaginary) > ($1.modulus, $1.real, $1.imaginary)
    }
  }

  /// The largest modulus of an eigenvalue: what Aᵏ grows or shrinks by in the long run.
  public func spectralRadius() throws(SpectrumError) -> Double {
    try eigenvalues().first?.modulus ?? 0
  }

  /// A similar matrix whose rows and columns have about the same norms: D⁻¹·A·D with D of powers of
  /// two, so that nothing is rounded.
  func balanced() -> DoubleMatrix {
    var a = self
    var isDone = false
    while !isDone {
      isDone = true
      for index in 0..<rows {
        let others = (0..<rows).filter { $0 != index }
        var column = others.reduce(0) { $0 + abs(a[$1, index]) }
        let row = others.reduce(0) { $0 + abs(a[index, $1]) }
        guard column > 0, row > 0 else { continue }
        let sum = column + row
        var factor = 1.0
        while column < row / 2 { (factor, column) = (factor * 2, column * 4) }
        while column >= row * 2 { (factor, column) = (factor / 2, column / 4) }
        guard (column + row) / factor < 0.95 * sum else { continue }
        isDone = false
        for other in 0..<rows { a[index, other] /= factor }
        for other in 0..<rows { a[other, index] *= factor }
      }
    }
    return a
  }

  /// A similar matrix that is zero below its first subdiagonal, by Householder's reflections.
  func hessenberg() -> DoubleMatrix {
    var a = self
    for step in 0..<max(0, rows - 2) {
      let column = (step + 1..<rows).map { a[$0, step] }
      guard let mirror = Reflection(column) else { continue }
      mirror.applyToRows(of: &a, from: step + 1, columns: step..<rows)
      mirror.applyToColumns(of: &a, from: step + 1, rows: 0..<rows)
      for row in step + 2..<rows { a[row, step] = 0 }
    }
    return a
  }
}

/// Householder's reflection I − τ·v·vᵀ that turns a vector into a multiple of e₁.
struct Reflection {
  private let v: [Double]
  private let tau: Double

  /// - Returns: nil if the vector is such a multiple already.
  init?(_ vector: [Double]) {
    let scale = vector.reduce(0) { max($0, abs($1)) }
    guard vector.dropFirst().contains(where: { $0 != 0 }) else { return nil }
    var v = vector.map { $0 / scale }
    let length = norm(v)
    // The sign that adds up: nothing cancels.
    v[0] += v[0] < 0 ? -length : length
    self.v = v
    tau = 2 / v.reduce(0) { $0 + $1 * $1 }
  }

  /// A ← H·A, for the rows from `start`.
  func applyToRows(of a: inout DoubleMatrix, from start: Int, columns: Range<Int>) {
    let width = a.columns
    var sums = [Double](repeating: 0, count: width)
    for (offset, factor) in v.enumerated() {
      let row = (start + offset) * width
      for column in columns { sums[column] += factor * a.values[row + column] }
    }
    for (offset, factor) in v.enumerated() {
      let row = (start + offset) * width
      let scaled = tau * factor
      for column in columns { a.values[row + column] -= scaled * sums[column] }
    }
  }

  /// A ← A·H, for the columns from `start`.
  func applyToColumns(of a: inout DoubleMatrix, from start: Int, rows: Range<Int>) {
    for row in rows {
      let first = row * a.columns + start
      var sum = 0.0
      for (offset, factor) in v.enumerated() { sum += factor * a.values[first + offset] }
      sum *= tau
      for (offset, factor) in v.enumerated() { a.values[first + offset] -= sum * factor }
    }
  }
}
