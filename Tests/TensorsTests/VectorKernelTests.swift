import Foundation
import Tensors
import Testing

/// exp, sigmoid and tanh of vector.h against Foundation's in double precision.
@Suite struct VectorKernelTests {
  /// Floats spread over ±limit, dense around zero: each magnitude from 1e-6 up.
  private static func spread(over limit: Float) -> [Float] {
    let even = stride(from: -limit, through: limit, by: limit / 100_000)
    let fine = (0..<20_000).map { limit * Float(pow(10, -7 * Double($0) / 20_000)) }
    return Array(even) + fine + fine.map(-) + [0]
  }

  private typealias Kernel = (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

  private static func apply(_ kernel: Kernel, _ x: [Float]) -> [Float] {
    var y = [Float](repeating: .nan, count: x.count)
    kernel(x.count, x, &y)
    return y
  }

  /// The documented 2 ulp are at most 4 roundoffs of the value.
  @Test(arguments: KernelSet.all)
  func expIsWithinTwoUlp(set: KernelSet) {
    let x = Self.spread(over: 87.3)
    let expected = x.map { Foundation.exp(Double($0)) }
    #expect(
      worstRatio(Self.apply(set.functions.exp, x), expected) { 4 * roundoff * expected[$0] } <= 1)
  }

  /// exp errs by 4 roundoffs, the sum and the quotient by one each.
  @Test(arguments: KernelSet.all)
  func sigmoidIsWithinSixRoundoffs(set: KernelSet) {
    let x = Self.spread(over: 87)
    let expected = x.map { 1 / (1 + Foundation.exp(-Double($0))) }
    let found = Self.apply(set.functions.sigmoid, x)
    #expect(worstRatio(found, expected) { 6 * roundoff * expected[$0] } <= 1)
    #expect(found.allSatisfy { (0...1).contains($0) })
  }

  /// The approximation of Eigen states 4 ulp, at most 8 roundoffs of the value.
  @Test(arguments: KernelSet.all)
  func tanhIsWithinFourUlp(set: KernelSet) {
    let x = Self.spread(over: 20)
    let expected = x.map { Foundation.tanh(Double($0)) }
    let found = Self.apply(set.functions.tanh, x)
    #expect(worstRatio(found, expected) { 8 * roundoff * abs(expected[$0]) } <= 1)
    #expect(found.allSatisfy { (-1...1).contains($0) })
  }

  @Test(arguments: KernelSet.all)
  func theEndsOfTheRangeAreTheLimits(set: KernelSet) {
    let ends: [Float] = [.infinity, -.infinity, 1e30, -1e30, 200, -200]
    #expect(Self.apply(set.functions.exp, ends) == [.infinity, 0, .infinity, 0, .infinity, 0])
    #expect(Self.apply(set.functions.tanh, ends) == [1, -1, 1, -1, 1, -1])
    #expect(Self.apply(set.functions.sigmoid, ends) == [1, 0, 1, 0, 1, 0])
    #expect(Self.apply(set.functions.exp, [0, -0.0]) == [1, 1])
    #expect(Self.apply(set.functions.tanh, [0]) == [0])
    #expect(Self.apply(set.functions.sigmoid, [0]) == [0.5])
  }

  /// Up to where the result is no longer a normal number.
  @Test(arguments: KernelSet.all)
  func expReachesTheLargestAndSmallestNumbers(set: KernelSet) {
    let x: [Float] = [88.1, 88.5, 88.72, 88.7228, -87.31, -87.33, -87.3365]
    let expected = x.map { Foundation.exp(Double($0)) }
    #expect(
      worstRatio(Self.apply(set.functions.exp, x), expected) { 4 * roundoff * expected[$0] } <= 1)
  }

  @Test(arguments: KernelSet.all)
  func notANumberStaysSo(set: KernelSet) {
    for kernel in [set.functions.exp, set.functions.tanh, set.functions.sigmoid] {
      for position in 0..<(set.vector + 1) {
        var x = [Float](repeating: 1, count: set.vector + 1)
        x[position] = .nan
        let y = Self.apply({ kernel($0, $1, $2) }, x)
        #expect(y.indices.allSatisfy { y[$0].isNaN == ($0 == position) })
      }
    }
  }
}
