import CKernels
import Foundation
import Learning
import Tensors

/// What caches of several windows and θ say of a text that arrives part by part, all found in one
/// reading: the products h_t·h_i are the same for all.
struct CacheReader {
  private let caches: [ContinuousCache]
  /// The distinct θ, and the distinct windows, ascending.
  private let thetas: [Double]
  private let windows: [Int]
  /// The last tokens, as many as the longest window, and what each was predicted from.
  private var tokens: [Int32] = []
  private var hidden: Tensor?

  init(_ caches: [ContinuousCache]) {
    self.caches = caches
    thetas = Set(caches.map(\.theta)).sorted()
    windows = Set(caches.map(\.window)).sorted()
  }

  private var longest: Int { windows.last ?? 0 }

  /// Rows of queries that are compared with their past at once.
  private static let blockRows = 256

  /// p_cache of each token of a part, for each cache; nil for the first token, which has no past.
  ///
  /// - Precondition: parts come in order and without gaps; those of one reading have hidden states
  ///   of one size, or none, and then θ is 0.
  /// - Complexity: O(tokens · window · (H + caches)).
  mutating func probabilities(of part: PredictedPart, in text: TokenSequence) -> [[Double?]] {
    let past = tokens.count
    let targets = text.values(in: part.places)
    tokens += targets
    if let new = part.hidden?.detached { hidden = hidden.map { joined([$0, new]) } ?? new }
    require(hidden != nil || thetas == [0], "a cache with θ > 0 needs hidden states")
    var results = caches.map { _ in [Double?](repeating: nil, count: targets.count) }
    for start in stride(from: past, to: tokens.count, by: Self.blockRows) {
      let rows = start..<min(start + Self.blockRows, tokens.count)
      let found = probabilities(of: rows)
      for (cache, settings) in caches.enumerated() {
        let (theta, window) = (index(of: settings.theta), index(of: settings.window))
        for (row, place) in rows.enumerated() where place > 0 {
          results[cache][place - past] =
            found[(row * thetas.count + theta) * windows.count + window]
        }
      }
    }
    forget()
    return results
  }

  private func index(of theta: Double) -> Int { thetas.firstIndex(of: theta) ?? 0 }
  private func index(of window: Int) -> Int { windows.firstIndex(of: window) ?? 0 }

  private mutating func forget() {
    let surplus = tokens.count - longest
    guard surplus > 0 else { return }
    tokens.removeFirst(surplus)
    // A copy, so that the whole part isn't kept.
    hidden = hidden.map { $0.gathering((surplus..<$0.shape[0]).map(Int32.init)) }
  }

  /// p_cache of the tokens in some rows, `[rows, θ, window]`.
  private func probabilities(of rows: Range<Int>) -> [Double] {
    let oldest = max(0, rows.lowerBound - longest)
    let keys = rows.upperBound - oldest
    let likeness = hidden.map { hidden in
      withoutGradients { hidden[rows].times(hidden[oldest..<rows.upperBound].transposed) }
    }
    let size = thetas.count * windows.count
    return [Double](unsafeUninitializedCapacity: rows.count * size) { out, count in
      let out = out
      borrowing(likeness) {
        Compute.forEach(rows.count, cost: 20 * longest * thetas.count) { index in
          compare(
            rows.lowerBound + index, from: oldest, likeness.map { $0.base + index * keys },
            into: UnsafeMutableBufferPointer(rebasing: out[index * size..<(index + 1) * size]))
        }
      }
      count = rows.count * size
    }
  }

  /// One row against its past.
  ///
  /// - Parameters:
  ///   - oldest: the row that the first likeness belongs to.
  ///   - likeness: h_t·h_i; nil if θ is 0.
  private func compare(
    _ row: Int, from oldest: Int, _ likeness: UnsafeMutablePointer<Float>?,
    into out: UnsafeMutableBufferPointer<Double>
  ) {
    let first = max(oldest, row - longest)
    let count = row - first
    guard count > 0 else { return out.update(repeating: 0) }
    let again = (first..<row).filter { tokens[$0] == tokens[row] }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { weights in
      guard let base = weights.baseAddress else { return }
      for (number, theta) in thetas.enumerated() {
        if let likeness, theta > 0 {
          let values = likeness + (first - oldest)
          var top = values[0]
          for index in 1..<count { top = max(top, values[index]) }
          Compute.kernels.affine(count, Float(theta), -Float(theta) * top, values, base)
          Compute.kernels.exp(count, base, base)
        } else {
          weights.update(repeating: 1)
        }
        var (total, match, end) = (0.0, 0.0, row)
        var recent = again[...]
        for (index, window) in windows.enumerated() {
          let begin = max(first, row - window)
          total += Compute.kernels.sum(end - begin, base + (begin - first))
          while let place = recent.last, place >= begin {
            match += Double(base[place - first])
            recent.removeLast()
          }
          end = begin
          // Nothing is left of a window that is wholly unlike, beside a longer one that isn't.
          out[number * windows.count + index] = total > 0 ? match / total : 0
        }
      }
    }
  }
}
