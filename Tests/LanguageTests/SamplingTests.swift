import Foundation
import Language
import Tensors
import Testing

@Suite struct SamplingTests {
  private let logits: [Float] = [0.5, -1, 2, 1, -.infinity, 0.25]

  private func counts(
    _ sampling: Sampling, of logits: [Float], draws: Int, seed: UInt64 = 1
  ) -> [Int] {
    var generator = Philox(seed: seed)
    var counts = [Int](repeating: 0, count: logits.count)
    for _ in 0..<draws { counts[Int(sampling.draw(from: logits, using: &generator))] += 1 }
    return counts
  }

  /// softmax(logits / temperature) over the tokens that are `kept`.
  private func probabilities(_ logits: [Float], temperature: Double = 1, kept: Set<Int>? = nil)
    -> [Double]
  {
    let weights = logits.enumerated().map {
      kept?.contains($0) ?? true ? exp(Double($1) / temperature) : 0
    }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  /// Pearson's χ² with up to four degrees of freedom: 23.5 is exceeded once in ten thousand seeds.
  private func expectFollows(
    _ counts: [Int], _ probabilities: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let draws = Double(counts.reduce(0, +))
    var statistic = 0.0
    for (count, p) in zip(counts, probabilities) {
      if p == 0 {
        #expect(count == 0, sourceLocation: sourceLocation)
      } else {
        statistic += pow(Double(count) - draws * p, 2) / (draws * p)
      }
    }
    #expect(statistic < 23.5, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    Sampling(temperature: 0), Sampling(topK: 1), Sampling(topP: 1e-9), Sampling(temperature: 1e-5),
    Sampling(temperature: 0, topK: 3, topP: 0.5), Sampling(temperature: .leastNonzeroMagnitude),
  ])
  func theseAreGreedy(_ sampling: Sampling) {
    #expect(counts(sampling, of: logits, draws: 100) == [0, 0, 100, 0, 0, 0])
  }

  @Test(arguments: [
    Sampling(temperature: 0), Sampling(topK: 1), Sampling(topP: 1e-9),
  ])
  func ofEqualsTheFirstIsTaken(_ sampling: Sampling) {
    #expect(counts(sampling, of: [-1, 3, 0, 3, 3], draws: 50) == [0, 50, 0, 0, 0])
  }

  @Test(arguments: [0.5, 1, 2]) func drawsFollowTheProbabilities(temperature: Double) {
    let found = counts(Sampling(temperature: temperature), of: logits, draws: 20_000)
    expectFollows(found, probabilities(logits, temperature: temperature))
  }

  @Test(arguments: [2, 3, 5, 99]) func topKKeepsTheLikeliest(k: Int) {
    let found = counts(Sampling(topK: k), of: logits, draws: 20_000)
    expectFollows(found, probabilities(logits, kept: Set([2, 3, 0, 5, 1].prefix(k))))
  }

  @Test func topKKeepsTheFirstOfEquals() {
    expectFollows(
      counts(Sampling(topK: 2), of: [0, 1, 0, 0], draws: 10_000),
      probabilities([0, 1, 0, 0], kept: [0, 1]))
  }

  /// Probabilities 1/8, 1/2, 1/8, 1/4: the second, the fourth, the first, the third.
  @Test(arguments: [(0.1, 1), (0.5, 1), (0.51, 2), (0.75, 2), (0.76, 3), (0.9, 4), (1, 4)])
  func topPKeepsTheSmallestSetThatReachesP(p: Double, count: Int) {
    let logits = [0.125, 0.5, 0.125, 0.25].map { Float(log($0)) }
    // A hair less than asked for, since the logits are rounded.
    let found = counts(Sampling(topP: p == 1 ? 1 : p - 1e-6), of: logits, draws: 10_000)
    expectFollows(found, probabilities(logits, kept: Set([1, 3, 0, 2].prefix(count))))
  }

  @Test func topPIsOfWhatTopKLeaves() {
    let logits = [0.4, 0.3, 0.2, 0.1].map { Float(log($0)) }
    // Of the first three, 4/9 + 3/9 reach 0.75; of all four, 0.7 wouldn't.
    let found = counts(Sampling(topK: 3, topP: 0.75), of: logits, draws: 10_000)
    expectFollows(found, probabilities(logits, kept: [0, 1]))
  }

  @Test func impossibleTokensAreNeverDrawn() {
    let logits: [Float] = [-.infinity, 0, -.infinity, 1, -.infinity]
    for sampling in [
      Sampling(), Sampling(topK: 4), Sampling(topP: 0.999), Sampling(temperature: 9),
    ] {
      let found = counts(sampling, of: logits, draws: 20_000)
      #expect(found[0] + found[2] + found[4] == 0)
      #expect(found[1] > 0 && found[3] > 0)
    }
  }

  /// Tokens far apart among impossible ones.
  @Test(arguments: [nil, 3]) func drawsFromManyFollowTheProbabilities(topK: Int?) {
    var logits = [Float](repeating: -.infinity, count: 1000)
    let tokens = [0, 255, 256, 700]
    for (token, logit) in zip(tokens, [1, 0.5, 1.5, 0.75] as [Float]) { logits[token] = logit }
    let found = counts(Sampling(topK: topK), of: logits, draws: 20_000)
    #expect(found.reduce(0, +) == tokens.reduce(0) { $0 + found[$1] })
    let kept = Set([2, 0, 3, 1].prefix(topK ?? 4))
    expectFollows(
      tokens.map { found[$0] }, probabilities(tokens.map { logits[$0] }, kept: kept))
  }

  /// As of a model that has diverged, or at a temperature by which nothing can be divided.
  @Test(arguments: [
    Sampling(), Sampling(topK: 2), Sampling(topP: 0.9), Sampling(topK: 9, topP: 0.5),
    Sampling(temperature: 1e60, topP: 0.9), Sampling(temperature: 0),
  ])
  func logitsThatAreNoNumbersAreDrawnFrom(sampling: Sampling) {
    for logits in [[.nan, .nan, .nan], [.infinity, 0, .nan], [0, -.infinity, 1]] as [[Float]] {
      #expect(counts(sampling, of: logits, draws: 10).reduce(0, +) == 10)
    }
  }

  @Test func sameSeedSameDraws() {
    #expect(
      counts(Sampling(), of: logits, draws: 100) == counts(Sampling(), of: logits, draws: 100))
    #expect(
      counts(Sampling(), of: logits, draws: 100)
        != counts(Sampling(), of: logits, draws: 100, seed: 2))
  }
}
