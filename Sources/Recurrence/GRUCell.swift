import Tensors

/// The gated recurrent unit, in the form of PyTorch and cuDNN.
///
///     r = σ(W_ir x + b_ir + W_hr h + b_hr)      z = σ(W_iz x + b_iz + W_hz h + b_hz)
///     n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
///     h′ = (1 − z) ⊙ n + z ⊙ h
///
/// The paper applies r to h before the product; this form applies it after. Weights and their order
/// (r, z, n) are PyTorch's.
///
/// - SeeAlso: K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder for
///   Statistical Machine Translation", EMNLP 2014.
public struct GRUCell: RecurrentCell {
  public let weightIH: Parameter  // [3H, I]
  public let weightHH: Parameter  // [3H, H]
  public let biasIH: Parameter  // [3H]
  public let biasHH: Parameter  // [3H]
  /// The probability with which a recurrent weight is dropped for a sequence, in training.
  public let recurrentDropout: Float

  /// The gates in the order of their weights: r, z, n.
  public enum Gate: Int, GateOrder { case reset, update, candidate }

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
  }

  public func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, weightHH.shape[1]]) }

  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let (fromInput, fromState) = preactivations(x, h)
    let r = sigmoid(fromInput[.reset] + fromState[.reset])
    let z = sigmoid(fromInput[.update] + fromState[.update])
    let n = tanh(fromInput[.candidate] + r * fromState[.candidate])
    let next = (1 - z) * n + z * h
    return (next, next)
  }

  /// W_i x + b_i and W_h h + b_h of all gates, apart, since the candidate's r stands between them.
  func preactivations(_ x: Tensor, _ h: Tensor) -> (fromInput: Gates<Gate>, fromState: Gates<Gate>)
  {
    (
      Gates(x.times(weightIH.transposed) + biasIH.broadcast),
      Gates(h.times(weightHH.transposed) + biasHH.broadcast)
    )
  }

  public func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    let (outputs, last) = fused(in: mode)(over: inputs, from: state.map { [$0] }, lengths: lengths)
    return (outputs, last[0])
  }

  /// PyTorch's names.
  public var parameters: [(name: String, parameter: Parameter)] {
    [
      ("weight_ih", weightIH), ("weight_hh", weightHH), ("bias_ih", biasIH), ("bias_hh", biasHH),
    ]
  }
}

extension GRUCell: FusedCell, FusedCore {
  func fused(in mode: Mode) -> FusedUnfold {
    FusedUnfold(
      .gru, input: GateMatrix(weightIH.tensor),
      recurrent: GateMatrix(weightHH.dropConnected(recurrentDropout, mode: mode)),
      biases: [biasIH.tensor, biasHH.tensor])
  }
}
