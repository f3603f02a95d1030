import Foundation
import Learning
import Tensors
import Testing

@Suite(.serialized) struct AdaptiveSoftmaxTests {
  /// 7 rows of 16 units, 23 words cut at 4 and 11.
  private struct Problem {
    var hidden: Tensor
    let softmax: AdaptiveSoftmax
    var targets: [Int32] = [0, 3, 4, 10, 11, 22, 5]

    init(_ weights: (_ number: Int, Shape) -> Tensor) {
      hidden = weights(0, [7, 16]).watched
      var number = 0
      softmax = AdaptiveSoftmax(inputSize: 16, vocabularySize: 23, cutoffs: [4, 11]) { shape in
        number += 1
        return weights(number, shape)
      }
    }

    static var random: Problem { Problem { normalNoise($1, seed: UInt64($0)) } }

    /// x_k = sin(0.7·k + number) / 2.
    static var formula: Problem {
      Problem { number, shape in
        let values = (0..<shape.count).map { Float(sin(0.7 * Double($0) + Double(number)) / 2) }
        return Tensor(values, shape: shape)
      }
    }

    func loss() -> Tensor { softmax.crossEntropies(hidden, targets: targets).mean }

    /// Row by row: −ln p(own or cluster's row of the head) − ln p(word in its cluster).
    func plainLoss() -> Tensor {
      var terms: [Tensor] = []
      for (row, target) in targets.enumerated() {
        let h = hidden[row..<row + 1]
        let index = softmax.clusters.firstIndex { $0.words.contains(Int(target)) }
        let logits = h.times(softmax.head.transposed)
        terms.append(logits.crossEntropy([index.map { Int32(4 + $0) } ?? target]))
        guard let index else { continue }
        let cluster = softmax.clusters[index]
        let inCluster = h.times(cluster.projection.transposed).times(cluster.weight.transposed)
        terms.append(inCluster.crossEntropy([target - Int32(cluster.words.lowerBound)]))
      }
      return terms.dropFirst().reduce(terms[0], +) * (1 / Float(targets.count))
    }

    /// Of the hidden states and of each matrix.
    func gradients(of loss: Tensor) -> [(name: String, gradient: Tensor?)] {
      let gradients = loss.backward()
      return [("hidden", gradients[hidden])]
        + softmax.parameters.map { ($0.name, gradients[$0.parameter]) }
    }
  }

  @Test func lossAndGradientsEqualThoseOfThePlainForm() throws {
    let problem = Problem.random
    let (loss, plain) = (problem.loss(), problem.plainLoss())
    #expect(abs(loss.item - plain.item) < 2e-6)
    for (found, expected) in zip(problem.gradients(of: loss), problem.gradients(of: plain)) {
      let difference = relativeDifference(
        try #require(found.gradient), try #require(expected.gradient))
      #expect(difference < 5e-6, "\(found.name)")
    }
  }

  /// Printed by Scripts/compare-with-pytorch/adaptive-softmax.py, with PyTorch 2.15: for each gradient
  /// its norm, and its product with cos(k). Within a few roundings of the largest number.
  @Test func equalsPyTorchs() throws {
    let problem = Problem.formula
    let (mean, each) = problem.softmax.crossEntropies(problem.hidden, targets: problem.targets)
    #expect(abs(mean.item - 3.603664) < 2e-6)
    let logProbabilities = [
      -1.620986, -2.562068, -5.239429, -3.180231, -2.900851, -4.044285, -5.677798,
    ]
    #expect(zip(each, logProbabilities).allSatisfy { abs($0 + $1) < 3e-6 })
    let ofWords: [Float] = [
      -4.21881, -3.75319, -1.14307, -0.54896, -5.23943, -4.86523, -6.11914, -4.13042, -6.62416,
      -3.91357, -6.52778, -7.99162, -7.5969, -6.95176, -6.35962, -6.09897, -6.29241, -6.84894,
      -7.50684, -7.95667, -7.98688, -7.58326, -6.93563,
    ]
    let logits = problem.softmax.logits(of: problem.hidden)[2]
    let found = logits.values.map { $0 - logits.logSumExp().item }
    #expect(largestDifference(found, ofWords) < 1e-5)
    let expected: [(name: String, norm: Double, product: Double)] = [
      ("hidden", 0.6801913, 0.4028751), ("head.weight", 0.610893, 0.4505096),
      ("tail.0.0.weight", 0.1707673, -0.05793376), ("tail.0.1.weight", 0.7492776, -0.3132902),
      ("tail.1.0.weight", 0.04937199, -0.0159402), ("tail.1.1.weight", 0.276448, 0.3039673),
    ]
    let gradients = problem.gradients(of: mean)
    #expect(gradients.map(\.name) == expected.map(\.name))
    for (gradient, expected) in zip(gradients, expected) {
      let g = try #require(gradient.gradient).values.map(Double.init)
      let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let product = g.enumerated().reduce(0) { $0 + $1.element * cos(Double($1.offset)) }
      #expect(abs(norm - expected.norm) < 1e-6, "\(expected.name)")
      #expect(abs(product - expected.product) < 2e-6, "\(expected.name)")
    }
  }

  /// Along a random direction of each matrix; the difference quotient of a loss in Float32 is good to
  /// some 1e-4.
  @Test func gradientsMatchFiniteDifferences() throws {
    let problem = Problem.random
    let gradients = problem.loss().backward()
    for (index, (name, parameter)) in problem.softmax.parameters.enumerated() {
      let direction = normalNoise(parameter.shape, seed: UInt64(100 + index))
      let trained = parameter.value
      func nats(_ step: Float) -> Double {
        parameter.value = (trained + direction * step).detached
        defer { parameter.value = trained }
        return problem.softmax.crossEntropies(problem.hidden, targets: problem.targets).each
          .reduce(0, +) / Double(problem.targets.count)
      }
      let quotient = (nats(0.005) - nats(-0.005)) / 0.01
      let product = (try #require(gradients[parameter]) * direction).sum().item
      #expect(abs(quotient - Double(product)) < 1e-3 * max(1, abs(quotient)), "\(name)")
    }
  }

  /// By the losses that each word as a target would have, and by the logits of all words.
  @Test func probabilitiesSumToOne() {
    var problem = Problem.random
    let all = (Int32(0)..<23).map { word in
      problem.targets = [Int32](repeating: word, count: 7)
      return problem.softmax.crossEntropies(problem.hidden, targets: problem.targets).each
    }
    let logits = problem.softmax.logits(of: problem.hidden)
    let logSums = logits.logSumExp().values
    for row in 0..<7 {
      #expect(abs(all.reduce(0) { $0 + exp(-$1[row]) } - 1) < 1e-6)
      let found = logits[row].values.map { Double(logSums[row] - $0) }
      #expect(zip(found, all).allSatisfy { abs($0 - $1[row]) < 1e-5 })
    }
  }

  @Test func aClusterWithoutTargetsHasNoGradient() {
    var problem = Problem.random
    problem.targets = [0, 1, 12, 20, 3, 2, 1]
    let gradients = problem.gradients(of: problem.loss())
    let without = gradients.filter { $0.gradient == nil }.map(\.name)
    #expect(without == ["tail.0.0.weight", "tail.0.1.weight"])
  }

  @Test func doesNotDependOnTheThreads() {
    let hidden = normalNoise([300, 64], seed: 1).watched
    var generator = Philox(seed: 2)
    let softmax = AdaptiveSoftmax(inputSize: 64, vocabularySize: 5000, cutoffs: [500, 1500]) {
      Tensor(uniform: $0, bound: 0.3, using: &generator)
    }
    let targets = randomTokens(300, classes: 5000, seed: 3)
    let before = Compute.threads
    defer { Compute.threads = before }
    let results = [1, 2, 3].map { threads in
      Compute.threads = threads
      let (mean, each) = softmax.crossEntropies(hidden, targets: targets)
      let gradients = mean.backward()
      let bits = softmax.parameters.map { gradients[$0.parameter]?.values.map(\.bitPattern) }
      return (each, bits + [gradients[hidden]?.values.map(\.bitPattern)])
    }
    #expect(results[1].0 == results[0].0 && results[2].0 == results[0].0)
    #expect(results[1].1 == results[0].1 && results[2].1 == results[0].1)
  }
}
