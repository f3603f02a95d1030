import Tensors
import Testing

@Suite struct StructureTests {
  private let a = randomTensor([3, 4], seed: 1)
  private let b = randomTensor([3, 2], seed: 2)
  private let c = randomTensor([3, 4], seed: 3)

  @Test func partsStandWhereTheyWerePut() {
    let beside = concatenated(a, b)
    #expect(beside.shape == [3, 6])
    for row in 0..<3 { #expect(beside[row].values == a[row].values + b[row].values) }
    #expect(joined([a, c]).values == a.values + c.values && joined([a, c]).shape == [6, 4])
    #expect(stacked([a, c]).values == a.values + c.values && stacked([a, c]).shape == [2, 3, 4])
    #expect(stacked([a, c])[1].values == c.values)
    #expect(a[1..<3].shape == [2, 4] && a[1..<3].values == Array(a.values[4...]))
    #expect(a[2..<2].shape == [0, 4])
    #expect(a.reshaped([2, 6]).values == a.values)
  }

  @Test func splitUndoesConcatenation() {
    let parts = concatenated(a, b, c).split(widths: [4, 2, 4])
    #expect(parts.map(\.values) == [a.values, b.values, c.values])
    #expect(parts.map(\.shape) == [[3, 4], [3, 2], [3, 4]])
    #expect(concatenated(a, c).split(into: 2).map(\.values) == [a.values, c.values])
  }

  @Test func gradientsOfJoiningMatchFiniteDifferences() {
    expectGradients(of: { concatenated($0) }, inputs: [a, b, c])
    expectGradients(of: { stacked($0) }, inputs: [a, c])
    expectGradients(of: { joined($0) }, inputs: [a, c, a[0..<1]])
    expectGradients(of: { tanh(joined([$0[0], $0[0]])) }, inputs: [a])
    expectGradients(of: { tanh(concatenated($0[0], $0[0])) }, inputs: [a])
  }

  @Test func gradientsOfTakingApartMatchFiniteDifferences() {
    expectGradients(of: { tanh($0[0][1]) }, inputs: [a])
    expectGradients(of: { tanh($0[0][1..<3]) }, inputs: [a])
    expectGradients(of: { $0[0][0..<3] * 2 }, inputs: [a])
    expectGradients(of: { tanh($0[0].reshaped([2, 6])) }, inputs: [a])
    expectGradients(of: { $0[0].split(into: 2)[0] * $0[0].split(into: 2)[1] }, inputs: [a])
  }

  /// Slices that overlap add up, beside a use of the whole, whichever comes first.
  @Test func overlappingSlicesAccumulate() {
    expectGradients(
      of: { $0[0][0..<2] * $0[0][1..<3] + $0[0][2..<3].reshaped([4]).broadcasted(2) }, inputs: [a])
    expectGradients(of: { x in tanh(x[0])[0..<2] + x[0][1..<3] + x[0][0..<2] }, inputs: [a])
    expectGradients(of: { x in x[0] * joined([x[0][2..<3], x[0][0..<2]]) }, inputs: [a])
  }

  @Test func anUnusedPartOfASplitHasNoGradient() {
    let x = a.watched
    let parts = x.split(widths: [1, 2, 1])
    let gradient = parts[1].sum().backward()[x]
    #expect(gradient?.values == [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0])
    expectGradients(of: { tanh($0[0].split(widths: [1, 2, 1])[1]) }, inputs: [a])
  }

  @Test func gatheringTakesRowsAndAddsUpGradientsOfRepeatedOnes() {
    let rows: [Int32] = [2, 0, 2, 2]
    let gathered = a.gathering(rows)
    #expect(gathered.shape == [4, 4])
    #expect(gathered.values == rows.flatMap { a[Int($0)].values })
    expectGradients(of: { tanh($0[0].gathering(rows)) }, inputs: [a])
    let sequence = randomTensor([3, 2, 2], seed: 5)
    #expect(sequence.gathering([1]).shape == [1, 2, 2])
    expectGradients(of: { $0[0].gathering([1, 1, 0]) * 3 }, inputs: [sequence])
    let x = a.watched
    #expect(
      x.gathering(rows).sum().backward()[x]?.values
        == [1, 1, 1, 1, 0, 0, 0, 0, 3, 3, 3, 3])
  }

  @Test func selectingTakesRowsFromEither() {
    let mask = [true, false, true]
    let chosen = a.selecting(mask, else: c)
    #expect(chosen.values == a[0].values + c[1].values + a[2].values)
    expectGradients(of: { tanh($0[0].selecting(mask, else: $0[1])) }, inputs: [a, c])
    expectGradients(of: { $0[0].selecting(mask, else: $0[0] * $0[0]) }, inputs: [a])
  }
}

extension Tensor {
  /// Copies of a vector as rows.
  fileprivate func broadcasted(_ rows: Int) -> Tensor {
    Tensor(zeros: [rows, count]) + broadcast
  }
}
