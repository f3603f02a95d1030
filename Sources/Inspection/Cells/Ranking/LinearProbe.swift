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

  let recording: UnitRecording
  let layer: UnitRecording.Layer

  enum Score: Equatable {
    case graded(correlation: Double)
    case yesNo(f1: Double, auc: Double)
  }

  /// The score of each probe; nil where no solution can be found.
  func scores(_ probes: [ProbeLabels]) -> [Score?] {
    guard !probes.isEmpty else { return [] }
    let half = recording.count / 2
    let whole = UnitMoments(recording, layer, at: positions(0..<half))
    let wholeSolver = RidgeSolver(whole, shrinkage: Self.shrinkage)
    let targets = commonSums(probes, half)
    let weights = probes.enumerated().map { index, probe -> [Double]? in
      let inside = probe.positions[..<probe.training]
      let solver =
        inside.count == half
        ? wholeSolver
        : RidgeSolver(moments(at: inside, half, whole), shrinkage: Self.shrinkage)
      return solver?.solve(targets[index])
    }
    let sums = combinations(weights.map { $0 ?? [Double](repeating: 0, count: layer.size) })
    return probes.enumerated().map { index, probe in
      weights[index].map { _ in score(probe.positions.map { sums[index][Int($0)] }, probe) }
    }
  }

  private func positions(_ range: Range<Int>) -> ArraySlice<Int32> { range.map { Int32($0) }[...] }

  /// Where most positions count, those that don't are taken away from the whole.
  private func moments(at inside: ArraySlice<Int32>, _ half: Int, _ whole: UnitMoments)
    -> UnitMoments
  {
    guard half - inside.count < inside.count else {
      return UnitMoments(recording, layer, at: inside)
    }
    var counts = [Bool](repeating: false, count: half)
    for position in inside { counts[Int(position)] = true }
    let outside = counts.indices.filter { !counts[$0] }.map { Int32($0) }
    return whole - UnitMoments(recording, layer, at: outside[...])
  }

  /// Xᵀ·(y − mean of y) over the first half, by probe; where a probe doesn't apply its y is its mean.
  private func commonSums(_ probes: [ProbeLabels], _ half: Int) -> [[Double]] {
    let columns = probes.map { probe -> [Float] in
      let labels = probe.values[..<probe.training]
      let mean = labels.reduce(0) { $0 + Double($1) } / Double(max(labels.count, 1))
      var centred = [Float](repeating: 0, count: half)
      for (position, label) in zip(probe.positions, labels) {
        centred[Int(position)] = label - Float(mean)
      }
      return centred
    }
    var sums = [[Double]](
      repeating: [Double](repeating: 0, count: layer.size), count: probes.count)
    forEachBlock(0..<half) { range, x in
      let y = Tensor([range.count, columns.count]) { out in
        for (row, position) in range.enumerated() {
          for column in columns.indices {
            out[row * columns.count + column] = columns[column][position]
          }
        }
      }
      let product = withoutGradients { x.times(y) }.values
      for probe in sums.indices {
        for unit in 0..<layer.size {
          sums[probe][unit] += Double(product[unit * columns.count + probe])
        }
      }
    }
    return sums
  }

  /// X·w at all positions, for each w.
  private func combinations(_ weights: [[Double]]) -> [[Float]] {
    let w = Tensor(weights.joined().map { Float($0) }, shape: [weights.count, layer.size])
    var sums = [[Float]](repeating: [], count: weights.count)
    forEachBlock(0..<recording.count) { range, x in
      let product = withoutGradients { w.times(x) }
      for index in weights.indices { sums[index] += product[index].values }
    }
    return sums
  }

  private func forEachBlock(_ range: Range<Int>, _ body: (Range<Int>, Tensor) -> Void) {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: UnitMoments.block) {
      let part = start..<min(start + UnitMoments.block, range.upperBound)
      body(part, recording.block(at: positions(part), units: layer.units))
    }
  }

  private func score(_ predictions: [Float], _ probe: ProbeLabels) -> Score {
    let test = probe.training..<probe.count
    guard probe.kind == .yesNo else {
      return .graded(correlation: correlation(predictions[test], probe.values[test]))
    }
    let score = ThresholdScore(
      predictions, isYes: probe.values.map { $0 != 0 }, training: probe.training)
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
