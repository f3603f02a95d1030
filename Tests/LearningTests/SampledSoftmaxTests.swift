import Foundation
import Learning
import Tensors
import Testing

@Suite struct SampledSoftmaxTests {
  private let hidden = normalNoise([9, 6], seed: 1)
  private let weight = normalNoise([40, 6], seed: 2)
  private let bias = normalNoise([40], seed: 3)
  private let targets: [Int32] = [0, 3, 39, 7, 3, 20, 1, 0, 30]

  /// The loss, and its gradients for h, V and b.
  private func results(
    _ loss: (_ h: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor
  ) throws -> (loss: Float, gradients: [Tensor]) {
    let inputs = [hidden, weight, bias].map(\.watched)
    let loss = loss(inputs[0], inputs[1], inputs[2])
    let gradients = loss.backward()
    return (loss.item, try inputs.map { try #require(gradients[$0]) })
  }

  private func sampled(
    _ samples: Int, _ generator: Philox
  ) throws -> (loss: Float, gradients: [Tensor]) {
    try results {
      SampledSoftmax.crossEntropy(
        $0, weight: $1, bias: $2, targets: targets, samples: samples, using: generator)
    }
  }

  private func full() throws -> (loss: Float, gradients: [Tensor]) {
    try results { ($0.times($1.transposed) + $2.broadcast).crossEntropy(targets) }
  }

  @Test(arguments: [40, 1000]) func ofAllWordsItIsTheFullSoftmax(samples: Int) throws {
    let (found, expected) = (try sampled(samples, Philox(seed: 4)), try full())
    #expect(abs(found.loss - expected.loss) < 2e-6)
    for (found, expected) in zip(found.gradients, expected.gradients) {
      #expect(relativeDifference(found, expected) < 2e-6)
    }
  }

  /// Row by row over the sample and the row's own target, with the distribution written out anew.
  @Test func equalsThePlainForm() throws {
    let generator = Philox(seed: 5)
    let sample = WordSample(count: 12, outOf: 40, using: generator)
    #expect(Set(sample.words).count == 12)
    let expected = try results { h, weight, bias in
      let terms = targets.enumerated().map { row, target in
        let others = sample.words.filter { $0 != target }
        let words = [target] + others
        let corrections = words.map { Float(-sample.logExpectedCount(of: $0)) }
        let ownBias = bias.reshaped([40, 1]).gathering(words).reshaped([words.count])
        let logits = h[row..<row + 1].times(weight.gathering(words).transposed)
        let x = logits + (ownBias + Tensor(corrections, shape: [words.count])).broadcast
        return x.crossEntropy([0])
      }
      return terms.dropFirst().reduce(terms[0], +) * (1 / Float(terms.count))
    }
    let found = try sampled(12, generator)
    #expect(abs(found.loss - expected.loss) < 2e-6)
    for (found, expected) in zip(found.gradients, expected.gradients) {
      #expect(relativeDifference(found, expected) < 5e-6)
    }
  }

  /// How often a word is in a sample is what is expected; within five standard deviations.
  @Test func wordsAreDrawnAsOftenAsExpected() {
    let (rounds, classes) = (4000, 60)
    var counts = [Double](repeating: 0, count: classes)
    var expected = counts
    for round in 0..<rounds {
      let sample = WordSample(
        count: 10, outOf: classes, using: Philox(seed: 6).split(UInt64(round)))
      for word in sample.words { counts[Int(word)] += 1 }
      for word in 0..<classes { expected[word] += exp(sample.logExpectedCount(of: Int32(word))) }
    }
    for word in 0..<classes {
      let deviation = (expected[word] * (1 - expected[word] / Double(rounds))).squareRoot()
      #expect(abs(counts[word] - expected[word]) < 5 * deviation + 0.005 * expected[word])
    }
    // By Zipf's law the first word is the most frequent: p = ln 2 / ln 61 in one draw.
    let one = (0..<rounds).count {
      WordSample(count: 1, outOf: classes, using: Philox(seed: 7).split(UInt64($0))).words == [0]
    }
    let p = log(2) / log(61.0)
    #expect(abs(Double(one) / Double(rounds) - p) < 5 * (p * (1 - p) / Double(rounds)).squareRoot())
  }

  /// The mean gradient comes to that of the full softmax as the sample grows; 400 rounds leave a few
  /// percent of noise.
  @Test func gradientsApproachThoseOfTheFullSoftmax() throws {
    let expected = try full().gradients[0]
    func error(_ samples: Int) throws -> Float {
      let rounds = 400
      let sum = try (0..<rounds).reduce(Tensor(zeros: expected.shape)) { sum, round in
        try (sum + sampled(samples, Philox(seed: 8).split(UInt64(round))).gradients[0]).detached
      }
      return relativeDifference(sum * (1 / Float(rounds)), expected)
    }
    let (few, many) = (try error(4), try error(30))
    #expect(many < few / 2)
    #expect(many < 0.1)
  }

  @Test func theSameGeneratorGivesTheSameBytes() throws {
    let (one, again) = (try sampled(9, Philox(seed: 1)), try sampled(9, Philox(seed: 1)))
    #expect(one.loss == again.loss)
    #expect(one.gradients.map(\.values) == again.gradients.map(\.values))
    #expect(try sampled(9, Philox(seed: 2)).loss != one.loss)
  }

  @Test func wordsThatAreInNoSumHaveNoGradient() throws {
    let generator = Philox(seed: 9)
    let inSum = Set(WordSample(count: 9, outOf: 40, using: generator).words + targets)
    let gradient = try sampled(9, generator).gradients[1]
    for word in 0..<40 {
      let isZero = gradient[word].values.allSatisfy { $0 == 0 }
      #expect(isZero != inSum.contains(Int32(word)))
    }
  }
}
