import Foundation

/// Interpolated modified Kneser–Ney straight from its equations, with dictionaries of arrays: slow,
/// and shares nothing with the library.
struct KneserNeyReference {
  let order: Int
  let vocabularySize: Int
  private let begin: Int32
  /// a(h w), by order from 1.
  private var counts: [[[Int32]: Int]]
  private var discounts: [[Double]] = []

  /// - Parameter sentences: without `<s>`; each ends as it is to be counted.
  init(_ sentences: [[Int32]], vocabularySize: Int, order: Int) {
    self.order = order
    self.vocabularySize = vocabularySize
    begin = Int32(vocabularySize)
    var raw = [[[Int32]: Int]](repeating: [:], count: order + 1)
    for sentence in sentences {
      let text = [begin] + sentence
      for end in 1..<text.count {
        for n in 1...order where end - n + 1 >= 0 {
          raw[n][Array(text[(end - n + 1)...end]), default: 0] += 1
        }
      }
    }
    counts = raw
    for n in 1..<order {
      // How many different tokens stand before each; sentence beginnings keep their counts.
      counts[n] = raw[n].filter { $0.key[0] == Int32(vocabularySize) }
      for ngram in raw[n + 1].keys { counts[n][Array(ngram.dropFirst()), default: 0] += 1 }
    }
    for n in 0...order {
      func number(_ count: Int) -> Double { Double(counts[n].values.count { $0 == count }) }
      let (n1, n2, n3, n4) = (number(1), number(2), number(3), number(4))
      let y = n1 / (n1 + 2 * n2)
      let closed = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
      let isUsable =
        n1 > 0 && n2 > 0 && n3 > 0
        && zip(closed, [1.0, 2, 3]).allSatisfy { $0 >= 0 && $0 <= $1 }
      discounts.append(isUsable ? closed : [0.5, 1, 1.5])
    }
  }

  /// p(word | context), the context being at most order − 1 tokens, `<s>` (V) among them.
  func probability(_ word: Int32, after context: [Int32]) -> Double {
    let followers = counts[context.count + 1].filter { $0.key.dropLast() == context[...] }
    let lower =
      context.isEmpty
      ? 1 / Double(vocabularySize) : probability(word, after: Array(context.dropFirst()))
    let total = Double(followers.values.reduce(0, +))
    if total == 0 { return lower }
    let discount = discounts[context.count + 1]
    let freed = followers.values.reduce(0.0) { $0 + discount[min($1, 3) - 1] }
    let count = followers[context + [word]] ?? 0
    let own = count == 0 ? 0 : Double(count) - discount[min(count, 3) - 1]
    return own / total + freed / total * lower
  }
}
