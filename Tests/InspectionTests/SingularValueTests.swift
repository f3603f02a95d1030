import Foundation
import Inspection
import Recurrence
import Tensors
import Testing

@Suite struct SingularValueTests {
  @Test func areKnownForAMatrixMadeOfThem() throws {
    // U·diag(σ)·Vᵀ with random orthogonal U and V has the singular values σ.
    var generator = Philox(seed: 1)
    let sigma = [3, 2.5, 1, 0.5, 0.5, 1e-3, 1e-6, 0]
    let n = sigma.count
    let u = DoubleMatrix(
      Initialiser.orthogonal(gain: 1).matrix(rows: 12, columns: n, using: &generator))
    let v = DoubleMatrix(
      Initialiser.orthogonal(gain: 1).matrix(rows: n, columns: n, using: &generator))
    var scaled = u
    for row in 0..<12 {
      for column in 0..<n { scaled[row, column] *= sigma[column] }
    }
    let matrix = scaled.times(v.transposed)
    for found in [try matrix.singularValues(), try matrix.transposed.singularValues()] {
      #expect(found.count == n)
      // The orthogonal matrices are those of Float32.
      for (value, expected) in zip(found, sigma) { #expect(abs(value - expected) < 1e-6) }
    }
  }

  @Test func areTheRootsOfTheEigenvaluesOfTheSquare() throws {
    var generator = Philox(seed: 2)
    var matrix = DoubleMatrix(rows: 40, columns: 25)
    for row in 0..<40 {
      for column in 0..<25 { matrix[row, column] = generator.normal() }
    }
    let squares = try matrix.transposed.times(matrix).eigenvalues()
    for (value, square) in zip(try matrix.singularValues(), squares) {
      #expect(abs(value - square.real.squareRoot()) < 1e-12 * 15)
      #expect(square.imaginary == 0)
    }
  }

  @Test func ofZeroAndIdentity() throws {
    #expect(try DoubleMatrix(rows: 3, columns: 2).singularValues() == [0, 0])
    for value in try DoubleMatrix.identity(5).singularValues() {
      #expect(abs(value - 1) < 1e-15)
    }
  }
}
