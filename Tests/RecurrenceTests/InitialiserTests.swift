import Recurrence
import Tensors
import Testing

/// How weights start.
@Suite struct InitialiserTests {
  /// Uniform in ±1/√H: all within the bound, and near it on both sides.
  @Test func pytorchsBoundIsOneOverRootOfHiddenSize() {
    var generator = Philox(seed: 51)
    let cell = LSTMCell(inputSize: 30, hiddenSize: 64, using: &generator)
    for (name, parameter) in cell.parameters {
      let values = parameter.value.values
      #expect(values.allSatisfy { abs($0) <= 0.125 }, "\(name)")
      // The chance that 256 numbers all miss the outer 4 % of one side is below 1e-4.
      #expect((values.max() ?? 0) > 0.115 && (values.min() ?? 0) < -0.115, "\(name)")
    }
  }

  @Test func glorotsBoundIsThatOfItsVariance() {
    var generator = Philox(seed: 52)
    let values = Initialiser.glorotUniform.matrix(rows: 40, columns: 110, using: &generator).values
    #expect(values.allSatisfy { abs($0) <= 0.2 })  // √(6 / 150)
    let variance = values.reduce(0.0) { $0 + Double($1 * $1) } / Double(values.count)
    // 2 / 150. The variance of 4,400 uniform numbers has a deviation of 1.35 %.
    #expect(abs(variance / (2.0 / 150) - 1) < 0.07)
  }

  @Test(arguments: [(20, 20), (12, 30), (30, 12), (1, 5), (5, 1)])
  func orthogonalMatricesAre(_ rows: Int, _ columns: Int) {
    var generator = Philox(seed: 53)
    let q = Initialiser.orthogonal(gain: 1).matrix(rows: rows, columns: columns, using: &generator)
    let product = rows >= columns ? q.transposed.times(q) : q.times(q.transposed)
    let size = min(rows, columns)
    for (index, value) in product.values.enumerated() {
      #expect(abs(value - (index / size == index % size ? 1 : 0)) < 1e-5)
    }
  }

  @Test func orthogonalMatricesTakeTheirGain() {
    var generator = Philox(seed: 54)
    let q = Initialiser.orthogonal(gain: 3).matrix(rows: 4, columns: 4, using: &generator)
    let squares = q.values.reduce(0) { $0 + $1 * $1 }
    #expect(abs(squares - 36) < 1e-4)
  }

  @Test func identityIsTheIdentityTimesItsScale() {
    var generator = Philox(seed: 55)
    let matrix = Initialiser.identity(scale: 0.5).matrix(rows: 2, columns: 3, using: &generator)
    #expect(matrix.values == [0.5, 0, 0, 0, 0.5, 0])
  }

  /// Each gate gets a matrix of its own, orthogonal by itself; and the forget gate opens.
  @Test func cellsStartGateByGate() {
    var generator = Philox(seed: 56)
    let cell = LSTMCell(
      inputSize: 3, hiddenSize: 6, initialiser: .orthogonal, using: &generator)
    for gate in 0..<4 {
      let q = cell.weightHH.value[6 * gate..<6 * gate + 6]
      for (index, value) in q.transposed.times(q).values.enumerated() {
        #expect(abs(value - (index / 6 == index % 6 ? 1 : 0)) < 1e-5)
      }
    }
    let bias = zip(cell.biasIH.value.values, cell.biasHH.value.values).map { $0 + $1 }
    let zeros = [Float](repeating: 0, count: 6)
    let ones = [Float](repeating: 1, count: 6)
    #expect(bias == zeros + ones + zeros + zeros)
  }

  @Test func sameSeedGivesTheSameWeights() {
    func weights(_ seed: UInt64) -> [[Float]] {
      var generator = Philox(seed: seed)
      let cell = GRUCell(inputSize: 3, hiddenSize: 4, initialiser: .orthogonal, using: &generator)
      return cell.parameters.map(\.parameter.value.values)
    }
    #expect(weights(1) == weights(1))
    #expect(weights(1) != weights(2))
  }
}
