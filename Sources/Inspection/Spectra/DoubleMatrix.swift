import Foundation
import Tensors

/// A matrix of Double numbers, row-major: for spectra and Jacobians, where many small factors are
/// multiplied and Float would run out of range and of digits.
public struct DoubleMatrix: Sendable, Equatable {
  public let rows: Int
  public let columns: Int
  package var values: [Double]

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    require(rows >= 0 && columns >= 0, "a matrix of \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    values = Array(repeating: 0, count: rows * columns)
  }

  /// - Precondition: rows of equal length.
  public init(_ rows: [[Double]]) {
    let columns = rows.first?.count ?? 0
    require(rows.allSatisfy { $0.count == columns }, "rows of a matrix have unequal lengths")
    self.rows = rows.count
    self.columns = columns
    values = rows.flatMap { $0 }
  }

  /// The numbers of a tensor `[rows, columns]`.
  public init(_ tensor: Tensor) {
    require(tensor.shape.rank == 2, "a matrix has two dimensions, not shape \(tensor.shape)")
    rows = tensor.shape[0]
    columns = tensor.shape[1]
    values = tensor.withValues { $0.map(Double.init) }
  }

  public static func identity(_ size: Int) -> DoubleMatrix {
    var matrix = DoubleMatrix(rows: size, columns: size)
    for index in 0..<size { matrix[index, index] = 1 }
    return matrix
  }

  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  public func row(_ index: Int) -> [Double] {
    Array(values[index * columns..<(index + 1) * columns])
  }

  public var transposed: DoubleMatrix {
    var result = DoubleMatrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  /// A·B.
  public func times(_ other: DoubleMatrix) -> DoubleMatrix {
    require(
      columns == other.rows, "A·B of \(rows) × \(columns) and \(other.rows) × \(other.columns)")
    var result = DoubleMatrix(rows: rows, columns: other.columns)
    for row in 0..<rows {
      let product = other.pulledBack(self.row(row))
      result.values.replaceSubrange(row * other.columns..<(row + 1) * other.columns, with: product)
    }
    return result
  }

  /// A·v.
  public func times(_ vector: [Double]) -> [Double] {
    require(vector.count == columns, "A·v of \(rows) × \(columns) and \(vector.count) numbers")
    return (0..<rows).map { row in
      var sum = 0.0
      for column in 0..<columns { sum += values[row * columns + column] * vector[column] }
      return sum
    }
  }

  /// vᵀ·A: how a gradient goes back through a step whose Jacobian is A.
  public func pulledBack(_ vector: [Double]) -> [Double] {
    require(vector.count == rows, "vᵀ·A of \(vector.count) numbers and \(rows) × \(columns)")
    var result = [Double](repeating: 0, count: columns)
    for row in 0..<rows where vector[row] != 0 {
      let factor = vector[row]
      for column in 0..<columns { result[column] += factor * values[row * columns + column] }
    }
    return result
  }

  /// Adds diag(`factors`)·`other`: each row of `other` times its factor.
  mutating func add(_ other: DoubleMatrix, rowsTimes factors: [Double]) {
    for row in 0..<rows {
      let factor = factors[row]
      for index in row * columns..<(row + 1) * columns {
        values[index] += factor * other.values[index]
      }
    }
  }

  /// Every number times a factor.
  func scaled(by factor: Double) -> DoubleMatrix {
    var result = self
    for index in result.values.indices { result.values[index] *= factor }
    return result
  }

  /// Copies a matrix to a place in this one.
  mutating func set(_ part: DoubleMatrix, row: Int, column: Int) {
    for index in 0..<part.rows {
      let start = (row + index) * columns + column
      values.replaceSubrange(start..<start + part.columns, with: part.row(index))
    }
  }

  var isFinite: Bool { values.allSatisfy(\.isFinite) }
}

/// ‖v‖₂.
func norm(_ vector: some Sequence<Double>) -> Double {
  vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
}
