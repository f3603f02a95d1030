import Foundation

/// Exact figures of a grammar: probabilities of sentences, entropy, mean length.
extension ProbabilisticGrammar {
  /// A stretch of a sentence, up to but not including word `end`.
  private struct Span {
    let end: Int
    var logProbability: Double
  }

  /// ln p of a sentence, nil if the grammar can't make it.
  ///
  /// Sums over all ways to make the sentence, from its last word to its first; where the grammar
  /// is unambiguous there is one way, and this is the sum of the logarithms of its rules.
  ///
  /// - Complexity: O(words × rules) where few phrases can end in more than one place.
  /// - SeeAlso: K. Lari, S. Young, "The estimation of stochastic context-free grammars using the
  ///   inside-outside algorithm", Computer Speech & Language 4 (1990): inside probabilities.
  package func logProbability(of sentence: [some StringProtocol], from start: Int) -> Double? {
    let numbers = sentence.compactMap { wordNumbers[String($0)] }
    guard numbers.count == sentence.count else { return nil }
    // spans[begin][phrase]: every stretch that the phrase can cover from there.
    var spans = [[[Span]]](
      repeating: [[Span]](repeating: [], count: rules.count), count: numbers.count + 1)
    for begin in (0...numbers.count).reversed() {
      for phrase in order {
        var found: [Span] = []
        for rule in rules[phrase] {
          let nothing = Span(end: begin, logProbability: rule.logProbability)
          Self.extend(nothing, by: rule.symbols, from: 0, numbers, spans, &found)
        }
        spans[begin][phrase] = found
      }
    }
    return spans[0][start].first { $0.end == numbers.count }?.logProbability
  }

  /// Adds to `found` all that a span becomes when the symbols from `next` on follow it.
  private static func extend(
    _ span: Span, by symbols: [Symbol], from next: Int, _ words: [Int], _ spans: [[[Span]]],
    _ found: inout [Span]
  ) {
    guard next < symbols.count else { return add(span, to: &found) }
    switch symbols[next] {
    case .word(let word):
      guard span.end < words.count, words[span.end] == word else { return }
      let longer = Span(end: span.end + 1, logProbability: span.logProbability)
      extend(longer, by: symbols, from: next + 1, words, spans, &found)
    case .phrase(let phrase):
      for part in spans[span.end][phrase] {
        let longer = Span(
          end: part.end, logProbability: span.logProbability + part.logProbability)
        extend(longer, by: symbols, from: next + 1, words, spans, &found)
      }
    }
  }

  private static func add(_ span: Span, to spans: inout [Span]) {
    guard let same = spans.firstIndex(where: { $0.end == span.end }) else {
      return spans.append(span)
    }
    let (a, b) = (spans[same].logProbability, span.logProbability)
    spans[same].logProbability = max(a, b) + log1p(exp(-abs(a - b)))
  }

  /// Entropy in nats of what a phrase becomes, and its mean number of words.
  ///
  ///     H(A) = Σ_r p_r · (−ln p_r + Σ_{B in r} H(B)),   L(A) = Σ_r p_r · (words in r + Σ L(B))
  ///
  /// two systems of linear equations with the same matrix. H is the entropy of derivations: that
  /// of sentences if the grammar is unambiguous.
  ///
  /// - SeeAlso: S. Soule, "Entropies of probabilistic grammars", Information and Control 25 (1974).
  package func expectations(of phrase: Int) -> (entropy: Double, words: Double) {
    let count = rules.count
    // Row A: H(A) − Σ m_AB H(B) = h_A, and its right-hand sides h_A and l_A in two more columns.
    var rows = [[Double]](repeating: [Double](repeating: 0, count: count + 2), count: count)
    for (a, choices) in rules.enumerated() {
      rows[a][a] = 1
      for rule in choices {
        rows[a][count] -= rule.probability * rule.logProbability
        for symbol in rule.symbols {
          switch symbol {
          case .word: rows[a][count + 1] += rule.probability
          case .phrase(let b): rows[a][b] -= rule.probability
          }
        }
      }
    }
    eliminate(&rows)
    return (rows[phrase][count], rows[phrase][count + 1])
  }

  /// Gauss–Jordan elimination with partial pivoting: leaves the solutions in the last columns.
  private func eliminate(_ rows: inout [[Double]]) {
    for column in rows.indices {
      let pivot = (column..<rows.count).max { abs(rows[$0][column]) < abs(rows[$1][column]) }
      guard let pivot, abs(rows[pivot][column]) > 1e-12 else {
        preconditionFailure("the grammar's sentences have no finite mean length")
      }
      rows.swapAt(column, pivot)
      let row = rows[column].map { $0 / rows[column][column] }
      rows[column] = row
      for other in rows.indices where other != column && rows[other][column] != 0 {
        let factor = rows[other][column]
        for k in column..<row.count { rows[other][k] -= factor * row[k] }
      }
    }
  }
}
