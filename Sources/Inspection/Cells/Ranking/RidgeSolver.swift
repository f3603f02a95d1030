import Tensors

/// Sums of a layer's numbers and of their products over some positions: Xᵀ·1 and Xᵀ·X.
struct UnitMoments {
  /// As many positions as are multiplied at once in single precision.
  static let block = 2048

  let count: Int
  private(set) var sums: [Double]
  private(set) var products: [Double]

  /// - Parameter positions: ascending.
  init(
    _ recording: UnitRecording, _ layer: UnitRecording.Layer, at positions: ArraySlice<Int32>
  ) {
    count = positions.count
    let size = layer.size
    sums = [Double](repeating: 0, count: size)
    products = [Double](repeating: 0, count: size * size)
    for start in stride(from: positions.startIndex, to: positions.endIndex, by: Self.block) {
      let x = recording.block(
        at: positions[start..<min(start + Self.block, positions.endIndex)], units: layer.units)
      let ones = Tensor([x.shape[1], 1], repeating: 1)
      let (product, sum) = withoutGradients { (x.times(x.transposed), x.times(ones)) }
      Self.add(product, to: &products)
      Self.add(sum, to: &sums)
    }
  }

  private static func add(_ tensor: Tensor, to sums: inout [Double]) {
    tensor.withValues { values in
      sums.withUnsafeMutableBufferPointer { sums in
        for index in sums.indices { sums[index] += Double(values[index]) }
      }
    }
  }

  private init(count: Int, sums: [Double], products: [Double]) {
    (self.count, self.sums, self.products) = (count, sums, products)
  }

  static func - (a: UnitMoments, b: UnitMoments) -> UnitMoments {
    UnitMoments(
      count: a.count - b.count, sums: zip(a.sums, b.sums).map { $0 - $1 },
      products: zip(a.products, b.products).map { $0 - $1 })
  }
}

/// Solves (R + λ·I)·w = r, where R are the correlations of units and r those with a label.
struct RidgeSolver {
  private let count: Double
  private let deviations: [Double]
  private let factor: Cholesky

  /// - Returns: nil if the units' numbers are too far from independent for λ.
  init?(_ moments: UnitMoments, shrinkage: Double) {
    let (n, size) = (Double(moments.count), moments.sums.count)
    let means = moments.sums.map { $0 / n }
    // A unit that never changes gets no weight: its covariances are zero.
    let deviations = (0..<size).map { unit in
      let square = moments.products[unit * size + unit] / n
      let variance = square - means[unit] * means[unit]
      return variance > 1e-10 * square ? variance.squareRoot() : .infinity
    }
    var matrix = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        let covariance = moments.products[row * size + column] / n - means[row] * means[column]
        matrix[row * size + column] = covariance / (deviations[row] * deviations[column])
      }
      matrix[row * size + row] += shrinkage
    }
    guard n > 0, let factor = Cholesky(matrix, size: size) else { return nil }
    (count, self.deviations, self.factor) = (n, deviations, factor)
  }

  /// The weights of the units as they are recorded.
  ///
  /// - Parameter sums: Xᵀ·(y − mean of y).
  func solve(_ sums: [Double]) -> [Double] {
    let right = zip(sums, deviations).map { $0 / count / $1 }
    return zip(factor.solve(right), deviations).map { $0 / $1 }
  }
}
