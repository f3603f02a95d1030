import Learning
import Tensors
import Testing

@Suite(.serialized) struct SoftmaxReadoutTests {
  struct Size: Sendable, CustomTestStringConvertible {
    let rows, hidden, classes: Int
    var testDescription: String { "\(rows) rows, H \(hidden), V \(classes)" }
  }

  /// Ragged, a panel's width exactly, and with a vocabulary for which the rows fall into blocks of
  /// 64, the last of them short.
  static let sizes = [
    Size(rows: 1, hidden: 1, classes: 2), Size(rows: 3, hidden: 5, classes: 7),
    Size(rows: 64, hidden: 16, classes: 16), Size(rows: 65, hidden: 17, classes: 33),
    Size(rows: 150, hidden: 7, classes: 40_003),
  ]

  private struct Problem {
    let hidden, weight, bias: Tensor
    let targets: [Int32]

    init(_ size: Size) {
      hidden = normalNoise([size.rows, size.hidden], seed: 1)
      weight = normalNoise([size.classes, size.hidden], seed: 2)
      bias = normalNoise([size.classes], seed: 3)
      targets = randomTokens(size.rows, classes: size.classes, seed: 4)
    }

    func fused(_ tensors: [Tensor]) -> Tensor {
      SoftmaxReadout.crossEntropy(
        tensors[0], weight: tensors[1], bias: tensors[2], targets: targets)
    }

    func plain(_ tensors: [Tensor]) -> Tensor {
      let logits = tensors[0].times(tensors[1].transposed) + tensors[2].broadcast
      return logits.crossEntropy(targets)
    }

    /// The loss, and the gradients of `factor` times it.
    func results(_ loss: ([Tensor]) -> Tensor, factor: Float = 1) -> (Float, [Tensor?]) {
      let inputs = [hidden, weight, bias].map(\.watched)
      let loss = loss(inputs)
      let gradients = (factor == 1 ? loss : loss * factor).backward()
      return (loss.item, inputs.map { gradients[$0] })
    }
  }

  /// A few roundings of 6e-8. Sums over V classes, in different orders, walk away from each other by
  /// √V of them.
  private func tolerance(_ size: Size) -> Float {
    max(2e-6, 1.2e-7 * Float(size.classes).squareRoot())
  }

  @Test(arguments: sizes, [1, -2.5] as [Float])
  func equalsProductAndCrossEntropy(size: Size, factor: Float) throws {
    let problem = Problem(size)
    let (loss, gradients) = problem.results(problem.fused, factor: factor)
    let (expected, plain) = problem.results(problem.plain, factor: factor)
    #expect(abs(loss - expected) <= 2e-6 * max(1, expected))
    for (found, plain) in zip(gradients, plain) {
      let difference = relativeDifference(try #require(found), try #require(plain))
      #expect(difference < tolerance(size))
    }
  }

  @Test(arguments: sizes) func doesNotDependOnTheThreads(size: Size) {
    let problem = Problem(size)
    let before = Compute.threads
    defer { Compute.threads = before }
    let results = [1, 2, 3].map { threads in
      Compute.threads = threads
      let (loss, gradients) = problem.results(problem.fused)
      return [[loss.bitPattern]] + gradients.map { $0?.values.map(\.bitPattern) ?? [] }
    }
    let same = results[0] == results[1] && results[0] == results[2]
    #expect(same)
  }

  @Test func leadingDimensionsAreRows() throws {
    let problem = Problem(Size(rows: 6, hidden: 5, classes: 7))
    let hidden = problem.hidden.reshaped([2, 3, 5]).watched
    let loss = problem.fused([hidden, problem.weight, problem.bias])
    #expect(loss.item == problem.fused([problem.hidden, problem.weight, problem.bias]).item)
    #expect(loss.backward()[hidden]?.shape == [2, 3, 5])
  }

  /// dE has two parts: from where E is looked up, and from where it is the readout.
  @Test func gradientsOfTiedWeightsAdd() throws {
    let embedding = Parameter(normalNoise([9, 5], seed: 1))
    let bias = normalNoise([9], seed: 2)
    let (inputs, targets): ([Int32], [Int32]) = ([0, 3, 3, 8], [3, 3, 8, 1])
    func hidden(_ table: Tensor) -> Tensor { tanh(table.gathering(inputs)) }
    let tied = SoftmaxReadout.crossEntropy(
      hidden(embedding.tensor), weight: embedding.tensor, bias: bias, targets: targets)
    let found = try #require(tied.backward()[embedding])
    let (table, weight) = (embedding.value.watched, embedding.value.watched)
    let logits = hidden(table).times(weight.transposed) + bias.broadcast
    let gradients = logits.crossEntropy(targets).backward()
    let expected = try #require(gradients[table]) + #require(gradients[weight])
    #expect(relativeDifference(found, expected) < 2e-6)
  }

  @Test(arguments: sizes) func withoutGradientsTheLossIsTheSame(size: Size) {
    let problem = Problem(size)
    let (loss, _) = problem.results(problem.fused)
    let inputs = [problem.hidden, problem.weight, problem.bias]
    let constant = problem.fused(inputs)
    #expect(constant.item == loss)
    #expect(!constant.needsGradient)
    let unrecorded = withoutGradients { problem.fused(inputs.map(\.watched)) }
    #expect(unrecorded.item == loss)
    #expect(!unrecorded.needsGradient)
    let each = SoftmaxReadout.crossEntropies(
      inputs[0], weight: inputs[1], bias: inputs[2], targets: problem.targets
    ).each
    #expect(Float(each.reduce(0, +) / Double(size.rows)) == loss)
  }

  @Test func onlyTheGradientsThatAreWantedAreGiven() throws {
    let problem = Problem(Size(rows: 3, hidden: 5, classes: 7))
    let weight = problem.weight.watched
    let gradients = problem.fused([problem.hidden, weight, problem.bias]).backward()
    let (_, expected) = problem.results(problem.plain)
    let found = try #require(gradients[weight])
    #expect(relativeDifference(found, try #require(expected[1])) < 2e-6)
    #expect(gradients[problem.hidden] == nil)
  }
}
