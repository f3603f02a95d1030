import Tensors
import Testing

/// Dropout that repeats its mask: over time, and over the occurrences of a row.
@Suite struct DropoutTests {
  /// Whatever the step, the mask is that of the first; p is met within six standard deviations of
  /// 200,000 draws, 0.0067 at most, and what is kept is divided by 1 − p.
  @Test(arguments: [0.1, 0.25, 0.5, 0.9] as [Float])
  func variationalDropoutIsTheSameAtAllSteps(rate: Float) {
    let dropped = Tensor([3, 500, 400], repeating: 1)
      .variationalDropout(rate, using: Philox(seed: 3))
    let first = dropped[0].values
    #expect(dropped[1].values == first && dropped[2].values == first)
    #expect(first.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
    let fraction = Double(first.count { $0 == 0 }) / 200_000
    #expect(abs(fraction - Double(rate)) < 0.0067)
  }

  /// Plain dropout isn't: else the test above would say nothing.
  @Test func plainDropoutChangesFromStepToStep() {
    let dropped = Tensor([2, 50, 40], repeating: 1).dropout(0.5, using: Philox(seed: 3))
    #expect(dropped[0].values != dropped[1].values)
  }

  /// A row number has one factor for all its numbers, wherever it stands.
  @Test(arguments: [0.1, 0.5] as [Float]) func rowsAreDroppedWhole(rate: Float) {
    let types = 100_000
    let rows = (0..<2 * types).map { Int32($0 % types) }
    let dropped = Tensor([2, types, 3], repeating: 1)
      .dropout(rate, ofRows: rows, among: types, using: Philox(seed: 4)).values
    let kept = 1 / (1 - rate)
    var zeros = 0
    var isWhole = true
    for type in 0..<types {
      let (first, again) = (dropped[3 * type..<3 * type + 3], 3 * (types + type))
      let factor = dropped[3 * type]
      isWhole = isWhole && (factor == 0 || factor == kept)
      isWhole = isWhole && (first + dropped[again..<again + 3]).allSatisfy { $0 == factor }
      if factor == 0 { zeros += 1 }
    }
    #expect(isWhole)
    // Six standard deviations of 100,000 draws are 0.0095 at most.
    #expect(abs(Double(zeros) / Double(types) - Double(rate)) < 0.0095)
  }

  @Test func gradientsMatchFiniteDifferences() {
    let generator = Philox(seed: 6)
    expectGradients(
      of: { $0[0].variationalDropout(0.4, using: generator) },
      inputs: [randomTensor([3, 2, 5], seed: 1)])
    expectGradients(
      of: { $0[0].dropout(0.4, ofRows: [2, 0, 2, 1, 0, 2], among: 3, using: generator) },
      inputs: [randomTensor([3, 2, 5], seed: 2)])
  }

  @Test func nothingIsDroppedAtRateZero() {
    let x = randomTensor([3, 2, 5], seed: 1)
    #expect(x.variationalDropout(0, using: Philox(seed: 1)).values == x.values)
    let same = x.dropout(0, ofRows: [0, 1, 2, 0, 1, 2], among: 3, using: Philox(seed: 1))
    #expect(same.values == x.values)
  }
}
