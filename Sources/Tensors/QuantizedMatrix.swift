import CKernels

/// How weights are kept small.
public enum WeightFormat: String, Codable, Sendable, CaseIterable {
  /// 8 bits a weight, and a scale a row: w[n, k] = scale[n]·q[n, k], q in −127 … 127.
  case int8
  /// Half precision, IEEE binary16: 11 bits of accuracy.
  case float16
}

/// A weight matrix `[N, K]` of fewer bits, for products with one row or a few.
///
/// Generating one stream of text reads every weight once a token, so that the time it takes is that
/// of reading them.
public final class QuantizedMatrix: Sendable {
  public let rows: Int
  public let columns: Int
  public let contents: Contents

  public enum Contents: Sendable {
    case int8([Int8], scales: [Float])
    case float16([UInt16])
  }

  /// - Precondition: as many numbers as rows × columns, and a scale a row.
  public init(rows: Int, columns: Int, contents: Contents) {
    switch contents {
    case .int8(let values, let scales):
      require(
        values.count == rows * columns && scales.count == rows,
        "\(values.count) weights and \(scales.count) scales for \([rows, columns])")
    case .float16(let values):
      require(values.count == rows * columns, "\(values.count) weights for \([rows, columns])")
    }
    (self.rows, self.columns, self.contents) = (rows, columns, contents)
  }

  /// Rounds a matrix. A row of 8 bits whose scale would be denormal, its numbers being below
  /// 1.5·10⁻³⁶, becomes zeros.
  ///
  /// - Precondition: numbers are finite, for 8 bits.
  public convenience init(_ matrix: Tensor, as format: WeightFormat) {
    require(matrix.shape.rank == 2, "only a matrix can be quantized, not shape \(matrix.shape)")
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    let contents = matrix.withValues { values -> Contents in
      switch format {
      case .float16:
        return .float16(
          [UInt16](unsafeUninitializedCapacity: values.count) { buffer, count in
            if let from = values.baseAddress, let to = buffer.baseAddress {
              Compute.kernels.to_float16(values.count, from, to)
            }
            count = values.count
          })
      case .int8:
        var scales = [Float](repeating: 1, count: rows)
        let quantized = [Int8](unsafeUninitializedCapacity: values.count) { buffer, count in
          scales.withUnsafeMutableBufferPointer { scales in
            nonisolated(unsafe) let (buffer, scales) = (buffer, scales)
            Compute.forEach(rows, cost: 8 * columns) { row in
              let part = row * columns..<(row + 1) * columns
              scales[row] = Self.round(
                UnsafeBufferPointer(rebasing: values[part]),
                into: UnsafeMutableBufferPointer(rebasing: buffer[part]))
            }
          }
          count = values.count
        }
        return .int8(quantized, scales: scales)
      }
    }
    self.init(rows: rows, columns: columns, contents: contents)
  }

  /// Rounds a row to 8 bits a number and returns its scale.
  private static func round(
    _ numbers: UnsafeBufferPointer<Float>, into rounded: UnsafeMutableBufferPointer<Int8>
  ) -> Float {
    var (largest, sum): (Float, Float) = (0, 0)
    for number in numbers {
      largest = max(largest, abs(number))
      sum += number * 0
    }
    require(sum == 0, "a row of weights that aren't finite has no scale")
    let step = largest / 127
    // Denormals have few bits or count as zero; by 1, such numbers round to 0.
    let scale: Float = step < .leastNormalMagnitude ? 1 : step
    for index in numbers.indices {
      rounded[index] = Int8((numbers[index] / scale).rounded())
    }
    return scale
  }

  /// Calls `body` with each row in Float32, which it may change; several at once.
  package func forEachRow(_ body: (_ row: Int, _ values: UnsafeMutablePointer<Float>) -> Void) {
    Compute.forEach(rows, cost: 8 * columns) { row in
      withPooled(Float.self, count: columns) { room in
        guard let base = room.baseAddress else { return }
        widen(row, into: base)
        body(row, base)
      }
    }
  }

  private func widen(_ row: Int, into out: UnsafeMutablePointer<Float>) {
    let start = row * columns
    switch contents {
    case .int8(let values, let scales):
      for column in 0..<columns { out[column] = Float(values[start + column]) * scales[row] }
    case .float16(let values):
      values.withUnsafeBufferPointer { values in
        guard let from = values.baseAddress else { return }
        Compute.kernels.from_float16(columns, from + start, out)
      }
    }
  }

  /// The matrix in Float32.
  public var dequantized: Tensor {
    Tensor([rows, columns]) { out in
      for row in 0..<rows { widen(row, into: out + row * columns) }
    }
  }

  /// Matrices one below the other; nil if they aren't all of one format.
  fileprivate convenience init?(joining parts: [QuantizedMatrix]) {
    var (bytes, scales, halves): ([Int8], [Float], [UInt16]) = ([], [], [])
    for part in parts {
      switch part.contents {
      case .int8(let values, let ownScales): (bytes, scales) = (bytes + values, scales + ownScales)
      case .float16(let values): halves += values
      }
    }
    guard let columns = parts.first?.columns, bytes.isEmpty != halves.isEmpty else { return nil }
    self.init(
      rows: parts.reduce(0) { $0 + $1.rows }, columns: columns,
      contents: halves.isEmpty ? .int8(bytes, scales: scales) : .float16(halves))
  }

  /// y = W·x, for the rows `range` of W.
  func multiply(
    _ x: UnsafePointer<Float>, rows range: Range<Int>, into y: UnsafeMutablePointer<Float>
  ) {
    let start = range.lowerBound * columns
    switch contents {
    case .int8(let values, let scales):
      values.withUnsafeBufferPointer { values in
        scales.withUnsafeBufferPointer { scales in
          guard let w = values.baseAddress, let scale = scales.baseAddress else { return }
          Compute.kernels.matrix_vector_int8(
            range.count, columns, w + start, scale + range.lowerBound, x, y)
        }
      }
    case .float16(let values):
      values.withUnsafeBufferPointer { values in
        guard let w = values.baseAddress else { return }
        Compute.kernels.matrix_vector_float16(range.count, columns, w + start, x, y)
      }
    }
  }
}

extension Parameter {
  /// Replaces a matrix by a rounded one: its value is what the rounded numbers stand for, and
  /// products with a few rows read them directly.
  public func quantize(as format: WeightFormat) { setQuantized(QuantizedMatrix(value, as: format)) }

  /// Takes a rounded matrix as its value.
  public func setQuantized(_ matrix: QuantizedMatrix) {
    let value = matrix.dequantized
    value.storage.quantized.withLock { $0 = matrix }
    self.value = value
  }

  /// The rounded matrix that this is, if it is one.
  public var quantized: QuantizedMatrix? { value.storage.quantized.withLock { $0 } }
}

/// Matrices `[…, K]` one below the other, rounded if all of them are, in one format.
package func joinedRows(of matrices: [Parameter]) -> Tensor {
  let whole = joined(matrices.map(\.value))
  let quantized = matrices.compactMap(\.quantized)
  if matrices.count > 1, quantized.count == matrices.count {
    whole.storage.quantized.withLock { $0 = QuantizedMatrix(joining: quantized) }
  }
  return whole
}

extension Parameterized {
  /// Rounds all matrices; vectors stay as they are.
  public func quantize(as format: WeightFormat) {
    for (_, parameter) in parameters where parameter.shape.rank == 2 {
      parameter.quantize(as: format)
    }
  }

  /// The name of the first parameter that has NaN or an infinity in it; nil if none has.
  public var nameOfNonFiniteWeights: String? { nameOfWeights { !$0.isFinite } }

  /// The name of the first matrix with a number that would be infinite in half precision, nil if
  /// there is none.
  public var nameOfWeightsBeyondHalfPrecision: String? {
    nameOfWeights(inMatricesOnly: true) { abs($0) >= 65_520 }
  }

  private func nameOfWeights(
    inMatricesOnly: Bool = false, where isFound: (Float) -> Bool
  ) -> String? {
    let found = parameters.first { entry in
      (!inMatricesOnly || entry.parameter.shape.rank == 2)
        && entry.parameter.value.withValues { values in values.contains(where: isFound) }
    }
    return found?.name
  }

  /// The size of all parameters, as they are kept in a file.
  public var weightBytes: Int {
    parameters.reduce(0) { total, entry in
      switch entry.parameter.quantized?.contents {
      case .int8(let values, let scales): total + values.count + 4 * scales.count
      case .float16(let values): total + 2 * values.count
      case nil: total + 4 * entry.parameter.shape.count
      }
    }
  }
}
