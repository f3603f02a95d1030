import Foundation
import Interchange

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
  private let scratch: Scratch
  private(set) var tables = NGramTables()
  /// By order, for modified Kneser–Ney; otherwise empty.
  private(set) var discounts: [KneserNeyDiscounts] = []

  /// What the order above needs to know of an n-gram.
  fileprivate struct Estimate: BitwiseCopyable {
    var probability: Float
    /// Its node, or `none` where it was pruned.
    var node: UInt32
    static let none = UInt32.max
  }

  /// An n-gram on its way to its probability.
  fileprivate struct Candidate {
    let word: Int32
    let occurrences: UInt32
    /// As the smoothing counts.
    let count: UInt32
    /// Of the n-gram without its first token.
    let shorter: Estimate
    var probability = 0.0
  }

  /// - Parameter progress: gets each order before it is estimated, and then the fraction that is
  ///   done.
  /// - Throws: ``NGramError/tooMuchText``, `FileError`, and what `progress` throws.
  init(
    _ counts: NGramCounts, smoothing: Smoothing, pruning: Pruning, scratch: Scratch,
    progress: (Int, Double) throws -> Void
  ) throws {
    self.counts = counts
    self.smoothing = smoothing
    self.pruning = pruning
    self.scratch = scratch
    guard counts.levels.reduce(1, { $0 + $1.count }) < Int(Int32.max) else {
      throw NGramError.tooMuchText
    }
    var lower = Spool<Estimate>(scratch)
    try lower.append(
      Estimate(probability: 1 / Float(counts.vocabularySize), node: UInt32(NGramTree.root)))
    for order in 1...counts.levels.count {
      guard let next = try estimate(order: order, lower, { try progress(order, $0) }) else {
        return
      }
      lower = next
    }
  }

  /// - Returns: nil if the whole order was pruned.
  private mutating func estimate(
    order: Int, _ lower: Spool<Estimate>, _ progress: (Double) throws -> Void
  ) throws -> Spool<Estimate>? {
    let level = counts.levels[order - 1]
    let effective = try counts.counts(order: order, adjusted: smoothing == .modifiedKneserNey)
    if smoothing == .modifiedKneserNey {
      discounts.append(try Self.discounts(effective))
    }
    var writer = LevelWriter(
      order: order, from: tables.start(order: order), contexts: lower, scratch)
    let (ngrams, effectiveCounts) = (level.ngrams.reader(), effective.reader())
    var candidates: [Candidate] = []
    var (context, begin, index) = (UInt32(0), 0, 0)
    func finishContext() throws {
      let backoff = share(
        &candidates, order: order, isBeginning: begin >= level.beginnings)
      try writer.write(candidates, of: context, backoff: backoff) {
        isKept($0, order: order)
      }
      begin = index
      candidates.removeAll(keepingCapacity: true)
    }
    try Self.shorter(level, lower, scratch).drain(missing: Estimate(probability: 0, node: 0)) {
      shorter in
      guard let ngram = try ngrams.next(), let count = try effectiveCounts.next() else { return }
      if ngram.context != context {
        if !candidates.isEmpty { try finishContext() }
        context = ngram.context
      }
      candidates.append(
        Candidate(word: ngram.word, occurrences: ngram.count, count: count, shorter: shorter))
      index += 1
      if index & 0xFFFFF == 0 { try progress(Double(index) / Double(level.count)) }
    }
    try finishContext()
    try writer.finish()
    guard writer.nodes.count > 0 else { return nil }
    tables.append(writer.nodes, contexts: writer.tails)
    return writer.estimates
  }

  /// Fetches, for each n-gram, what is known of it without its first token.
  private static func shorter(
    _ level: NGramCounts.Level, _ lower: Spool<Estimate>, _ scratch: Scratch
  ) throws -> Exchange<Estimate> {
    let estimates = lower.reader()
    let shorter = Exchange<Estimate>(count: level.count, scratch)
    try level.extensions.forEachWindow { indices, items in
      var window: [Estimate] = []
      window.reserveCapacity(indices.count)
      for _ in indices {
        if let estimate = try estimates.next() { window.append(estimate) }
      }
      try items.visit {
        try shorter.append($0.value, window[Int($0.index) - indices.lowerBound])
      }
    }
    return shorter
  }

  private static func discounts(_ counts: Spool<UInt32>) throws -> KneserNeyDiscounts {
    var numbers = [0, 0, 0, 0]
    try counts.visit { if (1...4).contains($0) { numbers[Int($0) - 1] += 1 } }
    return KneserNeyDiscounts(countsOfCounts: numbers)
  }

  @inline(__always)
  private func isKept(_ candidate: Candidate, order: Int) -> Bool {
    order == 1 || candidate.occurrences > pruning.threshold(order: order)
  }

  /// Shares one context's probability among the tokens that followed it; returns γ.
  private func share(
    _ candidates: inout [Candidate], order: Int, isBeginning: Bool
  ) -> Double {
    let uniform = 1 / Double(counts.vocabularySize)
    var (total, types) = (0.0, 0.0)
    for candidate in candidates {
      total += Double(candidate.count)
      types += candidate.count > 0 ? 1 : 0
    }
    switch smoothing {
    case .stupidBackoff(let factor):
      var kept = false
      for index in candidates.indices where isKept(candidates[index], order: order) {
        kept = true
        let count = candidates[index].count
        candidates[index].probability = count > 0 ? Double(count) / total : factor * uniform
      }
      return kept ? factor : 1
    case .addK(let k):
      // Shorter contexts aren't asked, but must exist: there everything is uniform.
      guard order == counts.levels.count || isBeginning else {
        for index in candidates.indices { candidates[index].probability = uniform }
        return 1
      }
      total += k * Double(counts.vocabularySize)
    case .wittenBell: total += types
    case .modifiedKneserNey: break
    }

    let discounts = discounts.last
    var left = total
    for index in candidates.indices where isKept(candidates[index], order: order) {
      let count = candidates[index].count
      let discounted = Double(count) - (discounts?.amount(for: count) ?? 0)
      candidates[index].probability = discounted / total
      left -= discounted
    }
    let share = max(left, 0) / total
    for index in candidates.indices where isKept(candidates[index], order: order) {
      candidates[index].probability += share * Double(candidates[index].shorter.probability)
    }
    return share
  }
}

/// Writes an order's nodes, and what the nodes of the order below have besides.
private struct LevelWriter {
  let nodes: Spool<NGramTables.Node>
  let tails: Spool<NGramTables.Tail>
  let estimates: Spool<NGramEstimation.Estimate>
  private let order: Int
  private let start: Int
  /// The n-grams of the order below, from the one on that comes next.
  private let contexts: Spool<NGramEstimation.Estimate>.Reader
  private var nextContext: UInt32 = 0

  init(
    order: Int, from start: Int, contexts: Spool<NGramEstimation.Estimate>, _ scratch: Scratch
  ) {
    self.order = order
    self.start = start
    self.contexts = contexts.reader()
    (nodes, tails, estimates) = (Spool(scratch), Spool(scratch), Spool(scratch))
  }

  private var nextNode: UInt32 { UInt32(start + nodes.count) }

  /// - Parameter backoff: γ of the context.
  mutating func write(
    _ candidates: [NGramEstimation.Candidate], of context: UInt32, backoff: Double,
    isKept: (NGramEstimation.Candidate) -> Bool
  ) throws {
    while nextContext < context { try passContext(backoff: 0) }
    try passContext(backoff: order == 1 ? 0 : Self.logarithm(backoff))
    for candidate in candidates {
      let kept = isKept(candidate)
      try estimates.append(
        .init(
          probability: Float(candidate.probability),
          node: kept ? nextNode : NGramEstimation.Estimate.none))
      guard kept else { continue }
      // As KenLM writes it: the beginning of a sentence is certain, since nobody asks.
      let isBegin = order == 1 && candidate.word == candidates.count - 1
      try nodes.append(
        .init(
          word: candidate.word,
          logProbability: isBegin ? 0 : Self.logarithm(candidate.probability),
          suffix: candidate.shorter.node))
    }
  }

  /// Writes the tails of contexts without n-grams at the end, and one that ends the last.
  mutating func finish() throws {
    while try passContext(backoff: 0) {}
  }

  @discardableResult
  private mutating func passContext(backoff: Float) throws -> Bool {
    guard let context = try contexts.next() else { return false }
    nextContext += 1
    if context.node != NGramEstimation.Estimate.none {
      try tails.append(.init(backoff: backoff, firstChild: nextNode))
    }
    return true
  }

  /// −99 stands for the logarithm of 0, as in ARPA files.
  private static func logarithm(_ probability: Double) -> Float {
    // What is nearly certain may have been rounded to above one.
    probability > 0 ? Float(min(log10(probability), 0)) : -99
  }
}
