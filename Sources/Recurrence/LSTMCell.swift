import Tensors

/// What an LSTM remembers: its output h and its memory c, both `[B, H]`.
public struct LSTMState: TensorGroup {
  public var h: Tensor
  public var c: Tensor

  public init(h: Tensor, c: Tensor) {
    self.h = h
    self.c = c
  }

  public var tensors: [Tensor] { [h, c] }
  public func replacing(_ tensors: [Tensor]) -> LSTMState {
    LSTMState(h: tensors[0], c: tensors[1])
  }
}

/// Long short-term memory.
///
///     i = σ(W_ii x + b_ii + W_hi h + b_hi)      f = σ(W_if x + b_if + W_hf h + b_hf)
///     g = tanh(W_ig x + b_ig + W_hg h + b_hg)   o = σ(W_io x + b_io + W_ho h + b_ho)
///     c′ = f ⊙ c + i ⊙ g                        h′ = o ⊙ tanh(c′)
///
/// Weights, their order (i, f, g, o) and the two bias vectors are PyTorch's.
///
/// - SeeAlso: S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997);
///   F. Gers, J. Schmidhuber, F. Cummins, "Learning to Forget", Neural Computation 12 (2000).
public struct LSTMCell: RecurrentCell {
  public let weightIH: Parameter  // [4H, I]
  public let weightHH: Parameter  // [4H, H]
  public let biasIH: Parameter  // [4H]
  public let biasHH: Parameter  // [4H]
  /// The probability with which a recurrent weight is dropped for a sequence, in training.
  public let recurrentDropout: Float

  /// The gates in the order of their weights: i, f, g, o.
  public enum Gate: Int, GateOrder { case input, forget, cell, output }

  /// - Parameters:
  ///   - initialiser: PyTorch's if not given.
  ///   - recurrentDropout: DropConnect on `weightHH` while training, in `0..<1`.
  public init(
    inputSize: Int, hiddenSize: Int, initialiser: CellInitialiser? = nil,
    recurrentDropout: Float = 0, using generator: inout Philox
  ) {
    require(
      (0..<1).contains(recurrentDropout), "dropout must be in 0 ..< 1, not \(recurrentDropout)")
    self.recurrentDropout = recurrentDropout
    let start = initialiser ?? .pytorch(hiddenSize: hiddenSize)
    let gates = Gate.allCases.count
    weightIH = start.stacked(
      start.input, gates: gates, hiddenSize: hiddenSize, columns: inputSize, using: &generator)
    weightHH = start.stacked(
      start.recurrent, gates: gates, hiddenSize: hiddenSize, columns: hiddenSize, using: &generator)
    biasIH = start.biases(gates: gates, hiddenSize: hiddenSize, using: &generator)
    biasHH = start.biases(gates: gates, hiddenSize: hiddenSize, using: &generator)
    if let forgetBias = start.forgetBias {
      let forget = Gate.forget.rawValue * hiddenSize
      biasIH.update { ($0 + forget).update(repeating: forgetBias, count: hiddenSize) }
      biasHH.update { ($0 + forget).update(repeating: 0, count: hiddenSize) }
    }
  }

  public func initialState(batch: Int) -> LSTMState {
    let zeros = Tensor(zeros: [batch, weightHH.shape[1]])
    return LSTMState(h: zeros, c: zeros)
  }

  public func callAsFunction(_ x: Tensor, _ s: LSTMState) -> (output: Tensor, state: LSTMState) {
    let gates = preactivations(x, s)
    let c = sigmoid(gates[.forget]) * s.c + sigmoid(gates[.input]) * tanh(gates[.cell])
    let h = sigmoid(gates[.output]) * tanh(c)
    return (h, LSTMState(h: h, c: c))
  }

  /// What the gates squash, W_i x + b_i + W_h h + b_h for each.
  func preactivations(_ x: Tensor, _ s: LSTMState) -> Gates<Gate> {
    let fromInput = x.times(weightIH.transposed) + biasIH.broadcast
    let fromState = s.h.times(weightHH.transposed) + biasHH.broadcast
    return Gates<Gate>(fromInput + fromState)
  }

  public func unfold(over inputs: Tensor, from state: LSTMState?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: LSTMState)
  {
    let (outputs, last) = fused(in: mode)(over: inputs, from: state?.tensors, lengths: lengths)
    return (outputs, LSTMState(h: last[0], c: last[1]))
  }

  /// PyTorch's names.
  public var parameters: [(name: String, parameter: Parameter)] {
    [
      ("weight_ih", weightIH), ("weight_hh", weightHH), ("bias_ih", biasIH), ("bias_hh", biasHH),
    ]
  }
}

extension LSTMCell: FusedCell, FusedCore {
  func fused(in mode: Mode) -> FusedUnfold {
    FusedUnfold(
      .lstm, input: GateMatrix(weightIH.tensor),
      recurrent: GateMatrix(weightHH.dropConnected(recurrentDropout, mode: mode)),
      biases: [biasIH.tensor, biasHH.tensor])
  }
}
