import Foundation

/// Turns counts into probabilities and backoffs, order by order from below.
///
/// All smoothings are one rule with different discounted counts d, totals Z and shares γ:
///
///     p(w | h) = d(h w) / Z(h) + γ(h)·p(w | h′),   γ(h) = (Z(h) − Σ_w d(h w)) / Z(h)
///
/// where an n-gram that is pruned has d = 0. p(w | h) is stored with h w, γ(h) with h as its
/// backoff. Stupid backoff is the exception: it leaves the second term out, and γ is α.
struct NGramEstimation {
  private let counts: NGramCounts
  private let smoothing: Smoothing
  private let pruning: Pruning
  private(set) var tree = NGramTree()
  /// By order, for modified Kneser–Ney; otherwise empty.
  private(set) var discounts: [KneserNeyDiscounts] = []

  /// What is known of the order below: probabilities, and which node each n-gram became, −1 where
  /// it was pruned.
  private var lower: (probabilities: [Double], nodes: [Int32])

  /// - Parameter progress: gets each order before it is estimated.
  init(
    _ counts: NGramCounts, smoothing: Smoothing, pruning: Pruning,
    progress: (Int) -> Void = { _ in }
  ) {
    self.counts = counts
    self.smoothing = smoothing
    self.pruning = pruning
    lower = ([1 / Double(counts.vocabularySize)], [NGramTree.root])
    for order in 1...counts.levels.count {
      progress(order)
      estimate(order: order)
    }
  }

  private mutating func estimate(order: Int) {
    let level = counts.levels[order - 1]
    let effective = counts.counts(order: order, adjusted: smoothing == .modifiedKneserNey)
    if smoothing == .modifiedKneserNey {
      discounts.append(Self.discounts(effective))
    }
    let threshold = pruning.threshold(order: order)
    var probabilities = [Double](repeating: 0, count: level.count)
    var backoffs: [(context: Int32, backoff: Float)] = []
    var begin = 0
    while begin < level.count {
      let context = level.contexts[begin]
      var end = begin + 1
      while end < level.count, level.contexts[end] == context { end += 1 }
      let backoff = share(
        level, begin..<end, order: order, effective, threshold, into: &probabilities)
      if order > 1, lower.nodes[Int(context)] >= 0 {
        backoffs.append((lower.nodes[Int(context)], Self.logarithm(backoff)))
      }
      begin = end
    }
    append(level, order: order, probabilities, threshold)
    // Where the whole order was pruned, its contexts are the highest order, without backoffs.
    guard tree.order == order else { return }
    for (context, backoff) in backoffs { tree.setBackoff(backoff, of: context) }
  }

  private static func discounts(_ counts: [UInt32]) -> KneserNeyDiscounts {
    var numbers = [0, 0, 0, 0]
    for count in counts where (1...4).contains(count) { numbers[Int(count) - 1] += 1 }
    return KneserNeyDiscounts(countsOfCounts: numbers)
  }

  /// Shares one context's probability among the tokens that followed it; returns γ.
  private func share(
    _ level: NGramCounts.Level, _ range: Range<Int>, order: Int, _ counts: [UInt32],
    _ threshold: Int, into probabilities: inout [Double]
  ) -> Double {
    var (total, types) = (0.0, 0.0)
    for index in range {
      total += Double(counts[index])
      types += counts[index] > 0 ? 1 : 0
    }
    func isKept(_ index: Int) -> Bool { order == 1 || level.counts[index] > threshold }

    switch smoothing {
    case .stupidBackoff(let factor):
      var kept = false
      for index in range where isKept(index) {
        kept = true
        probabilities[index] =
          counts[index] > 0
          ? Double(counts[index]) / total : factor / Double(self.counts.vocabularySize)
      }
      return kept ? factor : 1
    case .addK(let k):
      // Shorter contexts aren't asked, but must exist: there everything is uniform.
      guard order == self.counts.levels.count || range.lowerBound >= level.beginnings else {
        for index in range { probabilities[index] = 1 / Double(self.counts.vocabularySize) }
        return 1
      }
      total += k * Double(self.counts.vocabularySize)
    case .wittenBell: total += types
    case .modifiedKneserNey: break
    }

    let discounts = discounts.last
    var left = total
    for index in range where isKept(index) {
      let discounted = Double(counts[index]) - (discounts?.amount(for: counts[index]) ?? 0)
      probabilities[index] = discounted / total
      left -= discounted
    }
    let share = max(left, 0) / total
    for index in range where isKept(index) {
      probabilities[index] += share * lower.probabilities[Int(level.suffixes[index])]
    }
    return share
  }

  private mutating func append(
    _ level: NGramCounts.Level, order: Int, _ probabilities: [Double], _ threshold: Int
  ) {
    var nodes = [Int32](repeating: -1, count: level.count)
    var (parents, words, suffixes): ([Int32], [Int32], [Int32]) = ([], [], [])
    var logarithms: [Float] = []
    parents.reserveCapacity(level.count)
    words.reserveCapacity(level.count)
    suffixes.reserveCapacity(level.count)
    logarithms.reserveCapacity(level.count)
    for index in 0..<level.count where order == 1 || level.counts[index] > threshold {
      nodes[index] = Int32(tree.count + words.count)
      parents.append(lower.nodes[Int(level.contexts[index])])
      words.append(level.words[index])
      suffixes.append(lower.nodes[Int(level.suffixes[index])])
      logarithms.append(Self.logarithm(probabilities[index]))
    }
    lower = (probabilities, nodes)
    if words.isEmpty { return }
    // As KenLM writes it: the beginning of a sentence is certain, since nobody asks.
    if order == 1 { logarithms[counts.vocabularySize] = 0 }
    tree.append(
      parents: parents, words: words, logProbabilities: logarithms, suffixes: suffixes)
  }

  /// −99 stands for the logarithm of 0, as in ARPA files.
  private static func logarithm(_ probability: Double) -> Float {
    probability > 0 ? Float(log10(probability)) : -99
  }
}
