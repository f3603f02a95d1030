import Foundation
import Tensors

/// What all units of a layer know together: the best linear combination of them, fitted on the first
/// half of the positions and scored on the second.
///
///     w = argmin ‖X·w − y‖² / n + λ·‖w‖²,      X standardised, y centred
///
/// For a yes/no probe y is 0 or 1, and a threshold on X·w is chosen as for a single unit: ridge
/// regression is then Fisher's discriminant, shrunk.
///
/// - SeeAlso: A. Hoerl, R. Kennard, "Ridge Regression", Technometrics 12 (1970); G. Alain,
///   Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
struct LinearProbe {
  /// λ, in units of the variance of a standardised unit.
  static let shrinkage = 1e-3
  private static let block = 2048

  let recording: UnitRecording
  let layer: UnitRecording.Layer

  enum Score: Equatable {
    case graded(correlation: Double)
    case yesNo(f1: Double, auc: Double)
  }

  /// The score of each probe, nil where the layer's units can't be told apart.
  func scores(_ probes: [ProbeLabels]) -> [Score?] {
    let half = Int32(recording.count / 2)
    let whole = Moments(recording, layer, at: (0..<half).map { $0 }[...])
    return probes.map { probe in
      let inside = probe.positions[..<probe.training]
      let weights = moments(at: inside, of: half, whole: whole).fit(
        correlating: probe, recording, layer)
      guard let weights else { return nil }
      return score(predictions(weights, probe), probe)
    }
  }

  /// Where most positions count, those that don't are taken away from the whole.
  private func moments(at positions: ArraySlice<Int32>, of half: Int32, whole: Moments) -> Moments {
    let missing = Int(half) - positions.count
    if missing == 0 { return whole }
    guard missing < positions.count else { return Moments(recording, layer, at: positions) }
    let inside = Set(positions)
    let outside = (0..<half).filter { !inside.contains($0) }
    return whole - Moments(recording, layer, at: outside[...])
  }

  /// X·w at all positions of the probe.
  private func predictions(_ weights: [Double], _ probe: ProbeLabels) -> [Float] {
    let w = Tensor(weights.map { Float($0) }, shape: [1, weights.count])
    var predictions: [Float] = []
    predictions.reserveCapacity(probe.count)
    for start in stride(from: 0, to: probe.count, by: Self.block) {
      let range = start..<min(start + Self.block, probe.count)
      let x = recording.block(probe, range, units: layer.units)
      predictions += withoutGradients { w.times(x) }.values
    }
    return predictions
  }

  private func score(_ predictions: [Float], _ probe: ProbeLabels) -> Score {
    let test = probe.training..<probe.count
    guard probe.kind == .yesNo else {
      return .graded(correlation: correlation(predictions[test], probe.values[test]))
    }
    let numbers = Set(predictions).sorted()
    let level = Dictionary(uniqueKeysWithValues: zip(numbers, numbers.indices))
    var halves = [LevelCounts(levels: numbers.count), LevelCounts(levels: numbers.count)]
    for (index, prediction) in predictions.enumerated() {
      guard let level = level[prediction] else { continue }
      let half = index < probe.training ? 0 : 1
      halves[half].all[level] += 1
      halves[half].yes[level] += probe.values[index] != 0 ? 1 : 0
    }
    let score = ThresholdScore(training: halves[0], test: halves[1])
    return .yesNo(f1: score.f1, auc: score.auc)
  }
}

/// Pearson's correlation; 0 where one of the two never changes.
func correlation(_ x: some Collection<Float>, _ y: some Collection<Float>) -> Double {
  let n = Double(x.count)
  let meanX = x.reduce(0) { $0 + Double($1) } / n
  let meanY = y.reduce(0) { $0 + Double($1) } / n
  var (xx, yy, xy) = (0.0, 0.0, 0.0)
  for (x, y) in zip(x, y) {
    let (dx, dy) = (Double(x) - meanX, Double(y) - meanY)
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : 0
}

/// Sums of a layer's numbers and of their products over some positions: Xᵀ·1 and Xᵀ·X.
private struct Moments {
  let count: Int
  var sums: [Double]
  var products: [Double]

  init(
    _ recording: UnitRecording, _ layer: UnitRecording.Layer, at positions: ArraySlice<Int32>
  ) {
    count = positions.count
    let size = layer.size
    sums = [Double](repeating: 0, count: size)
    products = [Double](repeating: 0, count: size * size)
    for start in stride(from: positions.startIndex, to: positions.endIndex, by: 2048) {
      let x = recording.block(
        at: positions[start..<min(start + 2048, positions.endIndex)], units: layer.units)
      let ones = Tensor([x.shape[1], 1], repeating: 1)
      let (product, sum) = withoutGradients { (x.times(x.transposed), x.times(ones)) }
      product.withValues { values in
        products.withUnsafeMutableBufferPointer { products in
          for index in products.indices { products[index] += Double(values[index]) }
        }
      }
      sum.withValues { values in
        for index in sums.indices { sums[index] += Double(values[index]) }
      }
    }
  }

  private init(count: Int, sums: [Double], products: [Double]) {
    (self.count, self.sums, self.products) = (count, sums, products)
  }

  static func - (a: Moments, b: Moments) -> Moments {
    Moments(
      count: a.count - b.count, sums: zip(a.sums, b.sums).map { $0 - $1 },
      products: zip(a.products, b.products).map { $0 - $1 })
  }

  /// The weights w of units as they are recorded, fitted to a probe's first half.
  func fit(
    correlating probe: ProbeLabels, _ recording: UnitRecording, _ layer: UnitRecording.Layer
  ) -> [Double]? {
    let (n, size) = (Double(count), sums.count)
    let means = sums.map { $0 / n }
    // A unit that never changes gets no weight; dividing by 1 leaves it at zero.
    let deviations = (0..<size).map { unit in
      let variance = products[unit * size + unit] / n - means[unit] * means[unit]
      return variance > 1e-12 ? variance.squareRoot() : 1
    }
    var matrix = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        let covariance = products[row * size + column] / n - means[row] * means[column]
        matrix[row * size + column] = covariance / (deviations[row] * deviations[column])
      }
      matrix[row * size + row] += LinearProbe.shrinkage
    }
    guard let factor = Cholesky(matrix, size: size) else { return nil }
    let target = commonSums(probe, recording, layer)
    let right = (0..<size).map { target[$0] / n / deviations[$0] }
    return zip(factor.solve(right), deviations).map { $0 / $1 }
  }

  /// Xᵀ·(y − mean of y) over the probe's first half.
  private func commonSums(
    _ probe: ProbeLabels, _ recording: UnitRecording, _ layer: UnitRecording.Layer
  ) -> [Double] {
    let labels = probe.values[..<probe.training]
    let mean = Float(labels.reduce(0) { $0 + Double($1) } / Double(max(labels.count, 1)))
    var sums = [Double](repeating: 0, count: layer.size)
    for start in stride(from: 0, to: probe.training, by: 2048) {
      let range = start..<min(start + 2048, probe.training)
      let x = recording.block(probe, range, units: layer.units)
      let y = Tensor(labels[range].map { $0 - mean }, shape: [range.count, 1])
      let product = withoutGradients { x.times(y) }
      for (index, value) in product.values.enumerated() { sums[index] += Double(value) }
    }
    return sums
  }
}
