import CKernels

/// A weight matrix W laid out for decoding: for the product x·Wᵀ of one row or some, again and again.
///
/// Packed panels as `unfold_kernels.pack` makes them, of Float32, or of 8 or 16 bits where the matrix
/// was quantized. A row's results don't depend on the rows beside it.
package final class PackedWeights: @unchecked Sendable {
  /// Panels of the result, each `Compute.panelWidth` columns.
  package let panels: Int
  package let depth: Int
  /// Nil for Float32.
  package let format: WeightFormat?
  // Pointers into the storages, so that a product counts no references. Unchecked: never written.
  private let base: UnsafeMutableRawPointer
  private let scales: UnsafeMutablePointer<Float>
  private let storages: [Storage]

  /// - Parameters:
  ///   - matrix: `[gates × H, N]`.
  ///   - columns: which of the N columns; all if not given.
  ///   - gates: how many; a panel holds units of one gate, and the gates of the same units stand side
  ///     by side. The last panel of each gate is filled up with zeros.
  package convenience init(_ matrix: Tensor, columns: Range<Int>? = nil, gates: Int = 1) {
    require(matrix.shape.rank == 2, "only a matrix can be packed, not shape \(matrix.shape)")
    let source = Source(
      stride: matrix.shape[1], columns: columns ?? 0..<matrix.shape[1], gates: gates,
      size: matrix.shape[0] / gates)
    if let quantized = matrix.storage.quantized.withLock({ $0 }) {
      self.init(quantized, source)
    } else {
      self.init(source, format: nil, [source.packed(matrix)])
    }
  }

  /// Packs all columns of a matrix of 8 or 16 bits.
  package convenience init(_ matrix: QuantizedMatrix) {
    self.init(
      matrix,
      Source(stride: matrix.columns, columns: 0..<matrix.columns, gates: 1, size: matrix.rows))
  }

  private convenience init(_ matrix: QuantizedMatrix, _ source: Source) {
    switch matrix.contents {
    case .float16(let values): self.init(source, format: .float16, [source.packed(values)])
    case .int8(let values, let scales):
      self.init(source, format: .int8, [source.packed(values), source.spread(scales)])
    }
  }

  private init(_ source: Source, format: WeightFormat?, _ storages: [Storage]) {
    (panels, depth) = (source.panels, source.columns.count)
    (self.format, self.storages) = (format, storages)
    base = UnsafeMutableRawPointer(storages[0].base)
    scales = storages[storages.count - 1].base
  }

  /// Floats that `prepare` writes for a row: 0 if rows are used as they are.
  package var preparedSize: Int { format == .int8 ? Self.preparedSize(depth: depth) : 0 }

  /// The same for weights of 8 bits.
  package static func preparedSize(depth: Int) -> Int { 4 + (depth + 15) / 16 * 8 }

  /// Rounds rows for products with weights of 8 bits; does nothing for others.
  ///
  /// - Parameters:
  ///   - a: rows of `depth` numbers, `stride` apart.
  ///   - prepared: room for `preparedSize` floats a row.
  package func prepare(
    rows: Int, _ a: UnsafePointer<Float>, stride: Int, into prepared: UnsafeMutablePointer<Float>
  ) {
    guard format == .int8 else { return }
    for row in 0..<rows {
      Compute.kernels.quantize_row(depth, a + row * stride, prepared + row * preparedSize)
    }
  }

  /// c = a·Wᵀ + bias, for some panels of it.
  ///
  /// - Parameters:
  ///   - a: rows of `depth` numbers, `stride` apart.
  ///   - prepared: what `prepare` made of them.
  ///   - bias: of all panels.
  ///   - c: place of the first panel's first row; rows are `outputStride` apart.
  package func multiply(
    rows: Int, panels range: Range<Int>, _ a: UnsafePointer<Float>, stride: Int,
    prepared: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>, outputStride: Int
  ) {
    let width = Compute.panelWidth
    let (column, size) = (range.lowerBound * width, depth * width)
    let rowsOfA = unfold_matrix(base: a, row_stride: stride, column_stride: 1)
    switch format {
    case nil:
      let packed = base.assumingMemoryBound(to: Float.self) + range.lowerBound * size
      Compute.kernels.product(
        rows, range.count * width, depth, rowsOfA, packed, size, bias + column, 0, 1, c,
        outputStride)
    case .float16:
      let packed = base.assumingMemoryBound(to: UInt16.self) + range.lowerBound * size
      Compute.kernels.product_float16(
        rows, range.count, depth, rowsOfA, packed, bias + column, c, outputStride)
    case .int8:
      let panelBytes = (depth + 3) / 4 * 4 * width
      let packed = base.assumingMemoryBound(to: UInt8.self) + range.lowerBound * panelBytes
      Compute.kernels.product_int8(
        rows, range.count, depth, prepared, 4 * preparedSize, packed, scales + column,
        bias + column, c, outputStride)
    }
  }

  /// As `multiply`, for weights of 8 bits, with rows of as few bits where that is faster.
  package func sketch(
    rows: Int, panels range: Range<Int>, prepared: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, outputStride: Int
  ) {
    require(format == .int8, "only a product with weights of 8 bits has a sketch")
    let column = range.lowerBound * Compute.panelWidth
    let packed = base.assumingMemoryBound(to: UInt8.self) + column * ((depth + 3) / 4 * 4)
    Compute.kernels.product_sketch(
      rows, range.count, depth, prepared, 4 * preparedSize, packed, scales + column, bias + column,
      c, outputStride)
  }

  /// At least the distance of a row from what a sketch takes for it.
  package func sketchError(ofRow row: Int, prepared: UnsafePointer<Float>) -> Float {
    prepared[row * preparedSize + 3]
  }

  /// The matrix that is being packed.
  private struct Source {
    /// Columns of the whole matrix, and which of them are packed.
    let stride: Int
    let columns: Range<Int>
    let gates: Int
    let size: Int  // units of a gate

    var panels: Int { Panels.count(size) * gates }

    /// Calls `body` for each panel with the row of W and the number of rows that it begins with.
    func forEachPanel(_ body: (_ panel: Int, _ row: Int, _ count: Int) -> Void) {
      let width = Compute.panelWidth
      Compute.forEach(panels, cost: 4 * columns.count * width) { panel in
        let (block, gate) = (panel / gates, panel % gates)
        body(panel, gate * size + block * width, min(width, size - block * width))
      }
    }

    func packed(_ matrix: Tensor) -> Storage {
      let panelSize = columns.count * Compute.panelWidth
      let packed = Storage(count: panels * panelSize)
      borrowing(matrix) {
        forEachPanel { panel, row, count in
          let from = unfold_matrix(
            base: matrix.base + row * stride + columns.lowerBound, row_stride: 1,
            column_stride: stride)
          Compute.kernels.pack(from, columns.count, count, packed.base + panel * panelSize)
        }
      }
      return packed
    }

    func packed(_ values: [UInt16]) -> Storage {
      let panelSize = columns.count * Compute.panelWidth
      let packed = Storage(count: (panels * panelSize + 1) / 2)
      values.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        forEachPanel { panel, row, count in
          Compute.kernels.pack_float16(
            count, columns.count, base + row * stride + columns.lowerBound, stride,
            packed.halves + panel * panelSize)
        }
      }
      return packed
    }

    func packed(_ values: [Int8]) -> Storage {
      let panelBytes = (columns.count + 3) / 4 * 4 * Compute.panelWidth
      let packed = Storage(count: panels * panelBytes / 4)
      values.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        forEachPanel { panel, row, count in
          Compute.kernels.pack_int8(
            count, columns.count, base + row * stride + columns.lowerBound, stride,
            packed.bytes + panel * panelBytes)
        }
      }
      return packed
    }

    func spread(_ scales: [Float]) -> Storage {
      let width = Compute.panelWidth
      let spread = Storage(count: panels * width)
      forEachPanel { panel, row, count in
        for unit in 0..<width {
          spread.base[panel * width + unit] = unit < count ? scales[row + unit] : 0
        }
      }
      return spread
    }
  }
}

extension Storage {
  fileprivate var halves: UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt16.self)
  }
  fileprivate var bytes: UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt8.self)
  }
}
