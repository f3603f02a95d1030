/// The Cholesky decomposition A = L·Lᵀ of a symmetric positive definite matrix, in double precision.
///
/// - SeeAlso: G. Golub, C. Van Loan, "Matrix Computations", 4th edition, section 4.2.
struct Cholesky {
  private let size: Int
  /// L, row-major; what is above the diagonal isn't used.
  private var lower: [Double]

  /// - Parameter matrix: A, `[n, n]`, of which the lower triangle is read.
  /// - Returns: nil if A isn't positive definite.
  /// - Complexity: O(n³ / 3).
  init?(_ matrix: [Double], size: Int) {
    self.size = size
    lower = matrix
    let isDefinite = lower.withUnsafeMutableBufferPointer { a in
      for row in 0..<size {
        for column in 0...row {
          var sum = a[row * size + column]
          for k in 0..<column { sum -= a[row * size + k] * a[column * size + k] }
          if column < row {
            a[row * size + column] = sum / a[column * size + column]
          } else if sum > 0 {
            a[row * size + row] = sum.squareRoot()
          } else {
            return false
          }
        }
      }
      return true
    }
    if !isDefinite { return nil }
  }

  /// The x of A·x = b.
  func solve(_ b: [Double]) -> [Double] {
    var x = b
    for row in 0..<size {
      for k in 0..<row { x[row] -= lower[row * size + k] * x[k] }
      x[row] /= lower[row * size + row]
    }
    for row in stride(from: size - 1, through: 0, by: -1) {
      for k in row + 1..<size { x[row] -= lower[k * size + row] * x[k] }
      x[row] /= lower[row * size + row]
    }
    return x
  }
}
