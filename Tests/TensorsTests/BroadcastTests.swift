import Tensors
import Testing

@Suite struct BroadcastTests {
  private let row = randomTensor([5], seed: 1)

  @Test(arguments: [[5], [4, 5], [2, 3, 5]])
  func everyRowMeetsTheVector(dimensions: [Int]) {
    let x = randomTensor(Shape(dimensions), seed: 2)
    let (sum, product) = (x + row.broadcast, x * row.broadcast)
    #expect(sum.shape == x.shape && product.shape == x.shape)
    #expect(sum.values == x.values.enumerated().map { $1 + row.values[$0 % 5] })
    #expect(product.values == x.values.enumerated().map { $1 * row.values[$0 % 5] })
  }

  @Test(arguments: [[5], [4, 5], [2, 3, 5]])
  func gradientsMatchFiniteDifferences(dimensions: [Int]) {
    let x = randomTensor(Shape(dimensions), seed: 2)
    expectGradients(of: { $0[0] + $0[1].broadcast }, inputs: [x, row])
    expectGradients(of: { $0[0] * $0[1].broadcast }, inputs: [x, row])
  }

  /// The rows are added one after the other: n additions of numbers below n.
  @Test func columnSumsMatchPlainLoops() {
    let (rows, columns) = (37, 600)
    let x = randomTensor([rows, columns], seed: 3)
    let expected = (0..<columns).map { column in
      (0..<rows).reduce(0.0) { $0 + Double(x.values[$1 * columns + column]) }
    }
    let bound = Double(rows * rows) / 2 * roundoff
    #expect(worstRatio(x.columnSums.values, expected) { _ in bound } <= 1)
  }
}
