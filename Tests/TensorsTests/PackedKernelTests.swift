import CKernels
import Tensors
import Testing

/// The products of row.h and packed.h.
@Suite struct PackedKernelTests {
  private static let depths = [1, 3, 4, 5, 127, 128, 129, 300]

  /// A row is multiplied by another function than several are: it must get the same numbers.
  @Test(arguments: KernelSet.all)
  func aRowAloneGetsTheSameNumbers(set: KernelSet) {
    for depth in [0, 1, 255, 257, 600] {
      for panels in 1...9 {
        let columns = panels * set.panel
        let x = randomFloats(depth, seed: 1)
        let packed = randomFloats(columns * depth, seed: 2)
        let bias = randomFloats(columns, seed: 3)
        for (start, accumulate) in [(nil, 0), (bias, 0), (nil, 1)] as [([Float]?, Int32)] {
          var (one, two) = (bias, bias + bias)
          for (rows, isOne) in [(1, true), (2, false)] {
            let a: [Float] = (0..<rows).flatMap { _ in x } + [0]
            a.withUnsafeBufferPointer {
              let matrix = unfold_matrix(base: $0.baseAddress!, row_stride: depth, column_stride: 1)
              func run(_ c: UnsafeMutablePointer<Float>) {
                set.functions.product(
                  rows, columns, depth, matrix, packed + [0], depth * set.panel, start, accumulate,
                  1,
                  c, columns)
              }
              if isOne { #expect(leavesTheRest(of: &one, body: run)) } else { run(&two) }
            }
          }
          #expect(one == Array(two.prefix(columns)) && two.prefix(columns) == two.suffix(columns))
        }
      }
    }
  }

  /// Half precision is widened exactly, so the numbers are those of `product` on wide weights.
  @Test(arguments: KernelSet.all)
  func float16EqualsWidenedWeights(set: KernelSet) {
    for depth in Self.depths {
      for columns in [1, set.panel, 3 * set.panel + 1, 5 * set.panel - 1] {
        let matrix = QuantizedMatrix(
          Tensor(randomFloats(columns * depth, seed: 4), shape: [columns, depth]), as: .float16)
        guard case .float16(let halves) = matrix.contents else { return }
        let wide = matrix.dequantized.values
        let panels = (columns + set.panel - 1) / set.panel
        var packed = [UInt16](repeating: 1, count: panels * depth * set.panel)
        var packedWide = [Float](repeating: .nan, count: packed.count)
        for panel in 0..<panels {
          let (first, size) = (panel * set.panel, panel * depth * set.panel)
          let count = min(set.panel, columns - first)
          packed.withUnsafeMutableBufferPointer { to in
            halves.withUnsafeBufferPointer {
              set.functions.pack_float16(
                count, depth, $0.baseAddress! + first * depth, depth, to.baseAddress! + size)
            }
          }
          packedWide.withUnsafeMutableBufferPointer { to in
            wide.withUnsafeBufferPointer {
              let from = unfold_matrix(
                base: $0.baseAddress! + first * depth, row_stride: 1, column_stride: depth)
              set.functions.pack(from, depth, count, to.baseAddress! + size)
            }
          }
        }
        let width = panels * set.panel
        let bias = randomFloats(width, seed: 5)
        for rows in [1, 2, set.tile + 1] {
          let a = randomFloats(rows * depth, seed: 6)
          var found = [Float](repeating: .nan, count: rows * width)
          var expected = found
          a.withUnsafeBufferPointer {
            let matrix = unfold_matrix(base: $0.baseAddress!, row_stride: depth, column_stride: 1)
            let untouched = leavesTheRest(of: &found) {
              set.functions.product_float16(rows, panels, depth, matrix, packed, bias, $0, width)
            }
            #expect(untouched)
            set.functions.product(
              rows, width, depth, matrix, packedWide, depth * set.panel, bias, 0, 1, &expected,
              width)
          }
          #expect(found == expected, "\([rows, columns, depth])")
        }
      }
    }
  }

  /// Against sums over the weights in Double. A number of a row is rounded by at most half a step,
  /// 1/(127·256) of the row's largest, which the weights' sizes multiply; the rest is roundoff.
  @Test(arguments: KernelSet.all)
  func int8MatchesPlainLoops(set: KernelSet) {
    for depth in Self.depths + [511, 512, 513, 1030] {
      for columns in [1, set.panel, 3 * set.panel + 1, 5 * set.panel - 1] {
        let problem = Int8Problem(set, columns: columns, depth: depth, seed: UInt64(depth))
        for rows in [1, 2, 4, 5, 9] {
          let a = randomFloats(rows * depth, in: -3...3, seed: UInt64(rows))
          let found = problem.product(a, rows: rows)
          for row in 0..<rows {
            let x = a[row * depth..<(row + 1) * depth]
            let step = Double(x.map(abs).max()!) / (127 * 256)
            let own = Array(found[row * problem.width..<row * problem.width + columns])
            let worst = worstRatio(own, problem.sums(x)) { column in
              problem.sizes[column] * (step / 2 + Double(depth + 4) * roundoff * 3) + roundoff * 8
            }
            #expect(worst <= 1, "\([rows, columns, depth]): \(worst)")
            // And the same numbers for a row alone.
            let alone = problem.product(Array(x), rows: 1)
            #expect(own == Array(alone.prefix(columns)))
          }
        }
      }
    }
  }

  /// With the rows that it takes instead, whose distances it tells. Sums are of whole numbers; each
  /// conversion, and each product with a scale, is a rounding.
  @Test(arguments: KernelSet.all)
  func sketchesAreAsFarAsTheySay(set: KernelSet) {
    for depth in Self.depths + [1030] {
      for columns in [1, set.panel, 3 * set.panel + 1, 5 * set.panel - 1] {
        let problem = Int8Problem(set, columns: columns, depth: depth, seed: UInt64(depth))
        let lengths = problem.lengths
        for rows in [1, 2, 4, 5, 11, 12, 13, 29] {
          let a = randomFloats(rows * depth, in: -3...3, seed: UInt64(rows))
          let (found, distances) = problem.sketch(a, rows: rows)
          for row in 0..<rows {
            let x = a[row * depth..<(row + 1) * depth]
            let length = x.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            // Half a step of 8 bits a number at most.
            let step = Double(x.map(abs).max()!) / 127
            let distance = Double(distances[row])
            #expect(distance <= 0.51 * step * Double(depth).squareRoot())
            let own = Array(found[row * problem.width..<row * problem.width + columns])
            let worst = worstRatio(own, problem.sums(x)) { column in
              lengths[column] * (distance * 1.001 + length * 8 * roundoff) + roundoff * 8
            }
            #expect(worst <= 1, "\([rows, columns, depth]): \(worst)")
            #expect(own == Array(problem.sketch(Array(x), rows: 1).numbers.prefix(columns)))
          }
        }
      }
    }
  }

  /// The largest sums that there are, in whole numbers: nothing overflows.
  @Test(arguments: KernelSet.all)
  func int8HoldsTheLargestSums(set: KernelSet) {
    for sign in [Float(1), -1] {
      let depth = 40_001
      let weights = (0..<2).flatMap { Array(repeating: $0 == 0 ? Float(127) : -127, count: depth) }
      let problem = Int8Problem(
        set, Tensor(weights, shape: [2, depth]), bias: Array(repeating: 0, count: set.panel))
      let a = Array(repeating: sign, count: depth)
      for found in [problem.product(a, rows: 1), problem.sketch(a, rows: 1).numbers] {
        for column in 0..<2 {
          let expected = (column == 0 ? 127 : -127) * sign * Float(depth)
          #expect(abs(found[column] - expected) <= abs(expected) * 1e-5)
        }
      }
    }
  }

  @Test(arguments: KernelSet.all)
  func int8KeepsZerosAndWhatIsNoNumber(set: KernelSet) {
    let problem = Int8Problem(set, columns: 5, depth: 21, seed: 1)
    var a = [Float](repeating: 0, count: 3 * 21)
    a[21 + 20] = .nan
    a[2 * 21] = .infinity
    let found = problem.product(a, rows: 3)
    #expect(Array(found.prefix(5)) == Array(problem.bias.prefix(5)))
    for row in 1...2 {
      #expect(found[row * problem.width..<row * problem.width + 5].allSatisfy { $0.isNaN })
    }
  }
}

/// A matrix of 8 bits in panels of one instruction set.
private struct Int8Problem {
  let set: KernelSet
  let depth: Int
  let width: Int  // of the result: all panels
  let bias: [Float]
  private let weights: Tensor
  private var packed: [UInt8]
  private var scales: [Float]

  init(_ set: KernelSet, columns: Int, depth: Int, seed: UInt64) {
    let panels = (columns + set.panel - 1) / set.panel
    self.init(
      set, Tensor(randomFloats(columns * depth, seed: seed), shape: [columns, depth]),
      bias: randomFloats(panels * set.panel, seed: seed + 1))
  }

  init(_ set: KernelSet, _ matrix: Tensor, bias: [Float]) {
    let rounded = QuantizedMatrix(matrix, as: .int8)
    guard case .int8(let values, let scales) = rounded.contents else { fatalError() }
    (self.set, self.bias) = (set, bias)
    (depth, weights) = (matrix.shape[1], rounded.dequantized)
    let panelBytes = (depth + 3) / 4 * 4 * set.panel
    let panels = (rounded.rows + set.panel - 1) / set.panel
    width = panels * set.panel
    self.scales = scales + Array(repeating: 0, count: width - rounded.rows)
    packed = Array(repeating: 77, count: panels * panelBytes)
    for panel in 0..<panels {
      let first = panel * set.panel
      packed.withUnsafeMutableBufferPointer { to in
        values.withUnsafeBufferPointer {
          set.functions.pack_int8(
            min(set.panel, rounded.rows - first), rounded.columns,
            $0.baseAddress! + first * rounded.columns, rounded.columns,
            to.baseAddress! + panel * panelBytes)
        }
      }
    }
  }

  func product(_ a: [Float], rows: Int) -> [Float] {
    product(a, rows: rows, set.functions.product_int8).numbers
  }

  /// With the distances of the rows from what is taken for them.
  func sketch(_ a: [Float], rows: Int) -> (numbers: [Float], distances: [Float]) {
    product(a, rows: rows, set.functions.product_sketch)
  }

  private typealias Product =
    @convention(c) (
      Int, Int, Int, UnsafeRawPointer, Int, UnsafePointer<UInt8>, UnsafePointer<Float>,
      UnsafePointer<Float>?, UnsafeMutablePointer<Float>, Int
    ) -> Void

  private func product(
    _ a: [Float], rows: Int, _ kernel: Product
  ) -> (numbers: [Float], distances: [Float]) {
    let rowBytes = 16 + 2 * ((depth + 15) / 16 * 16)
    let prepared = UnsafeMutableRawPointer.allocate(byteCount: rows * rowBytes, alignment: 64)
    defer { prepared.deallocate() }
    a.withUnsafeBufferPointer {
      for row in 0..<rows {
        set.functions.quantize_row(
          depth, $0.baseAddress! + row * depth, prepared + row * rowBytes)
      }
    }
    var c = [Float](repeating: .nan, count: rows * width)
    let untouched = leavesTheRest(of: &c) {
      kernel(rows, width / set.panel, depth, prepared, rowBytes, packed, scales, bias, $0, width)
    }
    #expect(untouched)
    return (c, (0..<rows).map { prepared.load(fromByteOffset: $0 * rowBytes + 12, as: Float.self) })
  }

  /// bias + W·x for each column.
  func sums(_ x: ArraySlice<Float>) -> [Double] {
    (0..<weights.shape[0]).map { column in
      zip(weights[column].values, x).reduce(Double(bias[column])) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
  }

  /// ‖w‖ of each column's weights.
  var lengths: [Double] {
    (0..<weights.shape[0]).map { column in
      weights[column].values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
  }

  /// The sums of the sizes of each column's weights.
  var sizes: [Double] {
    (0..<weights.shape[0]).map { weights[$0].values.reduce(0) { $0 + Double(abs($1)) } }
  }
}
