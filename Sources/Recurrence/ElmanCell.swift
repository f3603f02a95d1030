import Tensors

/// The squashing function of an Elman network.
public enum Activation: String, Sendable, CaseIterable {
  case tanh, relu

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .tanh: Tensors.tanh(x)
    case .relu: Tensors.relu(x)
    }
  }
}

/// The simple recurrent network, with a matrix for the input and one for the state.
///
///     s′ = φ(W^x·x + b^x + W^h·s + b^h),   h = s′,   φ = tanh or ReLU
///
/// Two bias vectors as in PyTorch; their sum is the b of the equation.
///
/// - SeeAlso: J. Elman, "Finding Structure in Time", Cognitive Science 14 (1990).
public struct ElmanCell: RecurrentCell {
  public let weightIH: Parameter  // [H, I]
  public let weightHH: Parameter  // [H, H]
  public let biasIH: Parameter  // [H]
  public let biasHH: Parameter  // [H]
  public let activation: Activation
  /// The probability with which a recurrent weight is dropped for a sequence, in training.
  public let recurrentDropout: Float

  /// - Parameters:
  ///   - initialiser: PyTorch's if not given.
  ///   - recurrentDropout: DropConnect on `weightHH` while training, in `0..<1`.
  public init(
    inputSize: Int, hiddenSize: Int, activation: Activation = .tanh,
    initialiser: CellInitialiser? = nil, recurrentDropout: Float = 0,
    using generator: inout Philox
  ) {
    require(
      (0..<1).contains(recurrentDropout), "dropout must be in 0 ..< 1, not \(recurrentDropout)")
    self.recurrentDropout = recurrentDropout
    let start = initialiser ?? .pytorch(hiddenSize: hiddenSize)
    weightIH = start.stacked(
      start.input, gates: 1, hiddenSize: hiddenSize, columns: inputSize, using: &generator)
    weightHH = start.stacked(
      start.recurrent, gates: 1, hiddenSize: hiddenSize, columns: hiddenSize, using: &generator)
    biasIH = start.biases(gates: 1, hiddenSize: hiddenSize, using: &generator)
    biasHH = start.biases(gates: 1, hiddenSize: hiddenSize, using: &generator)
    self.activation = activation
  }

  public func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, weightHH.shape[1]]) }

  public func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let fromInput = x.times(weightIH.transposed) + biasIH.broadcast
    let fromState = s.times(weightHH.transposed) + biasHH.broadcast
    let next = activation(fromInput + fromState)
    return (next, next)
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

extension ElmanCell: FusedCell, FusedCore {
  func fused(in mode: Mode) -> FusedUnfold {
    FusedUnfold(
      .elman(activation), input: GateMatrix(weightIH.tensor),
      recurrent: GateMatrix(weightHH.dropConnected(recurrentDropout, mode: mode)),
      biases: [biasIH.tensor, biasHH.tensor])
  }
}

/// The simple recurrent network in its other form, with one matrix for input and state together.
///
///     s′ = φ(W·[x; s] + b),   h = s′,   φ = tanh or ReLU
///
/// With W = [W^x  W^h] it computes what `ElmanCell` computes.
public struct ConcatenatedElmanCell: RecurrentCell {
  public let weight: Parameter  // [H, I + H]
  public let bias: Parameter  // [H]
  public let activation: Activation

  /// - Parameter initialiser: PyTorch's if not given.
  public init(
    inputSize: Int, hiddenSize: Int, activation: Activation = .tanh,
    initialiser: CellInitialiser? = nil, using generator: inout Philox
  ) {
    let parts = ElmanCell(
      inputSize: inputSize, hiddenSize: hiddenSize, activation: activation,
      initialiser: initialiser, using: &generator)
    self.init(parts)
  }

  /// The cell that computes what `cell` computes.
  public init(_ cell: ElmanCell) {
    weight = Parameter(concatenated(cell.weightIH.value, cell.weightHH.value))
    bias = Parameter(cell.biasIH.value + cell.biasHH.value)
    activation = cell.activation
  }

  public func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, bias.shape[0]]) }

  public func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let next = activation(concatenated(x, s).times(weight.transposed) + bias.broadcast)
    return (next, next)
  }

  public func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    let (outputs, last) = fused(in: mode)(over: inputs, from: state.map { [$0] }, lengths: lengths)
    return (outputs, last[0])
  }
}

extension ConcatenatedElmanCell: FusedCell, FusedCore {
  func fused(in mode: Mode) -> FusedUnfold {
    let inputSize = weight.shape[1] - bias.shape[0]
    let both = weight.tensor
    return FusedUnfold(
      .elman(activation), input: GateMatrix(both, columns: 0..<inputSize),
      recurrent: GateMatrix(both, columns: inputSize..<weight.shape[1]), biases: [bias.tensor],
      joint: true)
  }
}
