/// How well one threshold on one number answers a yes/no question: chosen on the first half of the
/// positions, scored on the second.
///
/// "Yes" is x ≥ θ, or x < θ, whichever does better on the first half.
///
///     F1 = 2·TP / (2·TP + FP + FN)
///     AUC = P(x₊ > x₋) + ½ P(x₊ = x₋)
///
/// The AUC is that of the direction which is better than chance on the first half.
struct ThresholdScore: Equatable {
  /// The threshold by the number of the level that it stands before: "yes" is level ≥ this.
  var level = 0
  /// Whether levels below the threshold mean yes.
  var isBelow = false
  /// On the half that chose the threshold, and on the other.
  var trainingF1 = 0.0
  var f1 = 0.0
  var auc = 0.5
}

/// Positions by level (the distinct numbers in ascending order, or ranges of them), for both
/// answers.
struct LevelCounts {
  /// Positions by level whose label is yes.
  var yes: [Int32]
  /// Positions by level.
  var all: [Int32]

  init(levels: Int) {
    yes = [Int32](repeating: 0, count: levels)
    all = yes
  }

  /// The threshold with the best F1, of either direction; the lowest of equals.
  ///
  /// - Complexity: O(levels).
  func bestThreshold() -> (level: Int, isBelow: Bool, f1: Double) {
    let (positives, total) = totals
    var best = (level: 0, isBelow: false, f1: Self.f1(positives, total, positives))
    var (yesBelow, below) = (0, 0)
    for level in yes.indices {
      // "Above" first, so that a tie with "everything" stays there.
      if level > 0 {
        let above = Self.f1(positives - yesBelow, total - below, positives)
        if above > best.f1 { best = (level, false, above) }
        let under = Self.f1(yesBelow, below, positives)
        if under > best.f1 { best = (level, true, under) }
      }
      yesBelow += Int(yes[level])
      below += Int(all[level])
    }
    return best
  }

  /// F1 of a threshold.
  func f1(level: Int, isBelow: Bool) -> Double {
    let (positives, total) = totals
    let yesBelow = yes[..<level].reduce(0) { $0 + Int($1) }
    let below = all[..<level].reduce(0) { $0 + Int($1) }
    return isBelow
      ? Self.f1(yesBelow, below, positives)
      : Self.f1(positives - yesBelow, total - below, positives)
  }

  /// The area under the ROC curve of "higher means yes", by mid-ranks; ½ if an answer is missing.
  var auc: Double {
    let (positives, total) = totals
    let negatives = total - positives
    guard positives > 0, negatives > 0 else { return 0.5 }
    var (negativesBelow, wins) = (0, 0.0)
    for level in yes.indices {
      let (hits, misses) = (Int(yes[level]), Int(all[level] - yes[level]))
      wins += Double(hits) * (Double(negativesBelow) + Double(misses) / 2)
      negativesBelow += misses
    }
    return wins / (Double(positives) * Double(negatives))
  }

  private var totals: (positives: Int, total: Int) {
    (yes.reduce(0) { $0 + Int($1) }, all.reduce(0) { $0 + Int($1) })
  }

  private static func f1(_ hits: Int, _ predicted: Int, _ positives: Int) -> Double {
    predicted + positives == 0 ? 0 : 2 * Double(hits) / Double(predicted + positives)
  }
}

extension ThresholdScore {
  /// Chooses on the first half, scores on the second.
  init(training: LevelCounts, test: LevelCounts) {
    (level, isBelow, trainingF1) = training.bestThreshold()
    f1 = test.f1(level: level, isBelow: isBelow)
    auc = training.auc < 0.5 ? 1 - test.auc : test.auc
  }
}

extension ThresholdScore {
  /// Of any numbers, by sorting them.
  ///
  /// - Parameter training: how many of the numbers choose the threshold.
  init(_ numbers: [Float], isYes: [Bool], training: Int) {
    let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
    var levels = [Int](repeating: 0, count: numbers.count)
    var level = 0
    for (previous, index) in zip(order, order.dropFirst()) {
      if numbers[index] != numbers[previous] { level += 1 }
      levels[index] = level
    }
    var halves = [LevelCounts(levels: level + 1), LevelCounts(levels: level + 1)]
    for (index, level) in levels.enumerated() {
      let half = index < training ? 0 : 1
      halves[half].all[level] += 1
      if isYes[index] { halves[half].yes[level] += 1 }
    }
    self.init(training: halves[0], test: halves[1])
  }
}
