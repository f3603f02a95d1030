import Tensors
import Testing

@Suite struct RandomTests {
  /// `kat_vectors` of Random123 1.14, philox4x32 with 10 rounds.
  @Test func blocksMatchThePublishedAnswers() {
    #expect(
      Philox.block(key: 0, counter: (0, 0))
        == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    #expect(
      Philox.block(key: .max, counter: (.max, .max))
        == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
    #expect(
      Philox.block(
        key: 0x299F_31D0_A409_3822, counter: (0x85A3_08D3_243F_6A88, 0x0370_7344_1319_8A2E))
        == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
  }

  @Test func numbersAreTheHalvesOfBlocksInOrder() {
    var generator = Philox(seed: 0)
    #expect(generator.next() == 0xE169_C58D_6627_E8D5)
    #expect(generator.next() == 0x9B00_DBD8_BC57_AC4C)
    #expect(generator.position == 2)
    let second = Philox.block(key: 0, counter: (1, 0))
    #expect(generator.next() == UInt64(second.y) << 32 | UInt64(second.x))
  }

  @Test func aSequenceContinuesFromItsPosition() {
    var whole = Philox(seed: 7, stream: 3)
    let numbers = (0..<20).map { _ in whole.next() }
    for start in 0..<20 {
      var rest = Philox(seed: 7, stream: 3, position: UInt64(start))
      #expect((start..<20).map { _ in rest.next() } == Array(numbers[start...]))
      #expect(rest == whole)
    }
  }

  /// A few thousand numbers of 64 bits meet by chance with probability 10⁻¹².
  @Test func seedsStreamsAndSplitsShareNoNumber() {
    let root = Philox(seed: 1)
    var generators = [
      root, Philox(seed: 2), Philox(seed: 1, stream: 1), Philox(seed: 1, stream: 1 << 40),
      Philox(seed: 1 << 40), root.split(0), root.split(1), root.split(.max), root.split(0).split(0),
      Philox(seed: 1, stream: 1).split(0),
    ]
    var seen: Set<UInt64> = []
    for index in generators.indices { for _ in 0..<500 { seen.insert(generators[index].next()) } }
    #expect(seen.count == 500 * generators.count)
  }

  @Test func aSplitDependsOnSeedStreamAndLabelOnly() {
    var drawn = Philox(seed: 5, stream: 2)
    for _ in 0..<9 { _ = drawn.next() }
    #expect(drawn.split(4) == Philox(seed: 5, stream: 2).split(4))
    #expect(drawn.split(4) != drawn.split(5))
  }

  /// The mean of n numbers strays by 1/√(12n) and their variance, 1/12, by 1/√(180n): five times
  /// that is allowed. The mean product of neighbours strays by √(7/144n).
  @Test func uniformNumbersHaveTheirMoments() {
    let n = 200_000
    var generator = Philox(seed: 11)
    let floats = (0..<n).map { _ in Double(generator.uniform()) }
    let doubles = (0..<n).map { _ in generator.uniformDouble() }
    for numbers in [floats, doubles] {
      #expect(numbers.allSatisfy { (0..<1).contains($0) })
      let mean = numbers.reduce(0, +) / Double(n)
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
      let product = zip(numbers, numbers.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(n)
      #expect(abs(mean - 1 / 2) < 5 / (12 * Double(n)).squareRoot())
      #expect(abs(variance - 1 / 12) < 5 / (180 * Double(n)).squareRoot())
      #expect(abs(product - 1 / 4) < 5 * (7 / (144 * Double(n))).squareRoot())
    }
    #expect(floats.allSatisfy { ($0 * 0x1p24).rounded() == $0 * 0x1p24 })
  }

  @Test func uniformTensorsKeepToTheirBound() {
    var generator = Philox(seed: 3)
    let values = Tensor(uniform: [100, 100], bound: 0.25, using: &generator).values
    #expect(values.allSatisfy { (-0.25..<0.25).contains($0) })
    // The extremes of 10,000 numbers lie further in than 0.001 of the width with chance e⁻¹⁰.
    #expect(values.min()! < -0.2495 && values.max()! > 0.2495)
    #expect(generator.position == 10_000)
  }
}
