import CKernels

/// The transpose of a matrix, as an operand of `times`; nothing is moved in memory.
public struct Transposed: Sendable {
  package let matrix: Tensor

  /// Aᵀ·B. A: `[K, M]`, B: `[K, N]` → `[M, N]`.
  public func times(_ other: Tensor) -> Tensor {
    let a = matrix
    require(
      a.shape.rank == 2 && other.shape.rank == 2 && a.shape[0] == other.shape[0],
      "Aᵀ·B needs equal first dimensions, not \(a.shape) and \(other.shape)")
    let product = Product(a: a, transposeA: true, b: other, transposeB: false)
    let shape: Shape = [a.shape[1], other.shape[1]]
    return product.result(shape: shape).recorded(from: a, other) { dc, sink in
      if sink.wants(0) { sink.add(other.detached.times(dc.transposed), toInput: 0) }
      if sink.wants(1) { sink.add(a.detached.times(dc), toInput: 1) }
    }
  }

  /// Aᵀ·Bᵀ. A: `[K, M]`, B: `[N, K]` → `[M, N]`.
  public func times(_ other: Transposed) -> Tensor {
    let (a, b) = (matrix, other.matrix)
    require(
      a.shape.rank == 2 && b.shape.rank == 2 && a.shape[0] == b.shape[1],
      "Aᵀ·Bᵀ needs A's first dimension to equal B's second, not \(a.shape) and \(b.shape)")
    let product = Product(a: a, transposeA: true, b: b, transposeB: true)
    return product.result(shape: [a.shape[1], b.shape[0]]).recorded(from: a, b) { dc, sink in
      if sink.wants(0) { sink.add(b.detached.transposed.times(dc.transposed), toInput: 0) }
      if sink.wants(1) { sink.add(dc.transposed.times(a.detached.transposed), toInput: 1) }
    }
  }
}

extension Tensor {
  /// The transpose of this matrix, for `times`.
  public var transposed: Transposed {
    require(shape.rank == 2, "only a matrix has a transpose, not shape \(shape)")
    return Transposed(matrix: self)
  }

  /// A·B. A: `[…, K]`, B: `[K, N]` → `[…, N]`.
  public func times(_ other: Tensor) -> Tensor {
    require(
      other.shape.rank == 2 && shape.rank > 0 && shape[-1] == other.shape[0],
      "A·B needs A's last dimension to equal B's first, not \(shape) and \(other.shape)")
    let product = Product(a: self, transposeA: false, b: other, transposeB: false)
    let a = self
    return product.result(shape: shape.replacingLast(with: other.shape[1]))
      .recorded(from: a, other) { dc, sink in
        if sink.wants(0) { sink.add(dc.times(other.unrecorded.transposed), toInput: 0) }
        sink.addProduct(a.asMatrix, dc.asMatrix, toInput: 1)
      }
  }

  /// A·Bᵀ. A: `[…, K]`, B: `[N, K]` → `[…, N]`: a layer whose weights are stored as in PyTorch.
  public func times(_ other: Transposed) -> Tensor {
    let b = other.matrix
    require(
      shape.rank > 0 && shape[-1] == b.shape[1],
      "A·Bᵀ needs equal last dimensions, not \(shape) and \(b.shape)")
    let product = Product(a: self, transposeA: false, b: b, transposeB: true)
    let a = self
    return product.result(shape: shape.replacingLast(with: b.shape[0]))
      .recorded(from: a, b) { dc, sink in
        if sink.wants(0) { sink.add(dc.times(b.unrecorded), toInput: 0) }
        sink.addProduct(dc.asMatrix, a.asMatrix, toInput: 1)
      }
  }

  /// All dimensions but the last taken as rows, without a record.
  private var asMatrix: Tensor {
    let (rows, columns) = shape.asMatrix
    return Tensor(storage: storage, offset: offset, shape: [rows, columns])
  }

  /// As `detached`, but still known as a weight whose packed form is worth keeping.
  private var unrecorded: Tensor {
    var copy = detached
    copy.keepsPacked = keepsPacked
    return copy
  }
}

/// One matrix product, in any transposition: packs B, then multiplies on the panels.
private struct Product {
  let a: Tensor
  let transposeA: Bool
  let b: Tensor
  let transposeB: Bool

  func result(shape: Shape) -> Tensor {
    let (rows, columns) = shape.asMatrix
    let depth = transposeB ? b.shape[1] : b.shape[0]
    return Profile.measure(.stepProducts, operations: 2 * rows * columns * depth) {
      Tensor(shape) { c in compute(rows: rows, columns: columns, depth: depth, into: c) }
    }
  }

  private func compute(rows: Int, columns: Int, depth: Int, into c: UnsafeMutablePointer<Float>) {
    guard rows > 0, columns > 0 else { return }
    borrowing(a, b) {
      if rows < 4, transposeB, !transposeA, depth > 0 {
        return multiplyRowByRow(rows: rows, columns: columns, depth: depth, into: c)
      }
      let left = unfold_matrix(
        base: a.base, row_stride: transposeA ? 1 : depth, column_stride: transposeA ? rows : 1)
      PanelProduct(
        rows: rows, columns: columns, depth: depth, a: left,
        packed: packedB(depth: depth, columns: columns), into: c, stride: columns
      ).run()
    }
  }

  /// For a row or three, reading the weights as they are is all that there is to do.
  private func multiplyRowByRow(
    rows: Int, columns: Int, depth: Int, into c: UnsafeMutablePointer<Float>
  ) {
    let chunk = 128
    let quantized = b.keepsPacked ? b.storage.quantized.withLock { $0 } : nil
    Compute.forEach((columns + chunk - 1) / chunk, cost: chunk * depth) { index in
      let from = index * chunk
      let end = min(from + chunk, columns)
      for row in 0..<rows {
        let (x, y) = (a.base + row * depth, c + row * columns + from)
        if let quantized {
          quantized.multiply(x, rows: from..<end, into: y)
        } else {
          Compute.kernels.matrix_vector(end - from, depth, b.base + from * depth, depth, x, nil, y)
        }
      }
    }
  }

  private func packedB(depth: Int, columns: Int) -> Storage {
    let pack = {
      let source = unfold_matrix(
        base: b.base, row_stride: transposeB ? 1 : columns,
        column_stride: transposeB ? depth : 1)
      return Panels.packed(source, depth: depth, columns: columns)
    }
    guard b.keepsPacked else { return pack() }
    let layout = PackedLayout(
      offset: b.offset, depth: depth, columns: columns, transposed: transposeB)
    if let kept = b.storage.packed.withLock({ $0[layout] }) { return kept }
    let packed = pack()
    b.storage.packed.withLock { $0[layout] = packed }
    return packed
  }
}

/// Packed panels: see `unfold_kernels.pack`.
package enum Panels {
  /// The number of panels that hold `columns` columns.
  package static func count(_ columns: Int) -> Int {
    (columns + Compute.panelWidth - 1) / Compute.panelWidth
  }

  /// Packs a matrix `[depth, columns]`.
  package static func packed(_ source: unfold_matrix, depth: Int, columns: Int) -> Storage {
    let width = Compute.panelWidth
    let panels = count(columns)
    let packed = Storage(count: panels * depth * width)
    Compute.forEach(panels, cost: depth * width * 4) { panel in
      var part = source
      part.base = source.base + panel * width * source.column_stride
      Compute.kernels.pack(
        part, depth, min(width, columns - panel * width), packed.base + panel * depth * width)
    }
    return packed
  }
}

/// c = a·packed (+ c or + bias), divided among the threads.
package struct PanelProduct {
  package var rows: Int
  package var columns: Int
  package var depth: Int
  package var a: unfold_matrix
  package var packed: Storage
  package var bias: Storage?
  package var accumulate = false
  /// Whether the padding of the last panel is written too.
  package var padded = false
  package var into: UnsafeMutablePointer<Float>
  package var stride: Int

  package init(
    rows: Int, columns: Int, depth: Int, a: unfold_matrix, packed: Storage,
    bias: Storage? = nil, accumulate: Bool = false, padded: Bool = false,
    into: UnsafeMutablePointer<Float>, stride: Int
  ) {
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.a = a
    self.packed = packed
    self.bias = bias
    self.accumulate = accumulate
    self.padded = padded
    self.into = into
    self.stride = stride
  }

  /// Rows of A whose part under one depth block stays in a second-level cache.
  private static let rowBlock = 224

  package func run() {
    let width = Compute.panelWidth
    let panels = Panels.count(columns)
    let rowBlocks = (rows + Self.rowBlock - 1) / Self.rowBlock
    // Some tasks for each thread, so that a thread that is slowed down takes fewer.
    let groups = max(1, min(panels, (8 * Compute.threads + rowBlocks - 1) / rowBlocks))
    let rowsPerBlock = (rows + rowBlocks - 1) / max(rowBlocks, 1)
    Compute.forEach(rowBlocks * groups, work: 2 * rows * columns * depth) {
      let (block, group) = ($0 / groups, $0 % groups)
      let row = block * rowsPerBlock
      let firstPanel = panels * group / groups
      let endPanel = panels * (group + 1) / groups
      let column = firstPanel * width
      var part = a
      part.base = a.base + row * a.row_stride
      Compute.kernels.product(
        min(rowsPerBlock, rows - row), min(endPanel * width, columns) - column, depth, part,
        packed.base + firstPanel * depth * width, depth * width, bias.map { $0.base + column },
        accumulate ? 1 : 0, padded ? 1 : 0, into + row * stride + column, stride)
    }
  }
}
