import Foundation
import Tensors
import Testing

@Suite struct ReductionsTests {
  private let x = randomTensor([3, 6], in: -2...2, seed: 1)

  @Test func sumsMatchPlainLoops() {
    let values = x.values.map(Double.init)
    let bound = 18 * 2 * roundoff * 18  // 18 numbers up to 2, 18 additions
    #expect(abs(Double(x.sum().item) - values.reduce(0, +)) <= bound)
    #expect(abs(Double(x.mean().item) - values.reduce(0, +) / 18) <= bound / 18 + 4 * roundoff)
    let rows = (0..<3).map { row in values[row * 6..<row * 6 + 6].reduce(0, +) }
    #expect(worstRatio(x.sumOfRows().values, rows) { _ in bound } <= 1)
    #expect(x.sumOfRows().shape == [3])
    #expect(abs(x.sumOfSquares - values.reduce(0) { $0 + $1 * $1 }) <= 2 * bound)
  }

  @Test func gradientsMatchFiniteDifferences() {
    expectGradients(of: { $0[0].sum() }, inputs: [x])
    expectGradients(of: { $0[0].mean() }, inputs: [x])
    expectGradients(of: { $0[0].sumOfRows() }, inputs: [x])
    expectGradients(of: { $0[0].softmax() }, inputs: [x])
    expectGradients(of: { $0[0].logSumExp() }, inputs: [x])
    expectGradients(of: { $0[0].crossEntropy([5, 0, 5]) }, inputs: [x])
    let sequence = randomTensor([2, 2, 4], seed: 2)
    expectGradients(of: { $0[0].sumOfRows() }, inputs: [sequence])
    expectGradients(of: { $0[0].softmax() }, inputs: [sequence])
    expectGradients(of: { $0[0].logSumExp() }, inputs: [sequence])
    expectGradients(of: { $0[0].crossEntropy([0, 1, 2, 3]) }, inputs: [sequence])
  }

  /// Three identities: softmax adds up to 1, crossEntropy is logSumExp less the logit, and equal
  /// logits are uniform.
  @Test func softmaxAndItsLossesAgree() {
    for row in 0..<3 {
      #expect(abs(x[row].softmax().sum().item - 1) <= 6 * Float(roundoff) * 4)
      for target in 0..<6 {
        let loss = x[row].crossEntropy([Int32(target)]).item
        let expected = x[row].logSumExp().item - x[row].values[target]
        #expect(abs(loss - expected) <= 4 * Float(roundoff) * 4)
      }
    }
    let uniform = Tensor(zeros: [2, 8])
    #expect(uniform.softmax().values.allSatisfy { $0 == 0.125 })
    #expect(uniform.crossEntropy([0, 7]).item == Float(log(8.0)))
    let losses = (0..<3).map { x[$0].crossEntropy([2]).item }
    #expect(abs(x.crossEntropy([2, 2, 2]).item - losses.reduce(0, +) / 3) <= 8 * Float(roundoff))
  }

  @Test func largeLogitsDoNotOverflow() {
    let logits = Tensor([1000, 0, -1000, -1e30], shape: [1, 4])
    #expect(logits.softmax().values == [1, 0, 0, 0])
    #expect(logits.logSumExp().values == [1000])
    #expect(logits.crossEntropy([2]).item == 2000)
  }

  @Test func sumsOfNothingAreZero() {
    #expect(Tensor(zeros: [0]).sum().item == 0)
    #expect(Tensor(zeros: [3, 0]).sumOfRows().values == [0, 0, 0])
    #expect(Tensor(zeros: [3, 0]).logSumExp().values == Array(repeating: -.infinity, count: 3))
  }
}
