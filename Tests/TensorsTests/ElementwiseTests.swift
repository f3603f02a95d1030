import Foundation
import Tensors
import Testing

@Suite struct ElementwiseTests {
  private let a = randomTensor([3, 7], seed: 1)
  private let b = randomTensor([3, 7], in: 1...2, seed: 2)

  @Test func arithmeticIsThatOfTheElements() {
    let pairs = zip(a.values, b.values)
    #expect((a + b).values == pairs.map { $0 + $1 })
    #expect((a - b).values == pairs.map { $0 - $1 })
    #expect((a * b).values == pairs.map { $0 * $1 })
    #expect((a / b).values == pairs.map { $0 / $1 })
    #expect((a + 3).values == a.values.map { $0 + 3 })
    #expect((3 - a).values == a.values.map { 3 - $0 })
    #expect((a - 3).values == a.values.map { $0 - 3 })
    #expect((a * 3).values == a.values.map { $0 * 3 })
    #expect((a / 4).values == a.values.map { $0 / 4 })
    #expect((-a).values == a.values.map { -$0 })
    #expect((a + b).shape == [3, 7])
  }

  @Test func gradientsMatchFiniteDifferences() {
    expectGradients(of: { $0[0] + $0[1] }, inputs: [a, b])
    expectGradients(of: { $0[0] - $0[1] }, inputs: [a, b])
    expectGradients(of: { $0[0] * $0[1] }, inputs: [a, b])
    expectGradients(of: { $0[0] / $0[1] }, inputs: [a, b])
    expectGradients(of: { tanh($0[0]) }, inputs: [a])
    expectGradients(of: { sigmoid($0[0]) }, inputs: [a])
    expectGradients(of: { exp($0[0]) }, inputs: [a])
  }

  @Test func gradientsWithScalarsMatchFiniteDifferences() {
    expectGradients(of: { $0[0] + 3 }, inputs: [a])
    expectGradients(of: { 3 + $0[0] }, inputs: [a])
    expectGradients(of: { $0[0] - 3 }, inputs: [a])
    expectGradients(of: { 3 - $0[0] }, inputs: [a])
    expectGradients(of: { $0[0] * 3 }, inputs: [a])
    expectGradients(of: { 3 * $0[0] }, inputs: [a])
    expectGradients(of: { $0[0] / 3 }, inputs: [a])
    expectGradients(of: { -$0[0] }, inputs: [a])
  }

  /// Away from the bend at 0, where differences would mix both sides.
  @Test func reluMatchesFiniteDifferencesAndHasNoGradientAtZero() {
    let x = Tensor(a.values.map { abs($0) < 0.1 ? $0 + 0.5 : $0 }, shape: a.shape)
    expectGradients(of: { relu($0[0]) }, inputs: [x])
    let ends = Tensor([-1, 0, 2, .nan], shape: [4]).watched
    let y = relu(ends)
    #expect(y.values.prefix(3) == [0, 0, 2] && y.values[3].isNaN)
    #expect(y.backward(from: Tensor([4], repeating: 1))[ends]?.values.prefix(3) == [0, 0, 1])
  }

  /// Large enough to be divided among threads, with a ragged last chunk.
  @Test func everyChunkIsComputed() {
    let n = 3 << 15 | 77
    let x = randomTensor([n], seed: 3)
    #expect((x + x).values == x.values.map { 2 * $0 })
    var seen = [Int](repeating: 0, count: n)
    seen.withUnsafeMutableBufferPointer { buffer in
      let counts = UncheckedPointer(buffer.baseAddress)
      forChunks(of: n) { for index in $0 { counts.pointer![index] += 1 } }
    }
    #expect(seen.allSatisfy { $0 == 1 })
  }

  @Test func emptyTensorsStayEmpty() {
    let empty = Tensor(zeros: [0, 3])
    #expect((empty + empty).values.isEmpty && tanh(empty).shape == [0, 3])
  }
}
