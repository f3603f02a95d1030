import CKernels
import Tensors
import Testing

@Suite struct QuantizedMatrixTests {
  private func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var generator = Philox(seed: seed)
    return Tensor(uniform: shape, bound: 2, using: &generator)
  }

  /// A number of 8 bits is at most half a step away, a step being 1/127 of the row's largest.
  @Test func int8IsWithinHalfAStep() {
    let matrix = random([7, 33], 1)
    let rounded = QuantizedMatrix(matrix, as: .int8).dequantized
    for row in 0..<7 {
      let step = matrix[row].values.map(abs).max()! / 127
      for (a, b) in zip(matrix[row].values, rounded[row].values) {
        #expect(abs(a - b) <= step * 0.5001)
      }
    }
  }

  /// Half precision has 11 significant bits: the relative error is at most 2⁻¹¹.
  @Test func float16IsWithinItsPrecision() {
    let matrix = random([5, 40], 2)
    let rounded = QuantizedMatrix(matrix, as: .float16).dequantized
    for (a, b) in zip(matrix.values, rounded.values) { #expect(abs(a - b) <= abs(a) * 0x1p-11) }
  }

  /// Every pattern of half precision but the subnormal ones, which computing flushes to zero,
  /// against the conversion of the language.
  @Test(arguments: Compute.availableInstructionSets)
  func readsEveryHalf(set: String) throws {
    guard let kernels = unfold_kernels_named(set)?.pointee else { return }
    let patterns = Array(0...UInt16.max)
    var found = [Float](repeating: 0, count: patterns.count)
    kernels.from_float16(patterns.count, patterns, &found)
    for (pattern, value) in zip(patterns, found) {
      let sign: Float = pattern & 0x8000 == 0 ? 1 : -1
      let (exponent, fraction) = (Int(pattern >> 10) & 31, Float(pattern & 0x3FF))
      if exponent == 31 {
        #expect(fraction == 0 ? value == sign * .infinity : value.isNaN)
      } else if exponent == 0 {
        #expect(value == sign * fraction * 0x1p-24)
      } else {
        let expected = Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        #expect(value == sign * expected)
      }
    }
  }

  /// The products, on ragged sizes, against plain sums over the dequantized weights in Double.
  @Test(arguments: Compute.availableInstructionSets, WeightFormat.allCases)
  func productsEqualPlainOnes(set: String, format: WeightFormat) throws {
    guard let kernels = unfold_kernels_named(set)?.pointee else { return }
    for (rows, depth) in [(1, 1), (4, 16), (5, 31), (9, 65), (13, 200)] {
      let matrix = QuantizedMatrix(random([rows, depth], 3), as: format)
      let x = random([depth], 4).values
      var y = [Float](repeating: .nan, count: rows + 1)
      switch matrix.contents {
      case .int8(let values, let scales):
        kernels.matrix_vector_int8(rows, depth, values, scales, x, &y)
      case .float16(let values): kernels.matrix_vector_float16(rows, depth, values, x, &y)
      }
      let weights = matrix.dequantized
      for row in 0..<rows {
        let terms = zip(weights[row].values, x).map { Double($0) * Double($1) }
        // Rounding of a sum of `depth` terms of size up to 4.
        let tolerance = 1e-6 * (terms.map(abs).reduce(0, +) + 1)
        #expect(abs(Double(y[row]) - terms.reduce(0, +)) < tolerance, "\([rows, depth])")
      }
      #expect(y[rows].isNaN)
    }
  }

  @Test func aProductWithOneRowReadsTheRoundedWeights() {
    let parameter = Parameter(random([50, 37], 5))
    let x = random([1, 37], 6)
    let exact = x.times(parameter.transposed)
    parameter.quantize(as: .int8)
    let rounded = x.times(parameter.transposed)
    let many = stacked([x[0], x[0], x[0], x[0]]).times(parameter.transposed)[0]
    #expect(rounded.values != exact.values)
    for (a, b) in zip(rounded.values, many.values) { #expect(abs(a - b) < 1e-4) }
  }

  /// The last row is the smallest whose scale, a 127th of its largest number, isn't denormal.
  @Test func tinyRowsBecomeZeros() {
    let (least, normal) = (Float.leastNonzeroMagnitude, Float.leastNormalMagnitude)
    let tiny: [Float] = [
      0, -0.0, least, -least, 100 * least, -7 * least, normal.nextDown, -normal,
      127 * normal.nextDown, 0,
    ]
    let smallest = 127 * normal
    let others: [Float] = [least, 1, smallest, -normal]
    let matrix = Tensor(tiny + others, shape: [7, 2])
    let rounded = QuantizedMatrix(matrix, as: .int8).dequantized.values
    #expect(rounded.prefix(10).allSatisfy { $0 == 0 })
    #expect(Array(rounded.suffix(4)) == [0, 1, smallest, -normal])
  }

  /// Half of the last place after 65,504 is where rounding leads to infinity.
  @Test func aMatrixBeyondHalfPrecisionIsNamed() {
    struct Layer: Parameterized {
      let weight: Parameter
      let bias: Parameter
    }
    for (number, name) in [(65_519, nil), (65_520, "weight"), (-70_000, "weight")]
      as [(Float, String?)]
    {
      let layer = Layer(
        weight: Parameter(Tensor([1, number], shape: [1, 2])),
        bias: Parameter(Tensor([100_000], shape: [1])))
      #expect(layer.nameOfWeightsBeyondHalfPrecision == name)
      layer.quantize(as: .float16)
      #expect(layer.weight.value.values[1].isInfinite == (name != nil))
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aParameterThatIsNotFiniteIsNamed(number: Float) {
    struct Layer: Parameterized {
      let weight: Parameter
      let bias: Parameter
    }
    func name(weight: [Float], bias: [Float]) -> String? {
      Layer(
        weight: Parameter(Tensor(weight, shape: [2, 2])),
        bias: Parameter(Tensor(bias, shape: [2]))
      ).nameOfNonFiniteWeights
    }
    let largest = Float.greatestFiniteMagnitude
    #expect(name(weight: [1, 2, 3, largest], bias: [-largest, 0]) == nil)
    // No number that comes after hides it.
    #expect(name(weight: [number, 2, 3, 4], bias: [1, 2]) == "weight")
    #expect(name(weight: [1, 2, 3, 4], bias: [1, number]) == "bias")
  }

  @Test func weightsThatAreNotFiniteHaveNoScale() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = QuantizedMatrix(Tensor([Float.nan, 1], shape: [1, 2]), as: .int8)
    }
    #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("has no scale"))
  }

  @Test func anUpdatedParameterIsNoLongerQuantized() {
    let parameter = Parameter(random([4, 4], 7))
    parameter.quantize(as: .float16)
    #expect(parameter.quantized != nil)
    parameter.update { $0[0] = 5 }
    #expect(parameter.quantized == nil && parameter.value.values[0] == 5)
  }
}
