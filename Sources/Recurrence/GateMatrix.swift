import CKernels
import Tensors

/// A weight matrix of all gates, `[gates × H, N]`, or some columns of one.
struct GateMatrix {
  let tensor: Tensor
  let columns: Range<Int>

  init(_ tensor: Tensor, columns: Range<Int>? = nil) {
    self.tensor = tensor
    self.columns = columns ?? 0..<tensor.shape[1]
  }

  var stride: Int { tensor.shape[1] }
  var base: UnsafeMutablePointer<Float> { tensor.base + columns.lowerBound }
}

/// How a fused unfold lays out gates: units in blocks as wide as a packed panel; within a block the
/// gates side by side, a gate a panel. A tile of a product then holds what a block's arithmetic
/// needs. The last block is filled up with units whose weights are zero; they stay zero.
struct GateLayout {
  let gates: Int
  let hiddenSize: Int
  let blockWidth: Int
  let blocks: Int
  /// H, filled up to whole blocks: the width of a row of a state buffer.
  let paddedSize: Int
  /// The width of a row of gate values.
  let columns: Int
  /// Floats from one row of gate values to the next; one cache line more than the row, so that
  /// rows don't fall on the same places of a cache.
  let stride: Int

  init(gates: Int, hiddenSize: Int) {
    self.gates = gates
    self.hiddenSize = hiddenSize
    blockWidth = Compute.panelWidth
    blocks = (hiddenSize + blockWidth - 1) / blockWidth
    paddedSize = blocks * blockWidth
    columns = gates * paddedSize
    stride = columns + 16
  }

  /// The units of a block that exist.
  func units(of block: Int) -> Int { min(blockWidth, hiddenSize - block * blockWidth) }

  /// The place of a gate of a block in a row of gate values.
  func column(block: Int, gate: Int) -> Int { (block * gates + gate) * blockWidth }

  /// The row of the weight matrix for the first unit of a block.
  func weightRow(block: Int, gate: Int) -> Int { gate * hiddenSize + block * blockWidth }

  /// Wᵀ packed for x·Wᵀ, whose result has this layout: `[columns / width][N][width]`.
  func packedColumns(of matrix: GateMatrix) -> Storage {
    Profile.measure(.packing) { packColumns(of: matrix) }
  }

  private func packColumns(of matrix: GateMatrix) -> Storage {
    let depth = matrix.columns.count
    let packed = Storage(count: columns * depth)
    Compute.forEach(blocks * gates, cost: 4 * depth * blockWidth) { panel in
      let (block, gate) = (panel / gates, panel % gates)
      let source = unfold_matrix(
        base: matrix.base + weightRow(block: block, gate: gate) * matrix.stride, row_stride: 1,
        column_stride: matrix.stride)
      Compute.kernels.pack(
        source, depth, units(of: block), packed.base + panel * depth * blockWidth)
    }
    return packed
  }

  /// W packed for dz·W, where dz has this layout: `[N / width][columns][width]`.
  func packedRows(of matrix: GateMatrix) -> Storage {
    Profile.measure(.packing) { packRows(of: matrix) }
  }

  private func packRows(of matrix: GateMatrix) -> Storage {
    let (width, count) = (blockWidth, matrix.columns.count)
    let panels = Panels.count(count)
    let packed = Storage(count: panels * columns * width)
    Compute.forEach(panels, cost: 4 * columns * width) { panel in
      for part in 0..<blocks * gates {
        let (block, gate) = (part / gates, part % gates)
        let (to, rows) = (packed.base + (panel * columns + part * width) * width, units(of: block))
        let row = weightRow(block: block, gate: gate)
        let source = unfold_matrix(
          base: matrix.base + row * matrix.stride + panel * width, row_stride: matrix.stride,
          column_stride: 1)
        Compute.kernels.pack(source, rows, min(width, count - panel * width), to)
        (to + rows * width).update(repeating: 0, count: (width - rows) * width)
      }
    }
    return packed
  }

  /// The sum of bias vectors `[gates × H]`, in this layout.
  func spread(_ biases: [Tensor]) -> Storage {
    let spread = Storage(count: columns)
    spread.base.update(repeating: 0, count: columns)
    for bias in biases {
      borrowing(bias) {
        forEachPart { column, row, units in
          for unit in 0..<units { spread.base[column + unit] += bias.base[row + unit] }
        }
      }
    }
    return spread
  }

  /// The reverse of `spread`: values in this layout as a vector `[gates × H]`.
  func gathered(_ values: Storage) -> Tensor {
    Tensor([gates * hiddenSize]) { out in
      forEachPart { column, row, units in
        (out + row).update(from: values.base + column, count: units)
      }
    }
  }

  /// dW = dzᵀ·x, where dz has this layout: `[R, columns]`, and x is `[R, N]`.
  ///
  /// - Parameter into: the place of dW, `[gates × H, N]`, with `stride` floats from row to row.
  func weightGradient(
    dz: Storage, rows: Int, x: unfold_matrix, count: Int,
    into dW: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let width = blockWidth
    let packed = Panels.packed(x, depth: rows, columns: count)
    let panels = Panels.count(count)
    // A part's columns of dz stay in a second-level cache while all panels pass by, unless there are
    // so few parts that threads would have nothing to do.
    let groups = max(1, min(panels, (8 * Compute.threads + blocks * gates - 1) / (blocks * gates)))
    let work = 2 * rows * columns * count
    Compute.forEach(blocks * gates * groups, work: work) { task in
      let (group, part) = (task / (blocks * gates), task % (blocks * gates))
      let (block, gate) = (part / gates, part % gates)
      let first = panels * group / groups
      let end = panels * (group + 1) / groups
      let a = unfold_matrix(
        base: dz.base + column(block: block, gate: gate), row_stride: 1, column_stride: self.stride)
      Compute.kernels.product(
        units(of: block), min(end * width, count) - first * width, rows, a,
        packed.base + first * rows * width, rows * width, nil, 0, 0,
        dW + weightRow(block: block, gate: gate) * stride + first * width, stride)
    }
  }

  /// The sum of rows of gate values, in this layout.
  func columnSums(_ dz: Storage, rows: Int) -> Storage {
    let sums = Storage(count: columns)
    let chunk = 256
    Compute.forEach((columns + chunk - 1) / chunk, cost: rows * chunk) { index in
      let from = index * chunk
      let count = min(chunk, columns - from)
      let sum = sums.base + from
      sum.update(repeating: 0, count: count)
      Compute.kernels.add_rows(rows, count, dz.base + from, stride, sum)
    }
    return sums
  }

  private func forEachPart(_ body: (_ column: Int, _ row: Int, _ units: Int) -> Void) {
    for block in 0..<blocks {
      for gate in 0..<gates {
        body(
          column(block: block, gate: gate), weightRow(block: block, gate: gate), units(of: block))
      }
    }
  }
}
