import Foundation
import Tensors

/// A tensor as the fixtures, results of PyTorch, hold it.
struct SavedTensor: Decodable {
  var shape: [Int]
  var values: [Float]
  var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
}

/// What a fixture of this name holds.
func fixture<Contents: Decodable>(_ name: String) throws -> Contents {
  let path = Bundle.module.bundleURL.appending(path: "Fixtures/\(name).json")
  return try JSONDecoder().decode(Contents.self, from: Data(contentsOf: path))
}

/// Gradients for these parameters, as `backward()` gives them: d(Σ p·g)/dp = g.
func gradients(_ pairs: [(Parameter, Tensor)]) -> Gradients {
  let terms = pairs.map { parameter, gradient in (parameter.tensor * gradient).sum() }
  guard let first = terms.first else { return Tensor(0).backward() }
  return terms.dropFirst().reduce(first, +).backward()
}

func normalNoise(_ shape: Shape, seed: UInt64) -> Tensor {
  var generator = Philox(seed: seed)
  return (0..<4).map { _ in Tensor(uniform: shape, bound: 1, using: &generator) }
    .reduce(Tensor(zeros: shape), +)
}

func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
  zip(a, b).map { abs($0 - $1) }.reduce(0) { $1 > $0 || $1.isNaN ? $1 : $0 }
}
