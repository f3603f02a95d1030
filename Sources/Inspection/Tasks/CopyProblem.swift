import Tensors

/// Repeats symbols after a wait.
///
///     s₁ … s₅  blank × (lag − 1)  go  blank × 4     →     s₁ … s₅ in the last five steps
///
/// There are eight symbols, each equally likely; a blank and a go sign are two more inputs. From
/// when a symbol is seen until it is to be said, `lag` + 4 steps go by. Who guesses is right in 1 of
/// 8 cases.
///
/// - SeeAlso: Hochreiter and Schmidhuber 1997, experiment 2, in the form of M. Arjovsky, A. Shah,
///   Y. Bengio, "Unitary Evolution Recurrent Neural Networks", ICML 2016, section 5.1.
public struct CopyProblem: SequenceTask {
  /// The steps between the last symbol and the go sign.
  public let lag: Int
  public let symbols = 8
  public let length = 5

  /// - Precondition: at least 1 step.
  public init(lag: Int) {
    require(lag >= 1, "the copy problem needs a lag of at least 1, not \(lag)")
    self.lag = lag
  }

  public var name: String { "copy" }
  public var inputSize: Int { symbols + 2 }
  public var outputSize: Int { symbols }

  public func examples(batch: Int, using generator: inout Philox) -> TaskExamples {
    let steps = length + lag + length - 1
    let (blank, go) = (symbols, symbols + 1)
    var inputs = [Float](repeating: 0, count: steps * batch * inputSize)
    var targets = [Int32](repeating: 0, count: length * batch)
    for sequence in 0..<batch {
      for step in 0..<steps {
        var symbol = step == steps - length ? go : blank
        if step < length {
          symbol = Int(generator.next() % UInt64(symbols))
          targets[step * batch + sequence] = Int32(symbol)
        }
        inputs[(step * batch + sequence) * inputSize + symbol] = 1
      }
    }
    return TaskExamples(
      inputs: Tensor(inputs, shape: [steps, batch, inputSize]), countedSteps: length,
      targets: .classes(targets))
  }

  public func loss(_ outputs: Tensor, _ examples: TaskExamples) -> Tensor {
    guard case .classes(let targets) = examples.targets else { return Tensor(.nan) }
    return outputs.crossEntropy(targets)
  }

  /// The share of wrong symbols over that of who guesses, 7/8.
  public func error(_ outputs: Tensor, _ examples: TaskExamples) -> Double {
    guard case .classes(let targets) = examples.targets else { return .nan }
    let classes = outputs.shape[-1]
    var wrong = 0
    outputs.withValues { values in
      for (place, target) in targets.enumerated() {
        let row = values[place * classes..<(place + 1) * classes]
        let best = row.indices.max { row[$0] < row[$1] }.map { $0 - row.startIndex }
        if best != Int(target) { wrong += 1 }
      }
    }
    return Double(wrong) / Double(targets.count) / (7.0 / 8)
  }

  public var learnedBelow: Double { 0.1 }
  public var criterion: String { "more than 91 % of the symbols right (1 in 8 by guessing)" }
}
