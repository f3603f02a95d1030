import Foundation
import Tensors

/// What all units of a layer know together: a linear combination of them, scored on the second half of
/// the positions.
///
///     w = argmin ‖X·w − y‖² / n + λ·‖w‖²,      X standardised, y centred
///
/// For a yes/no probe y is 0 or 1: ridge regression is then Fisher's discriminant, shrunk. It is
/// fitted on the first three quarters of the first half; the last quarter chooses λ and the
/// threshold, since the positions that w was fitted to make a combination look better than it is.
///
/// - SeeAlso: A. Hoerl, R. Kennard, "Ridge Regression", Technometrics 12 (1970); G. Alain,
///   Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016.
struct LinearProbe {
  /// λ to choose from, in units of the variance of a standardised unit.
  static let shrinkages = [1e-3, 1e-2, 1e-1, 1, 10]

  let recording: UnitRecording
  let layer: UnitRecording.Layer
  /// The positions that weights are fitted on, and those that choose among them.
  private let fitting, choosing: Range<Int>

  init(recording: UnitRecording, layer: UnitRecording.Layer) {
    (self.recording, self.layer) = (recording, layer)
    let half = recording.count / 2
    fitting = 0..<half * 3 / 4
    choosing = fitting.upperBound..<half
  }

  enum Score: Equatable {
    case graded(correlation: Double)
    case yesNo(f1: Double, auc: Double)
  }

  /// The score of each probe; nil where no solution can be found.
  func scores(_ probes: [ProbeLabels]) -> [Score?] {
    guard !probes.isEmpty else { return [] }
    let weights = chosenWeights(probes)
    let sums = combinations(
      weights.map { $0 ?? [Double](repeating: 0, count: layer.size) },
      choosing.lowerBound..<recording.count)
    return probes.enumerated().map { index, probe in
      weights[index].flatMap { _ in score(sums[index], probe) }
    }
  }

  /// Of each probe the weights whose λ does best where it is chosen.
  private func chosenWeights(_ probes: [ProbeLabels]) -> [[Double]?] {
    let all = weights(probes)
    let sums = combinations(Array(all.joined()), choosing)
    var next = 0
    return zip(probes, all).map { probe, candidates in
      let found = sums[next..<next + candidates.count].map { quality(of: $0, probe) }
      next += candidates.count
      return found.indices.max { found[$0] < found[$1] }.map { candidates[$0] }
    }
  }

  /// Of each probe, weights for each λ with which there is a solution.
  private func weights(_ probes: [ProbeLabels]) -> [[[Double]]] {
    let whole = UnitMoments(recording, layer, at: positions(fitting))
    let wholeSolvers = Self.shrinkages.compactMap { RidgeSolver(whole, shrinkage: $0) }
    let targets = commonSums(probes)
    return probes.enumerated().map { index, probe in
      let inside = probe.positions.prefix { $0 < fitting.upperBound }
      guard inside.count < fitting.count else {
        return wholeSolvers.map { $0.solve(targets[index]) }
      }
      let moments = moments(at: inside, whole)
      return Self.shrinkages.compactMap {
        RidgeSolver(moments, shrinkage: $0)?.solve(targets[index])
      }
    }
  }

  /// How well sums answer where λ is chosen: F1 of the best threshold, or the correlation.
  private func quality(of sums: [Float], _ probe: ProbeLabels) -> Double {
    let (numbers, labels) = answered(sums, probe, from: choosing.lowerBound, in: choosing)
    guard probe.kind == .yesNo else { return correlation(numbers, labels) }
    return ThresholdScore(numbers, isYes: labels.map { $0 != 0 }, training: numbers.count)
      .trainingF1
  }

  private func positions(_ range: Range<Int>) -> ArraySlice<Int32> { range.map { Int32($0) }[...] }

  /// Where most positions count, those that don't are taken away from the whole.
  private func moments(at inside: ArraySlice<Int32>, _ whole: UnitMoments) -> UnitMoments {
    guard fitting.count - inside.count < inside.count else {
      return UnitMoments(recording, layer, at: inside)
    }
    var counts = [Bool](repeating: false, count: fitting.count)
    for position in inside { counts[Int(position)] = true }
    let outside = counts.indices.filter { !counts[$0] }.map { Int32($0) }
    return whole - UnitMoments(recording, layer, at: outside[...])
  }

  /// Xᵀ·(y − mean of y) where it is fitted, by probe; where a probe doesn't apply its y is its mean.
  private func commonSums(_ probes: [ProbeLabels]) -> [[Double]] {
    let columns = probes.map { probe -> [Float] in
      let labels = probe.values.prefix(probe.positions.prefix { $0 < fitting.upperBound }.count)
      let mean = labels.reduce(0) { $0 + Double($1) } / Double(max(labels.count, 1))
      var centred = [Float](repeating: 0, count: fitting.count)
      for (position, label) in zip(probe.positions, labels) {
        centred[Int(position)] = label - Float(mean)
      }
      return centred
    }
    var sums = [[Double]](
      repeating: [Double](repeating: 0, count: layer.size), count: probes.count)
    forEachBlock(fitting) { range, x in
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

  /// X·w at some positions, for each w.
  private func combinations(_ weights: [[Double]], _ range: Range<Int>) -> [[Float]] {
    guard !weights.isEmpty else { return [] }
    let w = Tensor(weights.joined().map { Float($0) }, shape: [weights.count, layer.size])
    var sums = [[Float]](repeating: [], count: weights.count)
    forEachBlock(range) { _, x in
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

  /// Of sums at positions from `first` on, those where a probe applies, with their labels.
  private func answered(
    _ sums: [Float], _ probe: ProbeLabels, from first: Int, in range: Range<Int>
  ) -> (numbers: [Float], labels: [Float]) {
    var (numbers, labels): ([Float], [Float]) = ([], [])
    for (position, label) in zip(probe.positions, probe.values) where range.contains(Int(position))
    {
      numbers.append(sums[Int(position) - first])
      labels.append(label)
    }
    return (numbers, labels)
  }

  /// The score on the second half, with a threshold from where λ was chosen; nil if there is nothing
  /// to choose one by.
  private func score(_ sums: [Float], _ probe: ProbeLabels) -> Score? {
    let first = choosing.lowerBound
    let known = answered(sums, probe, from: first, in: choosing)
    let test = answered(sums, probe, from: first, in: choosing.upperBound..<recording.count)
    guard probe.kind == .yesNo else {
      return .graded(correlation: correlation(test.numbers, test.labels))
    }
    guard known.labels.contains(where: { $0 != 0 }) else { return nil }
    let score = ThresholdScore(
      known.numbers + test.numbers, isYes: (known.labels + test.labels).map { $0 != 0 },
      training: known.numbers.count)
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
