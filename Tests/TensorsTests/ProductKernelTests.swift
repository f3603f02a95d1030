import CKernels
import Tensors
import Testing

/// The products of product.h against plain loops in double precision.
///
/// The bound is that of Higham, "Accuracy and Stability of Numerical Algorithms" (2002), (3.5): the
/// error of a sum of n products, in whatever order, is at most n·u/(1 − n·u)·Σ|aᵢbᵢ|; one more term
/// for the bias. It holds with fused and with separate multiplication and addition, so that it is
/// also how far apart two instruction sets may be: they need not agree bit for bit.
@Suite struct ProductKernelTests {
  @Test(arguments: KernelSet.all)
  func everySizeMatchesPlainLoops(set: KernelSet) {
    for depth in [0, 1, 257] {
      let problem = ProductProblem(set: set, depth: depth)
      var variant = 0
      for columns in 1...problem.columns {
        let packed = problem.packed(columns: columns)
        for rows in 1...problem.rows {
          variant = (variant + 1) % ProductVariant.all.count
          problem.expectMatch(ProductVariant.all[variant], rows, columns, packed)
        }
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func everyVariantMatchesPlainLoops(set: KernelSet) {
    for depth in [0, 1, 255, 256, 257, 600] {
      let problem = ProductProblem(set: set, depth: depth)
      for columns in [1, set.panel - 1, set.panel, set.panel + 1, 3 * set.panel + 1] {
        let packed = problem.packed(columns: columns)
        for rows in [1, set.tile - 1, set.tile, set.tile + 1, 2 * set.tile + 1] {
          for variant in ProductVariant.all { problem.expectMatch(variant, rows, columns, packed) }
        }
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func notANumberStaysInItsRow(set: KernelSet) {
    let (rows, depth, columns) = (set.tile + 1, 300, set.panel + 3)
    var a = randomFloats(rows * depth, seed: 1)
    a[2 * depth + 299] = .nan
    let b = randomFloats(depth * columns, seed: 2)
    let packed = packedPanels(set, b, depth: depth, columns: columns, strides: (columns, 1))
    var c = [Float](repeating: 0, count: rows * columns)
    multiply(set, rows, columns, depth, a, (depth, 1), packed, into: &c)
    for row in 0..<rows {
      for column in 0..<columns { #expect(c[row * columns + column].isNaN == (row == 2)) }
    }
  }

  @Test(arguments: KernelSet.all)
  func packingKeepsEveryElementAndPadsWithZeros(set: KernelSet) {
    for depth in [0, 1, 3, 4, 5, 18] {
      for columns in 1...(2 * set.panel + 1) {
        // Columns contiguous, rows contiguous, neither.
        for (rowStride, columnStride) in [(columns + 2, 1), (1, depth + 3), (3 * columns + 1, 3)] {
          let size = max(depth - 1, 0) * rowStride + (columns - 1) * columnStride + 1
          let source = randomFloats(size, seed: UInt64(columns))
          let packed = packedPanels(
            set, source, depth: depth, columns: columns, strides: (rowStride, columnStride))
          let expected = (0..<packed.count).map { index -> Float in
            let (inPanel, k) = (index % set.panel, index / set.panel % max(depth, 1))
            let column = index / (set.panel * max(depth, 1)) * set.panel + inPanel
            return column < columns ? source[k * rowStride + column * columnStride] : 0
          }
          #expect(packed == expected, "\(depth) × \(columns), strides \(rowStride) \(columnStride)")
        }
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func matrixVectorMatchesPlainLoops(set: KernelSet) {
    for rows in [0, 1, 2, 3, 4, 5, 7, 8, 9] {
      for depth in [0, 1, set.vector, set.panel - 1, set.panel, 3 * set.panel + 1, 600] {
        let stride = depth + 3
        var w = randomFloats(rows * stride, seed: UInt64(depth + 1))
        for row in 0..<rows { for k in depth..<stride { w[row * stride + k] = .nan } }
        let x = randomFloats(depth, seed: 5)
        let bias = randomFloats(rows, seed: 6)
        for usesBias in [false, true] {
          var y = [Float](repeating: .nan, count: rows)
          let untouched = leavesTheRest(of: &y) {
            set.functions.matrix_vector(rows, depth, w, stride, x, usesBias ? bias : nil, $0)
          }
          #expect(untouched)
          var sums: [Double] = []
          var sizes: [Double] = []
          for row in 0..<rows {
            var terms = (0..<depth).map { Double(w[row * stride + $0]) * Double(x[$0]) }
            if usesBias { terms.append(Double(bias[row])) }
            sums.append(terms.reduce(0, +))
            sizes.append(terms.reduce(0) { $0 + abs($1) })
          }
          let worst = worstRatio(y, sums) { Double(depth + 1) * roundoff * sizes[$0] }
          #expect(worst <= 1, "\(rows) × \(depth)")
        }
      }
    }
  }
}

/// A matrix in panels, straight from the kernel.
private func packedPanels(
  _ set: KernelSet, _ source: [Float], depth: Int, columns: Int, strides: (row: Int, column: Int)
) -> [Float] {
  let panels = (columns + set.panel - 1) / set.panel
  var packed = [Float](repeating: .nan, count: panels * depth * set.panel)
  let untouched = leavesTheRest(of: &packed) { packed in
    source.withUnsafeBufferPointer {
      let matrix = unfold_matrix(
        base: $0.baseAddress!, row_stride: strides.row, column_stride: strides.column)
      set.functions.pack(matrix, depth, columns, packed)
    }
  }
  #expect(untouched)
  return packed
}

private func multiply(
  _ set: KernelSet, _ rows: Int, _ columns: Int, _ depth: Int, _ a: [Float],
  _ strides: (row: Int, column: Int), _ packed: [Float], bias: [Float]? = nil,
  accumulate: Bool = false, padded: Bool = false, into c: inout [Float], stride: Int? = nil
) {
  a.withUnsafeBufferPointer {
    let matrix = unfold_matrix(
      base: $0.baseAddress!, row_stride: strides.row, column_stride: strides.column)
    set.functions.product(
      rows, columns, depth, matrix, packed, depth * set.panel, bias, accumulate ? 1 : 0,
      padded ? 1 : 0, &c, stride ?? columns)
  }
}

/// How a product may be asked for.
private struct ProductVariant {
  enum Start { case zero, bias, accumulation }
  let alongRows: Bool
  let start: Start
  let padded: Bool

  static let all = [true, false].flatMap { alongRows in
    [Start.zero, .bias, .accumulation].flatMap { start in
      [false, true].map { ProductVariant(alongRows: alongRows, start: start, padded: $0) }
    }
  }
}

/// Matrices of one depth, the sums of all their products, and the sums' sizes.
private struct ProductProblem {
  let set: KernelSet
  let depth: Int
  let rows: Int
  let columns: Int
  private let width: Int  // of c and of the bias: all panels
  private let rowMajor: [Float]  // rows of depth + 2, NaN in the gaps
  private let columnMajor: [Float]  // columns of rows + 1, likewise
  private let b: [Float]
  private let bias: [Float]
  private let start: [Float]
  private let sums: [Double]
  private let sizes: [Double]

  init(set: KernelSet, depth: Int) {
    let (rows, columns) = (2 * set.tile + 1, 3 * set.panel + 1)
    let a = randomFloats(rows * depth, seed: 1)
    let b = randomFloats(depth * columns, seed: 2)
    var rowMajor = [Float](repeating: .nan, count: rows * (depth + 2))
    var columnMajor = [Float](repeating: .nan, count: (rows + 1) * (depth + 1))
    var sums = [Double](repeating: 0, count: rows * columns)
    var sizes = sums
    for row in 0..<rows {
      for k in 0..<depth {
        let factor = Double(a[row * depth + k])
        rowMajor[row * (depth + 2) + k] = Float(factor)
        columnMajor[k * (rows + 1) + row] = Float(factor)
        for column in 0..<columns {
          let term = factor * Double(b[k * columns + column])
          sums[row * columns + column] += term
          sizes[row * columns + column] += abs(term)
        }
      }
    }
    (self.set, self.depth, self.rows, self.columns) = (set, depth, rows, columns)
    (self.rowMajor, self.columnMajor, self.b) = (rowMajor, columnMajor, b)
    (self.sums, self.sizes) = (sums, sizes)
    width = (columns + set.panel - 1) / set.panel * set.panel
    bias = randomFloats(width, seed: 3)
    start = randomFloats(rows * width, seed: 4)
  }

  func packed(columns: Int) -> [Float] {
    packedPanels(set, b, depth: depth, columns: columns, strides: (self.columns, 1))
  }

  func expectMatch(_ variant: ProductVariant, _ rows: Int, _ columns: Int, _ packed: [Float]) {
    let stride = width + 3
    let written = variant.padded ? (columns + set.panel - 1) / set.panel * set.panel : columns
    var c = [Float](repeating: canary, count: (self.rows + 1) * stride)
    if variant.start == .accumulation {
      for row in 0..<rows {
        for column in 0..<written { c[row * stride + column] = start[row * width + column] }
      }
    }
    var bias = self.bias
    for column in written..<width { bias[column] = .nan }
    multiply(
      set, rows, columns, depth, variant.alongRows ? rowMajor : columnMajor,
      variant.alongRows ? (depth + 2, 1) : (1, self.rows + 1), packed,
      bias: variant.start == .zero ? nil : bias, accumulate: variant.start == .accumulation,
      padded: variant.padded, into: &c, stride: stride)

    var worst = 0.0
    var untouched = true
    for row in 0...self.rows {
      for column in 0..<stride {
        let found = c[row * stride + column]
        if row >= rows || column >= written {
          untouched = untouched && found == canary
        } else if column < columns {
          let first =
            switch variant.start {
            case .zero: 0.0
            case .bias: Double(bias[column])
            case .accumulation: Double(start[row * width + column])
            }
          let at = row * self.columns + column
          let bound = Double(depth + 1) * roundoff * (sizes[at] + abs(first))
          let error = abs(Double(found) - sums[at] - first)
          worst = error <= bound ? max(worst, error) : .infinity
        }
      }
    }
    #expect(worst.isFinite && untouched, "\(rows) × \(columns), depth \(depth), \(variant)")
  }
}
