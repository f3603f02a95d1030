import Tensors
import Testing

/// A tensor of numbers drawn uniformly from a range.
func randomTensor(_ shape: Shape, in range: ClosedRange<Float> = -1...1, seed: UInt64) -> Tensor {
  Tensor(randomFloats(shape.count, in: range, seed: seed), shape: shape)
}

/// Holds the gradients of a function to central differences, element by element: those of the
/// outputs' sum when each element is multiplied by a random weight in ±1.
///
/// The differences are of fourth order with steps of h = 1/64 and 1/32, numbers that Floats hold, and
/// the weighted sum is made in double precision. They err by h⁴/30·f⁽⁵⁾, some 10⁻⁸, and by the
/// rounding of the outputs, of size 1 and some ulp wrong: 2⁻²³/h·√n is 10⁻⁵ for a few outputs, and
/// the tolerance three times that.
func expectGradients(
  of function: ([Tensor]) -> Tensor, inputs: [Tensor], tolerance: Double = 3e-5,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let watched = inputs.map(\.watched)
  let output = function(watched)
  let weights = randomTensor(output.shape, seed: 77)
  let gradients = output.backward(from: weights)

  func weighted(_ inputs: [Tensor]) -> Double {
    let values = withoutGradients { function(inputs).values }
    return zip(values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  for (number, input) in inputs.enumerated() {
    let found = gradients[watched[number]]?.values ?? [Float](repeating: 0, count: input.count)
    #expect(gradients[watched[number]].map { $0.shape == input.shape } ?? true)
    var worst = (error: 0.0, at: 0, expected: 0.0)
    for index in 0..<input.count {
      func moved(by step: Float) -> Double {
        var values = input.values
        values[index] += step
        var moved = inputs
        moved[number] = Tensor(values, shape: input.shape)
        return weighted(moved)
      }
      let h: Float = 1 / 64
      let near = moved(by: h) - moved(by: -h)
      let far = moved(by: 2 * h) - moved(by: -2 * h)
      let expected = (8 * near - far) / Double(12 * h)
      let error = abs(Double(found[index]) - expected) / max(1, abs(expected))
      if !(error <= worst.error) { worst = (error, index, expected) }
    }
    #expect(
      worst.error <= tolerance,
      "input \(number), element \(worst.at): \(found[worst.at]), expected \(worst.expected)",
      sourceLocation: sourceLocation)
  }
}
