import Recurrence
import Tensors

/// Backpropagation through time made visible: the gradient of the last step's loss for the state
/// before every step.
///
///     L_N = loss(h_N),   ∂L_N/∂s_t   for t = 0 … N − 1
///
/// The cell runs step by step on the tape, with a leaf of zeros added to each state: its gradient
/// is the state's. Works on any cell, a user's own too.
public struct GradientTrace<Cell: RecurrentCell>: Sendable {
  public let cell: Cell
  /// x₁ … x_N, each tensor `[N, B, …]`.
  public let inputs: Cell.Input
  /// s₀ … s_{N−1}.
  public let states: [Cell.State]
  /// ∂L_N/∂s₀ … ∂L_N/∂s_{N−1}, of the same structure.
  public let gradients: [Cell.State]
  /// The first t for which s_t isn't finite, 0 … N; nil if all states are. From there on gradients
  /// say nothing: ReLU, for one, makes 0 of what is no number, and then they are 0 too.
  public let overflow: Int?

  /// - Parameters:
  ///   - inputs: each tensor `[N, B, …]`, at least one step.
  ///   - state: s₀; nil for the initial one.
  ///   - loss: of the last output, each tensor `[B, …]`; a scalar, the sum of the sequences' losses,
  ///     so that each has a gradient of its own.
  public init(
    of cell: Cell, over inputs: Cell.Input, from state: Cell.State? = nil,
    loss: (Cell.Output) -> Tensor
  ) {
    let shape = inputs.tensors.first?.shape ?? []
    require(shape.rank >= 2 && shape[0] > 0, "a trace needs steps [N, B, …], not shape \(shape)")
    var state = (state ?? cell.initialState(batch: shape[1])).detached
    var taps: [[Tensor]] = []
    var states: [Cell.State] = []
    var output: Cell.Output?
    var overflow: Int?
    for step in 0..<shape[0] {
      if overflow == nil, !state.hasFiniteNumbers { overflow = step }
      let leaves = state.tensors.map { Tensor(zeros: $0.shape).watched }
      taps.append(leaves)
      states.append(state.detached)
      let tapped = state.replacing(zip(state.tensors, leaves).map { $0 + $1 })
      let result = cell(inputs.mapTensors { $0[step].detached }, tapped)
      (output, state) = (result.output, result.state)
    }
    if overflow == nil, !state.hasFiniteNumbers { overflow = shape[0] }
    let gradients = output.map { loss($0).backward() }
    self.cell = cell
    self.inputs = inputs
    self.states = states
    self.overflow = overflow
    self.gradients = zip(states, taps).map { state, leaves in
      state.replacing(leaves.map { gradients?[$0] ?? Tensor(zeros: $0.shape) })
    }
  }

  public var steps: Int { states.count }
  public var batch: Int { inputs.tensors.first?.shape[1] ?? 0 }

  /// ∂L_N/∂s_{N−k} of one sequence for k = 1 … N, the numbers of all tensors in a row.
  public func measured(sequence: Int) -> [[Double]] {
    gradients.reversed().map { $0.row(sequence) }
  }

  /// The same from k = 2 on as products of the gradient for k = 1 with exact Jacobians,
  ///
  ///     ∂L_N/∂s_t = ∂L_N/∂s_{N−1} · J_{N−1} · … · J_{t+1},   J_t = ∂s_t/∂s_{t−1}
  ///
  /// by the cell's formula if it has one, else with each Jacobian from the tape, row by row.
  ///
  /// - Parameter progress: gets the number of steps that are done.
  public func products(
    sequence: Int, progress: (_ step: Int) -> Void = { _ in }
  ) -> [[Double]] {
    guard var gradient = gradients.last?.row(sequence) else { return [] }
    var products = [gradient]
    for jacobian in jacobians(sequence: sequence) {
      gradient = jacobian.pulledBack(gradient)
      products.append(gradient)
      progress(products.count)
    }
    return products
  }

  /// ‖J_{N−1} · … · J_{t+1}‖₂ for the same k, which is 1 for k = 1: how much a gradient could grow
  /// at most, whatever its direction.
  ///
  /// - Throws: ``SpectrumError`` for states that aren't finite.
  /// - Complexity: some 5 S³ operations a step for a state of S numbers.
  public func productNorms(sequence: Int) throws(SpectrumError) -> [Double] {
    guard let last = states.last else { return [] }
    // The product, but for a factor that is kept apart, lest it leave the range of Double.
    var product = DoubleMatrix.identity(last.row(sequence).count)
    var scale = 1.0
    var norms = [1.0]
    for jacobian in jacobians(sequence: sequence) {
      product = product.times(jacobian.matrix)
      let norm = try product.singularValues().first ?? 0
      norms.append(scale * norm)
      if norm > 0 {
        product = product.scaled(by: 1 / norm)
        scale *= norm
      }
    }
    return norms
  }

  /// J_{N−1}, J_{N−2} … J₁.
  func jacobians(sequence: Int) -> some Sequence<StepJacobian> {
    let formula = (cell as? any HasStepFormula)?.stepFormula
    return (0..<max(0, steps - 1)).reversed().lazy.map { step in
      if let formula {
        let input = inputs.mapTensors { $0[step] }
        return formula(input.row(sequence), states[step].row(sequence)).jacobian
      }
      let matrix = tapeJacobian(
        of: cell, input: inputs.mapTensors { $0[step][sequence..<sequence + 1] },
        state: states[step].mapTensors { $0[sequence..<sequence + 1] })
      let none = DoubleMatrix(rows: matrix.rows, columns: 0)
      return StepJacobian(layers: [.init(state: matrix, input: none)])
    }
  }
}

extension TensorGroup {
  /// One sequence's numbers of tensors `[B, …]`, one tensor after the other.
  func row(_ sequence: Int) -> [Double] {
    tensors.flatMap { $0[sequence].values.map(Double.init) }
  }

  fileprivate var hasFiniteNumbers: Bool {
    tensors.allSatisfy { tensor in tensor.withValues { $0.allSatisfy(\.isFinite) } }
  }
}
