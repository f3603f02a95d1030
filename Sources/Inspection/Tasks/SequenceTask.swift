import Tensors

/// A made-up task in which something has to be remembered over a lag of known length.
///
/// - SeeAlso: S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997),
///   section 5.
public protocol SequenceTask: Sendable {
  /// I, the size of an input.
  var inputSize: Int { get }
  /// The size of what a network has to give out.
  var outputSize: Int { get }
  /// How the task is called in results.
  var name: String { get }

  /// Fresh sequences.
  func examples(batch: Int, using generator: inout Philox) -> TaskExamples

  /// The mean loss of a network's outputs in the steps that count, a scalar.
  ///
  /// - Parameter outputs: `[counted steps, B, outputSize]`.
  func loss(_ outputs: Tensor, _ examples: TaskExamples) -> Tensor

  /// The error by which success is judged: 0 is perfect, 1 what can be had without memory.
  func error(_ outputs: Tensor, _ examples: TaskExamples) -> Double

  /// An error below which the task counts as learned.
  var learnedBelow: Double { get }
  /// The same, as a person says it.
  var criterion: String { get }
}

/// Sequences with what is to be given out in their last steps.
public struct TaskExamples: Sendable {
  /// `[T, B, I]`.
  public let inputs: Tensor
  /// In how many steps at the end an output counts.
  public let countedSteps: Int
  /// Numbers to be given out, `[counted steps, B, 1]`, or classes.
  public let targets: Targets

  public enum Targets: Sendable {
    case numbers(Tensor)
    /// Time-major, `[counted steps · B]`.
    case classes([Int32])
  }
}
