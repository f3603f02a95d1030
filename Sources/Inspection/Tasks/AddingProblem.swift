import Tensors

/// Adds the two marked numbers of a sequence.
///
///     x_t = (uniform in [0, 1), mark),   target = the sum of the two numbers with mark 1
///
/// One mark is in the first half of the sequence and one in the second, so that a number has to be
/// remembered over half of the steps on average, and the sum until the end. Who ignores the input
/// and says 1 has a mean squared error of 1/6.
///
/// - SeeAlso: Hochreiter and Schmidhuber 1997, experiment 4, in the form of Q. Le, N. Jaitly,
///   G. Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", 2015.
public struct AddingProblem: SequenceTask {
  /// T, the number of steps.
  public let lag: Int

  /// - Precondition: at least 4 steps.
  public init(lag: Int) {
    require(lag >= 4, "the adding problem needs 4 steps, not \(lag)")
    self.lag = lag
  }

  public var name: String { "adding" }
  public var inputSize: Int { 2 }
  public var outputSize: Int { 1 }

  /// The error of who always says 1: the variance of the sum of two uniform numbers.
  static let baseline = 1.0 / 6

  public func examples(batch: Int, using generator: inout Philox) -> TaskExamples {
    var inputs = [Float](repeating: 0, count: lag * batch * 2)
    var sums = [Float](repeating: 0, count: batch)
    for sequence in 0..<batch {
      let half = lag / 2
      let marks = [
        Int(generator.next() % UInt64(half)), half + Int(generator.next() % UInt64(lag - half)),
      ]
      for step in 0..<lag {
        let value = generator.uniform()
        let place = (step * batch + sequence) * 2
        inputs[place] = value
        guard marks.contains(step) else { continue }
        inputs[place + 1] = 1
        sums[sequence] += value
      }
    }
    return TaskExamples(
      inputs: Tensor(inputs, shape: [lag, batch, 2]), countedSteps: 1,
      targets: .numbers(Tensor(sums, shape: [1, batch, 1])))
  }

  public func loss(_ outputs: Tensor, _ examples: TaskExamples) -> Tensor {
    guard case .numbers(let targets) = examples.targets else { return Tensor(.nan) }
    let error = outputs - targets
    return (error * error).mean()
  }

  /// The mean squared error over that of who always says 1.
  public func error(_ outputs: Tensor, _ examples: TaskExamples) -> Double {
    Double(loss(outputs.detached, examples).item) / Self.baseline
  }

  public var learnedBelow: Double { 0.1 }
  public var criterion: String {
    "a mean squared error below 1/60, a tenth of what always saying 1 gives"
  }
}
