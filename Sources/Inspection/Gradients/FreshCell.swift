import Language
import Recurrence
import Tensors

/// A cell that hasn't been trained: which kind, and how its weights start.
public struct FreshCell: Sendable {
  public var kind: CellKind
  /// What the start is called: "orthogonal", "radius 1.1".
  public var start: String
  public var initialiser: CellInitialiser
  /// To which spectral radius every recurrent matrix is scaled; nil leaves it.
  public var spectralRadius: Double?

  public init(
    _ kind: CellKind, start: String, initialiser: CellInitialiser, spectralRadius: Double? = nil
  ) {
    self.kind = kind
    self.start = start
    self.initialiser = initialiser
    self.spectralRadius = spectralRadius
  }

  /// Every recurrent matrix uniform, then scaled to a spectral radius; with ReLU the identity, on
  /// which a network of positive numbers is linear and follows its eigenvalue.
  public static func sweep(_ kind: CellKind, hiddenSize: Int, radius: Double) -> FreshCell {
    let identity = CellInitialiser(input: .glorotUniform, recurrent: .identity(scale: 1))
    return FreshCell(
      kind, start: kind == .elmanReLU ? "identity times \(radius)" : "radius \(radius)",
      initialiser: kind == .elmanReLU ? identity : uniform(hiddenSize), spectralRadius: radius)
  }

  /// The common ways to start such a cell.
  public static func starts(_ kind: CellKind, hiddenSize: Int) -> [FreshCell] {
    var starts: [(String, CellInitialiser)] = [
      ("uniform ±1/√H", uniform(hiddenSize)),
      ("Glorot", CellInitialiser(input: .glorotUniform, recurrent: .glorotUniform)),
      ("orthogonal", CellInitialiser(input: .glorotUniform, recurrent: .orthogonal(gain: 1))),
    ]
    switch kind {
    case .elman, .elmanReLU, .gru:
      starts.append(
        ("identity", CellInitialiser(input: .glorotUniform, recurrent: .identity(scale: 1))))
    case .lstm:
      for bias in [1, 3] {
        var open = CellInitialiser.orthogonal
        open.forgetBias = Float(bias)
        starts.append(("orthogonal, forget bias \(bias)", open))
      }
    }
    return starts.map { FreshCell(kind, start: $0.0, initialiser: $0.1) }
  }

  /// Matrices as PyTorch's, but biases of zero, so that the matrices alone are seen.
  private static func uniform(_ hiddenSize: Int) -> CellInitialiser {
    let uniform = Initialiser.uniform(bound: 1 / Float(hiddenSize).squareRoot())
    return CellInitialiser(input: uniform, recurrent: uniform)
  }
}

/// Sizes of what fresh cells are tried on.
public struct FreshCellSettings: Sendable, Equatable {
  public var hiddenSize = 64
  /// Over how many steps gradients are followed: N.
  public var steps = 60
  /// Sequences, each with random inputs of its own.
  public var batch = 16
  public var seed: UInt64 = 1
  /// Steps before the first state, so that what is seen isn't the beginning.
  public var warmUp = 40

  public init() {}
}

/// What becomes of the gradient in one cell, beside what theory says.
public struct FlowStudy: Sendable, Encodable {
  public let cell: String
  public let start: String
  /// Of W^s, for gated cells of the candidate: λ.
  public let spectralRadius: Double
  public let flows: [GradientFlow]
  /// ‖∂L_N/∂s_{N−1}·J_{N−1}·…·J_{t+1}‖ of the first sequence, and the same measured.
  public let product: [Double]
  public let measured: [Double]
  /// ‖J_{N−1}·…·J_{t+1}‖₂, times the gradient's norm for k = 1; empty if it wasn't asked for.
  public let bound: [Double]
  /// Of an LSTM: ‖∂L_N/∂c_{N−1} ⊙ f_{N−1} ⊙ … ⊙ f_{t+1}‖, the way through c alone.
  public let throughCellAlone: [Double]
  /// How far measured and product agree.
  public let agreement: GradientAgreement
  public let verdict: GradientVerdict

  package init(
    cell: String, start: String, spectralRadius: Double, flows: [GradientFlow], product: [Double],
    measured: [Double], bound: [Double], throughCellAlone: [Double],
    agreement: GradientAgreement, verdict: GradientVerdict
  ) {
    (self.cell, self.start, self.spectralRadius) = (cell, start, spectralRadius)
    (self.flows, self.product, self.measured) = (flows, product, measured)
    (self.bound, self.throughCellAlone) = (bound, throughCellAlone)
    (self.agreement, self.verdict) = (agreement, verdict)
  }

  /// λ^(k−1) times the gradient's norm for k = 1.
  public var prediction: [Double] {
    var value = measured.first ?? 0
    return measured.map { _ in
      defer { value *= spectralRadius }
      return value
    }
  }
}

extension FreshCell {
  /// Follows the gradient of a random direction of the last output, L = w·h_N with ‖w‖ = 1.
  ///
  /// - Parameter withBound: whether the norms of the products of Jacobians are wanted too.
  /// - Throws: ``SpectrumError``.
  public func study(_ settings: FreshCellSettings, withBound: Bool) throws -> FlowStudy {
    var generator = Philox(seed: settings.seed, stream: 5)
    let size = settings.hiddenSize
    switch kind {
    case .elman, .elmanReLU:
      let cell = ElmanCell(
        inputSize: size, hiddenSize: size, activation: kind == .elman ? .tanh : .relu,
        initialiser: initialiser, using: &generator)
      try scale(cell.weightHH)
      return try study(cell, settings, withBound, &generator).study
    case .lstm:
      let cell = LSTMCell(
        inputSize: size, hiddenSize: size, initialiser: initialiser, using: &generator)
      try scale(cell.weightHH)
      let (trace, study) = try study(cell, settings, withBound, &generator)
      return study.with(throughCellAlone: trace.normsThroughCellAlone(sequence: 0))
    case .gru:
      let cell = GRUCell(
        inputSize: size, hiddenSize: size, initialiser: initialiser, using: &generator)
      try scale(cell.weightHH)
      return try study(cell, settings, withBound, &generator).study
    }
  }

  /// Brings every recurrent matrix to the wanted spectral radius.
  private func scale(_ weights: Parameter) throws(SpectrumError) {
    guard let spectralRadius else { return }
    let size = weights.shape[1]
    var blocks: [Tensor] = []
    for row in stride(from: 0, to: weights.shape[0], by: size) {
      let block = weights.value[row..<row + size]
      let radius = try DoubleMatrix(block).spectralRadius()
      blocks.append(radius > 0 ? block * Float(spectralRadius / radius) : block)
    }
    weights.value = joined(blocks)
  }

  private func study<Cell: RecurrentCell & HasStepFormula & HasRecurrentMatrices>(
    _ cell: Cell, _ settings: FreshCellSettings, _ withBound: Bool, _ generator: inout Philox
  ) throws -> (trace: GradientTrace<Cell>, study: FlowStudy)
  where Cell.Input == Tensor, Cell.Output == Tensor {
    let (batch, size) = (settings.batch, settings.hiddenSize)
    func inputs(_ steps: Int) -> Tensor {
      Tensor(uniform: [steps, batch, size], bound: 1, using: &generator)
    }
    let begin = withoutGradients { unfold(cell, over: inputs(settings.warmUp)).last }
    var direction = (0..<size).map { _ in generator.normal() }
    let length = norm(direction)
    direction = direction.map { $0 / length }
    let weights = Tensor(direction.map(Float.init), shape: [size])
    let trace = GradientTrace(of: cell, over: inputs(settings.steps), from: begin) {
      ($0 * weights.broadcast).sum()
    }
    let (measured, product, agreement) = trace.comparison(sequence: 0)
    let first = measured.first ?? 0
    let flows = trace.flows()
    let name = "\(kind.title), \(start)"
    let study = FlowStudy(
      cell: kind.title, start: start,
      spectralRadius: try cell.recurrentMatrices.last?.matrix.spectralRadius() ?? 0, flows: flows,
      product: product, measured: measured,
      bound: withBound ? try trace.productNorms(sequence: 0).map { $0 * first } : [],
      throughCellAlone: [], agreement: agreement,
      verdict: GradientVerdict(
        subject: name, norms: flows.first?.norms ?? [], cell: kind, overflow: trace.overflow))
    return (trace, study)
  }
}

extension FlowStudy {
  fileprivate func with(throughCellAlone norms: [Double]) -> FlowStudy {
    FlowStudy(
      cell: cell, start: start, spectralRadius: spectralRadius, flows: flows, product: product,
      measured: measured, bound: bound, throughCellAlone: norms, agreement: agreement,
      verdict: verdict)
  }
}

extension GradientTrace where Cell == LSTMCell {
  /// ‖∂L_N/∂c_{N−1} ⊙ f_{N−1} ⊙ … ⊙ f_{t+1}‖ for k = 1 … N: what would flow back if the gates didn't
  /// depend on h.
  public func normsThroughCellAlone(sequence: Int) -> [Double] {
    guard var gradient = gradients.last?.c[sequence].values.map(Double.init) else { return [] }
    let size = gradient.count
    var norms = [norm(gradient)]
    for jacobian in jacobians(sequence: sequence) {
      let matrix = jacobian.matrix
      for unit in 0..<size { gradient[unit] *= matrix[size + unit, size + unit] }
      norms.append(norm(gradient))
    }
    return norms
  }
}

extension CellKind {
  /// As a person writes it.
  var title: String {
    switch self {
    case .elman: "Elman"
    case .elmanReLU: "Elman with ReLU"
    case .lstm: "LSTM"
    case .gru: "GRU"
    }
  }
}
