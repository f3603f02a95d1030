import Tensors

/// Scores all units on yes/no probes, and on the same with rotated labels.
///
/// A unit's numbers become levels: for the truth each distinct number is one, so that thresholds and
/// AUC are exact; for rotated labels 256 levels of about equally many positions do.
struct ThresholdRanking {
  let recording: UnitRecording
  let probes: [ProbeLabels]

  /// What a unit reached on a probe.
  struct Result {
    var score = ThresholdScore()
    /// The threshold: halfway between the numbers of the levels it divides.
    var threshold: Float = 0
    /// F1, and AUC, with each of the rotated labels.
    var control: [(f1: Float, auc: Float)] = []
  }

  /// By unit (of all layers) and probe.
  ///
  /// - Complexity: O(U·N·(P·S·r + log N)), where r is the fraction of the rarer answer.
  func results(progress: @Sendable (Double) -> Void) -> [[Result]] {
    guard !probes.isEmpty else { return [] }
    let prepared = probes.map(Prepared.init)
    let units = recording.unitCount
    var results = [[Result]](repeating: [], count: units)
    let batch = max(Compute.threads * 8, 64)
    results.withUnsafeMutableBufferPointer { results in
      guard let out = results.baseAddress else { return }
      for first in stride(from: 0, to: units, by: batch) {
        let end = min(first + batch, units)
        Compute.forEach(end - first, cost: recording.count * probes.count * 10) { index in
          out[first + index] = score(first + index, prepared)
        }
        progress(Double(end) / Double(units))
      }
    }
    return results
  }

  /// What of a probe is the same for all units.
  private struct Prepared {
    let labels: ProbeLabels
    /// Of both halves.
    let rare: [ArraySlice<Int32>]
    let rareIsYes: Bool

    init(_ labels: ProbeLabels) {
      self.labels = labels
      let (rare, isYes) = labels.rarer
      let training = rare.firstIndex { $0 >= labels.training } ?? rare.count
      self.rare = [rare[..<training], rare[training...]]
      rareIsYes = isYes
    }
  }

  private func score(_ unit: Int, _ probes: [Prepared]) -> [Result] {
    let column = UnitLevels(recording, unit: unit)
    return probes.map { probe in
      var result = Result()
      let fine = LevelCounting(column.fine, levels: column.numbers.count, probe.labels)
      result.score = fine.score(probe.rare, areYes: probe.rareIsYes, .none)
      result.threshold = column.threshold(before: result.score.level)
      let coarse = LevelCounting(column.coarse, levels: UnitLevels.coarseCount, probe.labels)
      result.control = probe.labels.rotations.dropFirst().map { rotation in
        let score = coarse.score(probe.rare, areYes: probe.rareIsYes, rotation)
        return (Float(score.f1), Float(score.auc))
      }
      return result
    }
  }
}

/// A unit's levels where a probe applies, and how many positions of each half have which.
private struct LevelCounting {
  private let levels: [UInt16]
  private let training: Int
  private let empty: LevelCounts
  private let all: (training: [Int32], test: [Int32])

  init(_ column: [UInt16], levels count: Int, _ labels: ProbeLabels) {
    levels = labels.isEverywhere ? column : labels.positions.map { column[Int($0)] }
    training = labels.training
    empty = LevelCounts(levels: count)
    all = (
      Self.counts(levels[..<training], levels: count),
      Self.counts(levels[training...], levels: count)
    )
  }

  private static func counts(_ levels: ArraySlice<UInt16>, levels count: Int) -> [Int32] {
    var counts = [Int32](repeating: 0, count: count)
    counts.withUnsafeMutableBufferPointer { counts in
      for level in levels { counts[Int(level)] &+= 1 }
    }
    return counts
  }

  /// The score with rotated labels.
  ///
  /// - Parameter rare: the positions of both halves with the rarer answer.
  func score(
    _ rare: [ArraySlice<Int32>], areYes: Bool, _ rotation: ProbeLabels.Rotation
  ) -> ThresholdScore {
    var training = empty
    var test = empty
    (training.all, test.all) = all
    count(rare[0], of: 0..<self.training, lag: rotation.training, into: &training.yes)
    count(rare[1], of: self.training..<levels.count, lag: rotation.test, into: &test.yes)
    if !areYes {
      training.yes = zip(training.all, training.yes).map { $0 - $1 }
      test.yes = zip(test.all, test.yes).map { $0 - $1 }
    }
    return ThresholdScore(training: training, test: test)
  }

  /// Counts by level the positions of one half that get the rarer answer.
  private func count(
    _ rare: ArraySlice<Int32>, of half: Range<Int>, lag: Int, into yes: inout [Int32]
  ) {
    levels.withUnsafeBufferPointer { levels in
      yes.withUnsafeMutableBufferPointer { yes in
        for index in rare {
          let moved = Int(index) - lag
          yes[Int(levels[moved < half.lowerBound ? moved + half.count : moved])] &+= 1
        }
      }
    }
  }
}
