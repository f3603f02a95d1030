import Unfold

/// The simple recurrent network as a user writes it: its equation, and where its state starts.
///
///     s′ = tanh(W·[x; s] + b),   h = s′
///
/// Batches, lengths, stacks, BPTT and truncated BPTT work on it unchanged, and `CellLaws` finds
/// nothing wrong with it.
///
/// - SeeAlso: J. Elman, "Finding Structure in Time", Cognitive Science 14 (1990).
public struct LectureCell: RecurrentCell {
  public let weight: Parameter  // [H, I + H]
  public let bias: Parameter  // [H]
  public init(_ W: Tensor, _ b: Tensor) { (weight, bias) = (Parameter(W), Parameter(b)) }

  public func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, bias.shape[0]]) }

  public func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let next = tanh(concatenated(x, s).times(weight.transposed) + bias.broadcast)
    return (next, next)
  }
}

/// Unfolds the cell over seven inputs.
///
/// - Parameters:
///   - inputs: x₁ … x₇, `[7, B, I]`.
///   - state: s₀, `[B, H]`; zeros if not given.
/// - Returns: h₁ … h₇, `[7, B, H]`.
public func sevenOutputs(of cell: LectureCell, over inputs: Tensor, from state: Tensor? = nil)
  -> Tensor
{
  precondition(inputs.shape[0] == 7, "seven inputs [7, B, I], not \(inputs.shape)")
  return unfold(cell, over: inputs, from: state).outputs
}
