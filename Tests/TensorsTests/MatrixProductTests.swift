import Tensors
import Testing

@Suite struct MatrixProductTests {
  /// Row counts below and above the four at which the kernel changes, and ragged sizes.
  private static let sizes = [
    (m: 1, k: 5, n: 3), (2, 1, 1), (3, 7, 40), (4, 7, 5), (9, 33, 70), (5, 0, 4), (3, 0, 2),
    (230, 300, 65),
  ]

  private func matrix(_ rows: Int, _ columns: Int, _ seed: UInt64) -> (Tensor, [Double]) {
    let tensor = randomTensor([rows, columns], seed: seed)
    return (tensor, tensor.values.map(Double.init))
  }

  private func transposed(_ x: Tensor) -> Tensor {
    let (rows, columns) = (x.shape[0], x.shape[1])
    let values = x.values
    return Tensor(
      (0..<x.count).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
  }

  /// Sums of k products of numbers below 1, k roundings each (see `ProductKernelTests`).
  @Test(arguments: sizes)
  func allTranspositionsMatchPlainLoops(m: Int, k: Int, n: Int) {
    let (a, plainA) = matrix(m, k, 1)
    let (b, plainB) = matrix(k, n, 2)
    var expected = [Double](repeating: 0, count: m * n)
    var sizes = expected
    for row in 0..<m {
      for column in 0..<n {
        for j in 0..<k {
          let term = plainA[row * k + j] * plainB[j * n + column]
          expected[row * n + column] += term
          sizes[row * n + column] += abs(term)
        }
      }
    }
    let products = [
      a.times(b), a.times(transposed(b).transposed), transposed(a).transposed.times(b),
      transposed(a).transposed.times(transposed(b).transposed),
    ]
    for product in products {
      #expect(product.shape == [m, n])
      #expect(worstRatio(product.values, expected) { Double(k) * roundoff * sizes[$0] } <= 1)
    }
  }

  @Test(arguments: [1, 3, 4, 6])
  func gradientsMatchFiniteDifferences(m: Int) {
    let (k, n) = (5, 3)
    let (a, b) = (randomTensor([m, k], seed: 1), randomTensor([k, n], seed: 2))
    let (aT, bT) = (randomTensor([k, m], seed: 3), randomTensor([n, k], seed: 4))
    expectGradients(of: { $0[0].times($0[1]) }, inputs: [a, b])
    expectGradients(of: { $0[0].times($0[1].transposed) }, inputs: [a, bT])
    expectGradients(of: { $0[0].transposed.times($0[1]) }, inputs: [aT, b])
    expectGradients(of: { $0[0].transposed.times($0[1].transposed) }, inputs: [aT, bT])
  }

  /// The left side may be a vector, or a sequence of matrices.
  @Test(arguments: [[5], [2, 5], [2, 3, 5], [3, 1, 2, 5]])
  func leftSidesOfAnyRankAreRowsOfAMatrix(dimensions: [Int]) {
    let x = randomTensor(Shape(dimensions), seed: 1)
    let (b, bT) = (randomTensor([5, 4], seed: 2), randomTensor([4, 5], seed: 3))
    let rows = x.reshaped([x.count / 5, 5])
    let shape = Shape(dimensions.dropLast() + [4])
    #expect(x.times(b).shape == shape && x.times(bT.transposed).shape == shape)
    #expect(x.times(b).values == rows.times(b).values)
    #expect(x.times(bT.transposed).values == rows.times(bT.transposed).values)
    expectGradients(of: { $0[0].times($0[1]) }, inputs: [x, b])
    expectGradients(of: { $0[0].times($0[1].transposed) }, inputs: [x, bT])
  }

  /// A weight keeps its packed form for products forward and backward until it is changed.
  @Test func aProductAfterAnUpdateUsesTheNewWeights() {
    let x = randomTensor([6, 5], seed: 1)
    let weight = Parameter(randomTensor([4, 5], seed: 2))
    let other = Parameter(randomTensor([5, 4], seed: 3))
    func expectFresh() {
      let (plain, otherPlain) = (
        Tensor(weight.value.values, shape: [4, 5]), Tensor(other.value.values, shape: [5, 4])
      )
      #expect(x.times(weight.transposed).values == x.times(plain.transposed).values)
      #expect(x.times(other.tensor).values == x.times(otherPlain).values)
      let (left, right) = (x.watched, x.watched)
      let ones = Tensor([6, 4], repeating: 1)
      #expect(
        left.times(weight.transposed).backward(from: ones)[left]?.values
          == ones.times(plain).values)
      #expect(
        right.times(other.tensor).backward(from: ones)[right]?.values
          == ones.times(otherPlain.transposed).values)
    }
    expectFresh()
    for parameter in [weight, other] { parameter.update { $0[3] += 1 } }
    expectFresh()
    for parameter in [weight, other] {
      let reader = parameter.value
      parameter.update { $0[4] -= 1 }
      #expect(reader.values != parameter.value.values)
    }
    expectFresh()
    weight.value = randomTensor([4, 5], seed: 9)
    expectFresh()
  }

  /// A slice of a weight is packed as itself, not as the whole.
  @Test func slicesOfAWeightAreTheirOwnOperands() {
    let weights = Parameter(randomTensor([2, 4, 5], seed: 2))
    let x = randomTensor([6, 5], seed: 1)
    for index in [0, 1, 0] {
      let plain = Tensor(weights.value[index].values, shape: [4, 5])
      #expect(
        x.times(weights.tensor[index].transposed).values == x.times(plain.transposed).values)
    }
  }
}
