import Foundation
import Tensors

/// How a weight matrix starts.
public enum Initialiser: Sendable, Equatable {
  case zeros
  /// Uniform in [−bound, bound).
  case uniform(bound: Float)
  /// Uniform with variance 2 / (rows + columns): Glorot and Bengio, AISTATS 2010.
  case glorotUniform
  /// A random matrix with orthonormal rows or columns, times `gain`: Saxe et al., ICLR 2014.
  case orthogonal(gain: Float)
  /// The identity times `scale`: Le, Jaitly, Hinton, "A Simple Way to Initialize Recurrent
  /// Networks of Rectified Linear Units", 2015.
  case identity(scale: Float)

  /// A matrix `[rows, columns]`.
  public func matrix(rows: Int, columns: Int, using generator: inout Philox) -> Tensor {
    let shape: Shape = [rows, columns]
    switch self {
    case .zeros: return Tensor(zeros: shape)
    case .uniform(let bound): return Tensor(uniform: shape, bound: bound, using: &generator)
    case .glorotUniform:
      let bound = (6 / Float(rows + columns)).squareRoot()
      return Tensor(uniform: shape, bound: bound, using: &generator)
    case .orthogonal(let gain):
      let wide = rows < columns
      let (long, short) = wide ? (columns, rows) : (rows, columns)
      let vectors = Self.orthonormal(count: short, length: long, using: &generator)
      return Tensor(shape) { out in
        for row in 0..<rows {
          for column in 0..<columns {
            let value = wide ? vectors[row][column] : vectors[column][row]
            out[row * columns + column] = gain * Float(value)
          }
        }
      }
    case .identity(let scale):
      return Tensor(shape) { out in
        for index in 0..<rows * columns { out[index] = 0 }
        for index in 0..<min(rows, columns) { out[index * columns + index] = scale }
      }
    }
  }

  /// Random orthonormal vectors: Gram–Schmidt, done twice for accuracy, on normal numbers.
  private static func orthonormal(count: Int, length: Int, using generator: inout Philox)
    -> [[Double]]
  {
    var vectors: [[Double]] = []
    while vectors.count < count {
      var vector = (0..<length).map { _ in generator.normal() }
      for _ in 0..<2 {
        for other in vectors {
          var dot = 0.0
          for index in 0..<length { dot += vector[index] * other[index] }
          for index in 0..<length { vector[index] -= dot * other[index] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 1e-6 { vectors.append(vector.map { $0 / norm }) }
    }
    return vectors
  }
}

extension Philox {
  /// A number from the normal distribution with mean 0 and variance 1 (Box and Muller 1958).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniformDouble())).squareRoot()
    return radius * cos(2 * .pi * uniformDouble())
  }
}

/// How all weights of a cell start.
public struct CellInitialiser: Sendable, Equatable {
  /// Of W_ih, per gate.
  public var input: Initialiser
  /// Of W_hh, per gate.
  public var recurrent: Initialiser
  /// Of the bias vectors.
  public var bias: Initialiser
  /// What the biases of an LSTM's forget gate add up to at the start, if they are set: 1 keeps
  /// memory alive early on (Jozefowicz, Zaremba, Sutskever, ICML 2015).
  public var forgetBias: Float?

  public init(
    input: Initialiser, recurrent: Initialiser, bias: Initialiser = .zeros,
    forgetBias: Float? = nil
  ) {
    self.input = input
    self.recurrent = recurrent
    self.bias = bias
    self.forgetBias = forgetBias
  }

  /// PyTorch's: everything uniform in ±1/√H.
  public static func pytorch(hiddenSize: Int) -> CellInitialiser {
    let uniform = Initialiser.uniform(bound: 1 / Float(hiddenSize).squareRoot())
    return CellInitialiser(input: uniform, recurrent: uniform, bias: uniform)
  }

  /// Glorot for the inputs, orthogonal for the recurrence, biases zero, forget gates open.
  public static let orthogonal = CellInitialiser(
    input: .glorotUniform, recurrent: .orthogonal(gain: 1), forgetBias: 1)

  /// The weights of `gates` gates below each other, `[gates × H, columns]`.
  func stacked(
    _ initialiser: Initialiser, gates: Int, hiddenSize: Int, columns: Int,
    using generator: inout Philox
  ) -> Parameter {
    var parts: [Tensor] = []
    for _ in 0..<gates {
      parts.append(initialiser.matrix(rows: hiddenSize, columns: columns, using: &generator))
    }
    return Parameter(joined(parts))
  }

  /// A bias vector of `gates` gates, `[gates × H]`.
  func biases(gates: Int, hiddenSize: Int, using generator: inout Philox) -> Parameter {
    let column = bias.matrix(rows: gates * hiddenSize, columns: 1, using: &generator)
    return Parameter(column.reshaped([gates * hiddenSize]))
  }
}
