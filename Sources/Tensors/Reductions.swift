import CKernels
import Foundation

extension Tensor {
  /// The sum of all elements, a scalar.
  public func sum() -> Tensor {
    let shape = shape
    let total = Tensor(Float(borrowing(self) { Compute.kernels.sum(count, base) }))
    return total.recorded(from: self) { gradient, sink in
      sink.add(Tensor(shape, repeating: gradient.item), toInput: 0)
    }
  }

  /// The mean of all elements, a scalar.
  public func mean() -> Tensor { sum() * (1 / Float(count)) }

  /// The sum over the last dimension: `[…, N]` → `[…]`.
  public func sumOfRows() -> Tensor {
    let (rows, columns) = shape.asMatrix
    let shape = shape
    let sums = reduced { _, row in Compute.kernels.sum(columns, row) }
    return sums.recorded(from: self) { gradient, sink in
      let spread = Tensor(shape) { out in
        borrowing(gradient) {
          for row in 0..<rows {
            (out + row * columns).update(repeating: gradient.base[row], count: columns)
          }
        }
      }
      sink.add(spread, toInput: 0)
    }
  }

  /// e^xᵢ / Σⱼ e^xⱼ over the last dimension.
  public func softmax() -> Tensor {
    let (output, _) = normalised()
    return output.recorded(from: self) { gradient, sink in
      // dx = y ⊙ (dy − Σⱼ yⱼ dyⱼ)
      let (rows, columns) = output.shape.asMatrix
      let dx = Tensor(output.shape) { out in
        borrowing(output, gradient) {
          for row in 0..<rows {
            let y = output.base + row * columns
            let dy = gradient.base + row * columns
            var dot: Float = 0
            for j in 0..<columns { dot += y[j] * dy[j] }
            for j in 0..<columns { out[row * columns + j] = y[j] * (dy[j] - dot) }
          }
        }
      }
      sink.add(dx, toInput: 0)
    }
  }

  /// ln Σⱼ e^xⱼ over the last dimension, without overflow: `[…, N]` → `[…]`.
  public func logSumExp() -> Tensor {
    let (probabilities, sums) = normalised()
    return sums.recorded(from: self) { gradient, sink in
      let (rows, columns) = probabilities.shape.asMatrix
      let dx = Tensor(probabilities.shape) { out in
        borrowing(probabilities, gradient) {
          for row in 0..<rows {
            let at = row * columns
            Compute.kernels.affine(
              columns, gradient.base[row], 0, probabilities.base + at, out + at)
          }
        }
      }
      sink.add(dx, toInput: 0)
    }
  }

  /// The mean over all rows of −ln softmax(x)[target], in nats: a scalar.
  ///
  /// x: logits `[…, V]`; as many targets, each in `0..<V`, as there are rows.
  public func crossEntropy(_ targets: [Int32]) -> Tensor {
    let (rows, columns) = shape.asMatrix
    require(
      rows == targets.count, "\(targets.count) targets for logits of shape \(shape)")
    for target in targets {
      require(target >= 0 && target < columns, "there is no class \(target) in \(shape)")
    }
    var losses = [Double](repeating: 0, count: rows)
    let scale = 1 / Float(rows)
    let dx = Tensor(shape) { out in
      losses.withUnsafeMutableBufferPointer { losses in
        let losses = UncheckedPointer(losses.baseAddress)
        borrowing(self) {
          Compute.forEach(rows, cost: 16 * columns) { row in
            let logits = out + row * columns
            logits.update(from: base + row * columns, count: columns)
            losses.pointer?[row] = Compute.kernels.cross_entropy(
              columns, logits, Int(targets[row]), scale)
          }
        }
      }
    }
    return Tensor(Float(losses.reduce(0, +) / Double(rows))).recorded(from: self) {
      gradient, sink in
      sink.add(dx.scaled(by: gradient.item), toInput: 0)
    }
  }

  /// Σ x², in double precision.
  package var sumOfSquares: Double {
    borrowing(self) { Compute.kernels.sum_of_squares(count, base) }
  }

  private func reduced(_ body: (Int, UnsafePointer<Float>) -> Double) -> Tensor {
    let (rows, columns) = shape.asMatrix
    return Tensor(Shape(shape.dimensions.dropLast())) { out in
      borrowing(self) {
        for row in 0..<rows { out[row] = Float(body(row, base + row * columns)) }
      }
    }
  }

  /// The softmax of each row, and the logarithms of what each was divided by.
  private func normalised() -> (probabilities: Tensor, logSums: Tensor) {
    let (rows, columns) = shape.asMatrix
    var logSums = [Float](repeating: 0, count: rows)
    let probabilities = Tensor(shape) { out in
      borrowing(self) {
        for row in 0..<rows {
          let to = out + row * columns
          to.update(from: base + row * columns, count: columns)
          logSums[row] = Float(Compute.kernels.softmax(columns, to))
        }
      }
    }
    return (probabilities, Tensor(logSums, shape: Shape(shape.dimensions.dropLast())))
  }
}

/// A pointer that threads share; each writes elements of its own.
package struct UncheckedPointer<Element>: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Element>?
  package init(_ pointer: UnsafeMutablePointer<Element>?) { self.pointer = pointer }
}
