import Foundation
import Inspection
import Tensors
import Testing

@Suite struct EigenvalueTests {
  /// Matrices with their eigenvalues by numpy 2.4.6 (LAPACK geev), in `Fixtures/eigenvalues.json`.
  struct Reference: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
      let name: String
      let matrix: [[Double]]
      let eigenvalues: [[Double]]
      let exactEigenvalues: [[Double]]?
      let eigenvectorCondition: Double?
      var testDescription: String { name }
      /// A defective matrix has no basis of eigenvectors; what numpy finds is as far off as we are.
      var isDefective: Bool { (eigenvectorCondition ?? .infinity) > 1e10 }
    }
    let cases: [Case]

    static func read() throws -> Reference {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let url = Bundle.module.bundleURL.appending(path: "Fixtures/eigenvalues.json")
      return try decoder.decode(Reference.self, from: Data(contentsOf: url))
    }
  }

  /// The distance to the farthest of the nearest partners, each taken once, beside the radius.
  private func distance(_ found: [ComplexNumber], _ expected: [[Double]]) -> Double {
    guard found.count == expected.count else { return .infinity }
    var rest = expected.map { ComplexNumber($0[0], $0[1]) }
    let radius = max(rest.map(\.modulus).max() ?? 0, 1e-300)
    var worst = 0.0
    for value in found {
      let distances = rest.map { hypot($0.real - value.real, $0.imaginary - value.imaginary) }
      guard let nearest = distances.indices.min(by: { distances[$0] < distances[$1] }) else {
        break
      }
      worst = max(worst, distances[nearest])
      rest.remove(at: nearest)
    }
    return worst / radius
  }

  @Test(arguments: try Reference.read().cases) func agreesWithLAPACK(_ reference: Reference.Case)
    throws
  {
    let found = try DoubleMatrix(reference.matrix).eigenvalues()
    let expected = reference.exactEigenvalues ?? reference.eigenvalues
    // 10⁻¹⁶ times the condition (at most 624) and some n; a defective one of multiplicity 5 can be
    // found to 10^(−16/5).
    #expect(distance(found, expected) <= (reference.isDefective ? 1e-3 : 1e-11))
    let moduli = found.map(\.modulus)
    #expect(moduli == moduli.sorted(by: >))
  }

  @Test func aSimilarMatrixHasTheSameEigenvalues() throws {
    // B = D·A·D⁻¹ with D from 1 to 10⁹: what balancing is for.
    var generator = Philox(seed: 3)
    let n = 10
    var a = DoubleMatrix(rows: n, columns: n)
    var b = a
    for row in 0..<n {
      for column in 0..<n {
        a[row, column] = generator.normal()
        b[row, column] = a[row, column] * pow(10, Double(row - column))
      }
    }
    let expected = try a.eigenvalues().map { [$0.real, $0.imaginary] }
    #expect(try distance(b.eigenvalues(), expected) < 1e-12)
  }

  @Test func sumAndProductAreTraceAndSquares() throws {
    // Σλ = trace A and Σλ² = trace A², whatever the algorithm, here for a matrix of 150 × 150.
    var generator = Philox(seed: 4)
    let n = 150
    var a = DoubleMatrix(rows: n, columns: n)
    for row in 0..<n {
      for column in 0..<n { a[row, column] = generator.normal() / Double(n).squareRoot() }
    }
    let values = try a.eigenvalues()
    let square = a.times(a)
    let trace = (0..<n).reduce(0) { $0 + a[$1, $1] }
    let traceOfSquare = (0..<n).reduce(0) { $0 + square[$1, $1] }
    let sum = values.reduce(0) { $0 + $1.real }
    let sumOfSquares = values.reduce(0) { $0 + $1.real * $1.real - $1.imaginary * $1.imaginary }
    #expect(abs(sum - trace) < 1e-11)
    #expect(abs(sumOfSquares - traceOfSquare) < 1e-11)
    #expect(abs(values.reduce(0) { $0 + $1.imaginary }) < 1e-11)
  }

  @Test func numbersThatAreNotFiniteAreAnError() {
    let matrix = DoubleMatrix([[1, .nan], [0, 1]])
    #expect(throws: SpectrumError.notFinite) { try matrix.eigenvalues() }
    #expect(throws: SpectrumError.notFinite) { try matrix.singularValues() }
  }

  @Test func anEmptyMatrixHasNone() throws {
    #expect(try DoubleMatrix(rows: 0, columns: 0).eigenvalues().isEmpty)
    #expect(try DoubleMatrix(rows: 0, columns: 0).spectralRadius() == 0)
  }
}
