import CKernels

/// Divides `count` elements into chunks for the threads. Where the cuts lie depends on `count` only.
package func forChunks(of count: Int, _ body: (Range<Int>) -> Void) {
  let chunk = 1 << 15
  let chunks = (count + chunk - 1) / chunk
  Compute.forEach(chunks, cost: chunk * 4) { index in
    body(index * chunk..<min((index + 1) * chunk, count))
  }
}

extension Tensor {
  private typealias Unary = (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  private typealias Binary = (
    Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>
  ) -> Void

  private func map(_ kernel: Unary) -> Tensor {
    Tensor(shape) { out in
      borrowing(self) {
        forChunks(of: count) { kernel($0.count, base + $0.lowerBound, out + $0.lowerBound) }
      }
    }
  }

  private func zip(_ other: Tensor, _ name: String, _ kernel: Binary) -> Tensor {
    require(
      shape == other.shape, "\(name) needs equal shapes, not \(shape) and \(other.shape)")
    return Tensor(shape) { out in
      borrowing(self, other) {
        forChunks(of: count) { range in
          let at = range.lowerBound
          kernel(range.count, base + at, other.base + at, out + at)
        }
      }
    }
  }

  /// `factor`·x + `offset`, without a record.
  package func scaled(by factor: Float, plus offset: Float = 0) -> Tensor {
    map { Compute.kernels.affine($0, factor, offset, $1, $2) }
  }

  /// The elementwise sum. - Precondition: equal shapes.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.zip(b, "+", Compute.kernels.add).recorded(from: a, b) { gradient, sink in
      sink.add(gradient, toInput: 0)
      sink.add(gradient, toInput: 1)
    }
  }

  /// The elementwise difference. - Precondition: equal shapes.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    a.zip(b, "−", Compute.kernels.subtract).recorded(from: a, b) { gradient, sink in
      sink.add(gradient, toInput: 0)
      if sink.wants(1) { sink.add(gradient.scaled(by: -1), toInput: 1) }
    }
  }

  /// The elementwise (Hadamard) product. - Precondition: equal shapes.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    a.product(b).recorded(from: a, b) { gradient, sink in
      if sink.wants(0) { sink.add(gradient.product(b), toInput: 0) }
      if sink.wants(1) { sink.add(gradient.product(a), toInput: 1) }
    }
  }

  /// The elementwise quotient. - Precondition: equal shapes.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let quotient = a.zip(b, "/", divided)
    let values = quotient.detached
    return quotient.recorded(from: a, b) { gradient, sink in
      let da = gradient.zip(b, "/", divided)
      sink.add(da, toInput: 0)
      if sink.wants(1) { sink.add(da.product(values).scaled(by: -1), toInput: 1) }
    }
  }

  private static func divided(
    _ n: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<n { out[index] = x[index] / y[index] }
  }

  private func product(_ other: Tensor) -> Tensor { zip(other, "*", Compute.kernels.multiply) }

  /// Adds a number to each element.
  public static func + (a: Tensor, b: Float) -> Tensor {
    a.scaled(by: 1, plus: b).recorded(from: a) { $1.add($0, toInput: 0) }
  }
  /// Subtracts a number from each element.
  public static func - (a: Tensor, b: Float) -> Tensor { a + -b }
  /// Subtracts each element from a number.
  public static func - (a: Float, b: Tensor) -> Tensor { -b + a }
  /// Adds a number to each element.
  public static func + (a: Float, b: Tensor) -> Tensor { b + a }

  /// Multiplies each element with a number.
  public static func * (a: Tensor, b: Float) -> Tensor {
    a.scaled(by: b).recorded(from: a) { gradient, sink in
      sink.add(gradient.scaled(by: b), toInput: 0)
    }
  }
  /// Multiplies each element with a number.
  public static func * (a: Float, b: Tensor) -> Tensor { b * a }
  /// Divides each element by a number.
  public static func / (a: Tensor, b: Float) -> Tensor { a * (1 / b) }
  /// The negative of each element.
  public static prefix func - (a: Tensor) -> Tensor { a * -1 }

  fileprivate func activation(
    _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void,
    gradient: @escaping @Sendable (_ output: Tensor, _ gradient: Tensor) -> Tensor
  ) -> Tensor {
    let output = map(kernel)
    return output.recorded(from: self) { dy, sink in
      sink.add(gradient(output, dy), toInput: 0)
    }
  }

  fileprivate func backward(
    _ gradient: Tensor,
    _ kernel: (
      Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>
    ) -> Void
  ) -> Tensor { zip(gradient, "backward", kernel) }
}

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor) -> Tensor {
  x.activation(Compute.kernels.tanh) { $0.backward($1, Compute.kernels.tanh_backward) }
}

/// 1 / (1 + e⁻ˣ) of each element.
public func sigmoid(_ x: Tensor) -> Tensor {
  x.activation(Compute.kernels.sigmoid) { $0.backward($1, Compute.kernels.sigmoid_backward) }
}

/// max(x, 0) of each element. The gradient at 0 is 0, as in PyTorch.
public func relu(_ x: Tensor) -> Tensor {
  x.activation { n, x, out in
    for index in 0..<n { out[index] = x[index] < 0 ? 0 : x[index] }  // lets NaN through
  } gradient: { output, gradient in
    output.backward(gradient) { n, y, dy, dx in
      for index in 0..<n { dx[index] = y[index] > 0 ? dy[index] : 0 }
    }
  }
}

/// eˣ of each element.
public func exp(_ x: Tensor) -> Tensor {
  x.activation(Compute.kernels.exp) { $0.backward($1, Compute.kernels.multiply) }
}
