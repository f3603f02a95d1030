import CKernels
import Foundation
import Testing

/// elementwise.h without the optimisers: every length, the tails, and that nothing past n is written.
@Suite struct ElementwiseKernelTests {
  @Test(arguments: KernelSet.all)
  func arithmeticIsCorrectlyRoundedToTheLastElement(set: KernelSet) {
    for n in set.raggedLengths {
      let a = randomFloats(n, seed: 1)
      let b = randomFloats(n, seed: 2)
      var out = [Float](repeating: .nan, count: n)
      #expect(leavesTheRest(of: &out) { set.functions.add(n, a, b, $0) })
      #expect(out == zip(a, b).map { $0 + $1 })
      #expect(leavesTheRest(of: &out) { set.functions.subtract(n, a, b, $0) })
      #expect(out == zip(a, b).map { $0 - $1 })
      #expect(leavesTheRest(of: &out) { set.functions.multiply(n, a, b, $0) })
      #expect(out == zip(a, b).map { $0 * $1 })
      // The result may replace an operand.
      var first = a
      #expect(leavesTheRest(of: &first) { set.functions.subtract(n, $0, b, $0) })
      #expect(first == zip(a, b).map { $0 - $1 })
      var second = b
      #expect(leavesTheRest(of: &second) { set.functions.subtract(n, a, $0, $0) })
      #expect(second == zip(a, b).map { $0 - $1 })
    }
  }

  /// Each column is added up in the order of the rows, so the sums are these to the last bit.
  @Test(arguments: KernelSet.all)
  func rowsAreAddedInOrder(set: KernelSet) {
    let rows = 5
    for n in set.raggedLengths {
      let stride = n + 3
      let a = randomFloats(rows * stride, seed: 1)
      let start = randomFloats(n, seed: 2)
      var sums = start
      #expect(leavesTheRest(of: &sums) { set.functions.add_rows(rows, n, a, stride, $0) })
      let expected = (0..<n).map { column in
        (0..<rows).reduce(start[column]) { $0 + a[$1 * stride + column] }
      }
      #expect(sums == expected)
    }
  }

  /// Two roundings of numbers whose size is at most |a·b| + |c|.
  @Test(arguments: KernelSet.all)
  func multiplyAddsErrByTwoRoundingsAtMost(set: KernelSet) {
    for n in set.raggedLengths {
      let (a, b, c) = (
        randomFloats(n, seed: 1), randomFloats(n, seed: 2), randomFloats(n, seed: 3)
      )
      var found = c
      #expect(leavesTheRest(of: &found) { set.functions.multiply_add(n, a, b, $0) })
      expectClose(found, (0..<n).map { (Double(a[$0]) * Double(b[$0]), Double(c[$0])) })
      found = c
      #expect(leavesTheRest(of: &found) { set.functions.scale_add(n, 0.3, a, $0) })
      expectClose(found, (0..<n).map { (Double(Float(0.3)) * Double(a[$0]), Double(c[$0])) })
      #expect(leavesTheRest(of: &found) { set.functions.affine(n, 0.3, -0.7, a, $0) })
      expectClose(
        found, a.map { (Double(Float(0.3)) * Double($0), Double(Float(-0.7))) })
    }
  }

  /// Three roundings: of the square, of the difference and of the product.
  @Test(arguments: KernelSet.all)
  func activationGradientsErrByThreeRoundingsAtMost(set: KernelSet) {
    for n in set.raggedLengths {
      let y = randomFloats(n, seed: 1)
      let dy = randomFloats(n, seed: 2)
      var dx = [Float](repeating: .nan, count: n)
      #expect(leavesTheRest(of: &dx) { set.functions.tanh_backward(n, y, dy, $0) })
      let tanhs = (0..<n).map { Double(dy[$0]) * (1 - Double(y[$0]) * Double(y[$0])) }
      #expect(worstRatio(dx, tanhs) { 3 * roundoff * abs(Double(dy[$0])) } <= 1)
      #expect(leavesTheRest(of: &dx) { set.functions.sigmoid_backward(n, y, dy, $0) })
      let sigmoids = (0..<n).map { Double(dy[$0]) * Double(y[$0]) * (1 - Double(y[$0])) }
      #expect(worstRatio(dx, sigmoids) { 3.01 * roundoff * abs(sigmoids[$0]) } <= 1)
    }
  }

  /// Activations write no further than n, and the tail as they write the rest.
  @Test(arguments: KernelSet.all)
  func activationsTreatTheTailAsTheRest(set: KernelSet) {
    let functions = set.functions
    for kernel in [functions.exp, functions.tanh, functions.sigmoid] {
      let x = randomFloats(4 * set.panel, in: -5...5, seed: 3)
      var whole = x
      kernel(x.count, x, &whole)
      for n in 0...(2 * set.panel) {
        var part = [Float](repeating: .nan, count: n)
        #expect(leavesTheRest(of: &part) { kernel(n, x, $0) })
        #expect(part == Array(whole.prefix(n)))
      }
    }
  }

  /// A run of 4096 is kept in 4·W sums, which are added up pairwise and then one by one: no number
  /// goes through more than 4096 / 4W + W + 2 additions (one more for its square).
  @Test(arguments: KernelSet.all)
  func sumsMatchPlainLoops(set: KernelSet) {
    let additions = Double(4096 / (4 * set.vector) + set.vector + 3)
    for n in set.raggedLengths + [9001] {
      let a = randomFloats(n, in: -1...3, seed: 7)
      let size = a.reduce(0) { $0 + abs(Double($1)) }
      let sum = a.reduce(0) { $0 + Double($1) }
      let squares = a.reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(set.functions.sum(n, a) - sum) <= additions * roundoff * size)
      #expect(abs(set.functions.sum_of_squares(n, a) - squares) <= additions * roundoff * squares)
    }
    #expect(set.functions.sum(3, [1, .nan, 2]).isNaN)
  }

  @Test(arguments: KernelSet.all)
  func softmaxMatchesPlainLoops(set: KernelSet) {
    for n in set.raggedLengths.dropFirst() {
      for range in [Float(-1)...1, -30...30, 1000...1010] {
        let x = randomFloats(n, in: range, seed: 8)
        var row = x
        var found = 0.0
        #expect(leavesTheRest(of: &row) { found = set.functions.softmax(n, $0) })
        let (expected, logSum) = plainSoftmax(x)
        #expect(abs(found - logSum) <= softmaxError(set, n))
        #expect(worstRatio(row, expected) { softmaxError(set, n) * expected[$0] + 1e-37 } <= 1)
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func crossEntropyAndItsGradientMatchPlainLoops(set: KernelSet) {
    for n in set.raggedLengths.dropFirst() {
      let x = randomFloats(n, in: -4...4, seed: 9)
      let (softmax, logSum) = plainSoftmax(x)
      for target in Set([0, n / 2, n - 1]) {
        let loss = logSum - Double(x[target])
        var row = x
        var found = 0.0
        #expect(leavesTheRest(of: &row) { found = set.functions.cross_entropy(n, $0, target, 0.5) })
        #expect(abs(found - loss) <= softmaxError(set, n))
        let expected = softmax.enumerated().map { 0.5 * ($1 - ($0 == target ? 1 : 0)) }
        #expect(worstRatio(row, expected) { _ in softmaxError(set, n) } <= 1)
        // Without a scale, the loss alone.
        row = x
        #expect(set.functions.cross_entropy(n, &row, target, 0) == found)
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func oneHugeClassTakesAllWithoutOverflow(set: KernelSet) {
    let n = 2 * set.panel + 3
    for huge in [0, set.vector, n - 1] {
      var row = [Float](repeating: -1e30, count: n)
      row[huge] = 1e30
      var softmax = row
      #expect(set.functions.softmax(n, &softmax) == Double(Float(1e30)))
      #expect(softmax == (0..<n).map { $0 == huge ? 1 : 0 })
      var logits = row
      #expect(set.functions.cross_entropy(n, &logits, huge, 1) == 0)
      #expect(logits.allSatisfy { $0 == 0 })
      let other = (huge + 1) % n
      #expect(set.functions.cross_entropy(n, &row, other, 1) == 2 * Double(Float(1e30)))
      #expect(row == (0..<n).map { $0 == huge ? 1 : $0 == other ? -1 : 0 })
    }
  }

  /// How an unwanted class is masked.
  @Test(arguments: KernelSet.all)
  func minusInfinityHasNoProbabilityAndNotANumberIsSeen(set: KernelSet) {
    for n in [1, 2, set.vector, set.panel + 1] {
      var row = [Float](repeating: -.infinity, count: n) + [2, 3]
      _ = set.functions.softmax(n + 2, &row)
      #expect(row.prefix(n).allSatisfy { $0 == 0 })
      for position in 0..<n {
        var diverged = [Float](repeating: 1, count: n)
        diverged[position] = .nan
        #expect(set.functions.cross_entropy(n, &diverged, 0, 1).isNaN)
      }
    }
  }

  /// The exponentials err by 4 roundoffs, the differences before them by |x| of 60 roundoffs at
  /// most, their sum by an addition for every W of them and for every lane, the quotient by 2.
  private func softmaxError(_ set: KernelSet, _ n: Int) -> Double {
    Double(66 + n / set.vector + 2 * set.vector) * roundoff
  }

  private func plainSoftmax(_ x: [Float]) -> (probabilities: [Double], logSum: Double) {
    let top = Double(x.max()!)
    let sum = x.reduce(0) { $0 + Foundation.exp(Double($1) - top) }
    return (x.map { Foundation.exp(Double($0) - top) / sum }, top + Foundation.log(sum))
  }

  /// Each found number is the sum of the pair, but for two roundings.
  private func expectClose(_ found: [Float], _ terms: [(Double, Double)]) {
    let worst = worstRatio(found, terms.map { $0.0 + $0.1 }) {
      2 * roundoff * (abs(terms[$0].0) + abs(terms[$0].1))
    }
    #expect(worst <= 1)
  }
}
