import CKernels

/// A vector that stands for a matrix of equal rows: broadcasting, where the code says so.
///
///     let z = x.times(weight.transposed) + bias.broadcast
public struct Broadcast: Sendable {
  package let vector: Tensor

  fileprivate func check(_ x: Tensor, _ operation: String) {
    require(
      x.shape.rank > 0 && x.shape[-1] == vector.count,
      "\(operation) with a broadcast row needs its length last, not \(x.shape) and \(vector.shape)")
  }
}

extension Tensor {
  /// This vector, to be added to or multiplied with every row of another tensor.
  ///
  /// - Precondition: rank 1.
  public var broadcast: Broadcast {
    require(shape.rank == 1, "only a vector can be broadcast over rows, not shape \(shape)")
    return Broadcast(vector: self)
  }

  /// Adds a vector to every row. x: `[…, N]`, vector: `[N]`.
  public static func + (x: Tensor, row: Broadcast) -> Tensor {
    row.check(x, "+")
    let sum = x.eachRow { n, from, out in
      Compute.kernels.add(n, from, row.vector.base, out)
    }
    return sum.recorded(from: x, row.vector) { gradient, sink in
      sink.add(gradient, toInput: 0)
      if sink.wants(1) { sink.add(gradient.columnSums, toInput: 1) }
    }
  }

  /// Multiplies every row with a vector. x: `[…, N]`, vector: `[N]`.
  public static func * (x: Tensor, row: Broadcast) -> Tensor {
    row.check(x, "*")
    let vector = row.vector
    let multiplied: @Sendable (Tensor) -> Tensor = { x in
      x.eachRow { n, from, out in
        borrowing(vector) { Compute.kernels.multiply(n, from, vector.base, out) }
      }
    }
    return multiplied(x).recorded(from: x, vector) { gradient, sink in
      if sink.wants(0) { sink.add(multiplied(gradient), toInput: 0) }
      if sink.wants(1) { sink.add((gradient.detached * x.detached).columnSums, toInput: 1) }
    }
  }

  /// Adds a vector to every row.
  public static func + (row: Broadcast, x: Tensor) -> Tensor { x + row }
  /// Multiplies every row with a vector.
  public static func * (row: Broadcast, x: Tensor) -> Tensor { x * row }
  /// Subtracts a vector from every row.
  public static func - (x: Tensor, row: Broadcast) -> Tensor { x + (-row.vector).broadcast }

  private func eachRow(
    _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let (rows, columns) = shape.asMatrix
    return Tensor(shape) { out in
      borrowing(self) {
        Compute.forEach(rows, cost: columns) { row in
          kernel(columns, base + row * columns, out + row * columns)
        }
      }
    }
  }

  /// The sum of all rows, `[…, N]` → `[N]`, in the order of the rows.
  package var columnSums: Tensor {
    let (rows, columns) = shape.asMatrix
    return Tensor([columns]) { out in
      out.update(repeating: 0, count: columns)
      let chunk = 256
      borrowing(self) {
        Compute.forEach((columns + chunk - 1) / chunk, cost: rows * chunk) { index in
          let from = index * chunk
          let width = min(chunk, columns - from)
          Compute.kernels.add_rows(rows, width, base + from, columns, out + from)
        }
      }
    }
  }
}
