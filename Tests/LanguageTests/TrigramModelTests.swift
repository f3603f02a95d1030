import Foundation
import Language
import Testing

@Suite struct TrigramModelTests {
  /// A sequence in which tokens depend on the two before them, with `</s>` as token 1.
  private static func tokens(_ count: Int, seed: UInt64) -> [Int32] {
    var generator = SeededGenerator(seed)
    var tokens: [Int32] = [1, 1]
    while tokens.count < count {
      let (a, b) = (tokens[tokens.count - 2], tokens[tokens.count - 1])
      let noise = Int32(generator.next() % 4)
      tokens.append(noise == 3 ? Int32(generator.next() % 11) : (3 * a + b + noise) % 11)
    }
    return tokens
  }

  @Test(arguments: 0...3, [nil, 1] as [Int32?])
  func probabilitiesSumToOne(order: Int, lineEnd: Int32?) {
    let training = Self.tokens(500, seed: 1)
    let model = TrigramModel(
      order: order, vocabularySize: 12, lineEnd: lineEnd, training: training)
    let histories: [[Int32]] = [[], [1], [3], [11], [1, 5], [5, 1], [4, 7], [11, 11], [2, 11]]
    for history in histories {
      let probabilities = (0..<12).map {
        model.probability(at: history.count, of: history + [Int32($0)])
      }
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
      #expect(probabilities.allSatisfy { $0 > 0 })
    }
  }

  @Test func orderZeroIsUniform() {
    let model = TrigramModel(order: 0, vocabularySize: 50, training: [])
    let (nats, tokens) = model.crossEntropy(of: [0, 49, 7])
    #expect(abs(nats - 3 * log(50)) < 1e-12)
    #expect(tokens == 3)
  }

  /// On enough data a unigram reaches the entropy of independent draws, 1.75 bits here.
  @Test func unigramReachesTheEntropyOfItsSource() {
    var generator = SeededGenerator(3)
    let tokens: [Int32] = (0..<200_000).map { _ in
      [0, 0, 0, 0, 1, 1, 2, 3][Int(generator.next() % 8)]
    }
    let model = TrigramModel(order: 1, vocabularySize: 4, training: tokens)
    let (nats, count) = model.crossEntropy(of: tokens)
    // Three standard errors: the deviation of −log₂ p is 0.83 bits.
    #expect(abs(nats / Double(count) / log(2) - 1.75) < 3 * 0.83 / Double(count).squareRoot())
  }

  /// Every token decides its successor, so nothing is left to predict.
  @Test func aDeterministicTextIsPredicted() {
    let training = [Int32](repeating: 0, count: 600).enumerated().map { Int32($0.offset % 3) }
    let model = TrigramModel(order: 3, vocabularySize: 3, lineEnd: 2, training: training)
    let (nats, count) = model.crossEntropy(of: training)
    #expect(nats / Double(count) < 1e-4)
  }

  @Test func higherOrdersPredictTheirSourceBetter() {
    let training = Self.tokens(50_000, seed: 4)
    let held = Self.tokens(10_000, seed: 5)
    let nats = (0...3).map {
      TrigramModel(order: $0, vocabularySize: 11, training: training).crossEntropy(of: held).nats
    }
    #expect(nats[3] < 0.8 * nats[2])
    #expect(nats[1] < nats[0] + 1)
    // The source: each of three tokens has 1/4 + 1/44, each of eight 1/44.
    let (likely, other) = (1.0 / 4 + 1.0 / 44, 1.0 / 44)
    let truth = -(3 * likely * log(likely) + 8 * other * log(other))
    #expect(abs(nats[3] / 10_000 - truth) < 0.03)
  }

  @Test func nothingIsSeenAcrossALineEnd() {
    let training = Self.tokens(2_000, seed: 6)
    let model = TrigramModel(order: 3, vocabularySize: 11, lineEnd: 1, training: training)
    let first = model.probability(at: 2, of: [4, 1, 7])
    #expect(first == model.probability(at: 0, of: [7]))
    #expect(first == model.probability(at: 2, of: [9, 1, 7]))
    let second = model.probability(at: 3, of: [4, 1, 7, 2])
    #expect(second == model.probability(at: 3, of: [9, 1, 7, 2]))
    #expect(second == model.probability(at: 1, of: [7, 2]))
    #expect(second != model.probability(at: 3, of: [1, 4, 7, 2]))
  }
}
