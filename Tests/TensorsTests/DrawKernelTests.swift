import CKernels
import Foundation
import Tensors
import Testing

/// The kernels of draw.h.
@Suite struct DrawKernelTests {
  /// −ln(−ln u) in double precision, from the numbers that `Philox` gives.
  private static func plainGumbel(_ count: Int, key: UInt64, stream: UInt64, first: UInt64)
    -> [Double]
  {
    (0..<count).map { index in
      let (chunk, part, place) = (index / 64, index % 64 / 16, index % 16)
      let block = Philox.block(key: key, counter: (first &+ UInt64(16 * chunk + place), stream))
      return -log(-log((Double(block[part] >> 1) + 0.5) * 0x1p-31))
    }
  }

  /// −ln u is off by a roundoff of u, which is the most of it at 2⁻⁹: by a part of 2⁻¹⁵, and as much
  /// again for roundings on the way. Noise is its logarithm.
  @Test(arguments: KernelSet.all)
  func noiseIsThatOfItsBlocks(set: KernelSet) {
    for count in set.raggedLengths {
      for (key, stream, first) in [(0, 0, 0), (.max, 1 << 40, .max - 3), (7, 3, 1 << 32 - 5)]
        as [(UInt64, UInt64, UInt64)]
      {
        var found = [Float](repeating: .nan, count: count)
        let untouched = leavesTheRest(of: &found) {
          set.functions.gumbel(count, key, stream, first, $0)
        }
        #expect(untouched)
        let expected = Self.plainGumbel(count, key: key, stream: stream, first: first)
        #expect(worstRatio(found, expected) { _ in 0x1p-14 } <= 1)
      }
    }
  }

  /// A million numbers: the mean of the distribution is Euler's constant, the variance π²/6, and
  /// P(g > x) = 1 − exp(−e^−x). Each within five standard deviations.
  @Test func noiseHasItsDistribution() {
    let count = 1 << 20
    var generator = Philox(seed: 5)
    var noise = [Float](repeating: 0, count: count)
    noise.withUnsafeMutableBufferPointer { generator.fillWithGumbelNoise($0) }
    let mean = noise.reduce(0) { $0 + Double($1) } / Double(count)
    #expect(abs(mean - 0.577_215_66) < 5 * (.pi * .pi / 6 / Double(count)).squareRoot())
    for level in [-1.5, 0, 3, 8, 11] {
      let p = -expm1(-exp(-level))
      let above = Double(noise.count { Double($0) > level }) / Double(count)
      #expect(abs(above - p) < 5 * (p * (1 - p) / Double(count)).squareRoot(), "\(level)")
    }
  }

  @Test func noiseTakesNumbersOfItsOwn() {
    var generator = Philox(seed: 1)
    _ = generator.next()
    var noise = [Float](repeating: 0, count: 65)
    noise.withUnsafeMutableBufferPointer { generator.fillWithGumbelNoise($0) }
    #expect(generator.position == 2 + 64)
    var same = Philox(seed: 1, position: 2)
    var again = noise
    again.withUnsafeMutableBufferPointer { same.fillWithGumbelNoise($0) }
    #expect(noise == again && same == generator)
  }

  @Test(arguments: KernelSet.all)
  func theLargestIsTheFirstOfEquals(set: KernelSet) {
    for count in set.raggedLengths where count > 0 {
      var x = randomFloats(count, seed: UInt64(count))
      let expected = x.indices.max { x[$0] < x[$1] }!
      #expect(set.functions.largest(count, x) == expected)
      for place in [count / 3, count / 2, count - 1] { x[place] = 2 }
      #expect(set.functions.largest(count, x) == count / 3)
      x[0] = .nan
      #expect(
        set.functions.largest(count, x)
          == (count / 3 > 0 ? count / 3 : count > 1 ? x.firstIndex(of: 2)! : 0))
    }
    #expect(set.functions.largest(3, [.nan, .nan, .nan]) == 0)
    #expect(set.functions.largest(3, [-.infinity, -.infinity, -.infinity]) == 0)
  }

  /// Of numbers with errors, those that may be the largest: none is missing and, but for rounding,
  /// none is too many.
  @Test(arguments: KernelSet.all)
  func contendersAreThoseWithinTheirErrors(set: KernelSet) {
    for count in set.raggedLengths where count > 0 {
      let x = randomFloats(count, seed: 1)
      let (u, v) = (
        randomFloats(count, in: 0...1, seed: 2), randomFloats(count, in: 0...1, seed: 3)
      )
      var found = [Int32](repeating: -1, count: count)
      let kept = set.functions.contenders(count, x, 0.02, u, 0.05, v, 0.001, &found)
      let errors = zip(u, v).map { 0.001 + 0.02 * $0 + 0.05 * $1 }
      let least = zip(x, errors).map { $0 - $1 }.max()!
      let certain = x.indices.filter { x[$0] + errors[$0] >= least + 1e-6 }
      let possible = x.indices.filter { x[$0] + errors[$0] >= least - 1e-6 }
      let places = Set(found.prefix(kept).map(Int.init))
      #expect(places.count == kept)
      #expect(places.isSuperset(of: certain) && places.isSubset(of: possible))
    }
    var found = [Int32](repeating: 0, count: 2)
    #expect(set.functions.contenders(2, [.nan, .nan], 0, [0, 0], 0, [0, 0], 1, &found) == 0)
  }

  /// Number for number what a product with all rows gets.
  @Test(arguments: KernelSet.all)
  func chosenRowsEqualTheProduct(set: KernelSet) {
    let rows = 2 * set.panel + 3
    let width = 3 * set.panel
    for depth in [1, 5, 127, 300, 1000] {
      let w = randomFloats(rows * depth, seed: 1)
      let x = randomFloats(depth, seed: 2)
      let bias = randomFloats(rows, seed: 3) + Array(repeating: 0, count: width - rows)
      var packed = [Float](repeating: 0, count: width * depth)
      var all = [Float](repeating: 0, count: width)
      w.withUnsafeBufferPointer { w in
        x.withUnsafeBufferPointer { x in
          set.functions.pack(
            unfold_matrix(base: w.baseAddress!, row_stride: 1, column_stride: depth), depth, rows,
            &packed)
          set.functions.product(
            1, width, depth,
            unfold_matrix(base: x.baseAddress!, row_stride: depth, column_stride: 1), packed,
            depth * set.panel, bias, 0, 1, &all, width)
        }
      }
      for count in [0, 1, 2, set.vector, set.vector + 1, rows] {
        let chosen = (0..<count).map { Int32(($0 * 7 + 3) % rows) }
        var found = [Float](repeating: .nan, count: count)
        let untouched = leavesTheRest(of: &found) {
          set.functions.chosen_rows(count, chosen, depth, w, depth, x, bias, $0)
        }
        #expect(untouched)
        #expect(found == chosen.map { all[Int($0)] })
      }
    }
  }
}
