import Tensors

/// A layer with random inputs, a random initial state and random weights of a loss: what the laws
/// are checked on.
///
///     loss = Σ R ⊙ (outputs, last state),   R uniform in [−1, 1)
struct CellTrial<Layer: Unfoldable> {
  /// Some way to run the layer over a sequence from a state.
  typealias Unfolding = (Layer.Input, Layer.State) -> (outputs: Layer.Output, last: Layer.State)

  let layer: Layer
  let steps: Int
  let batch: Int
  let inputs: Layer.Input
  let state: Layer.State
  private let lossWeights: Philox

  init(_ layer: Layer, steps: Int, batch: Int, inputs: CellLaws.InputMaker<Layer.Input>) {
    self.layer = layer
    self.steps = steps
    self.batch = batch
    let seed = Philox(seed: 1, stream: UInt64(batch * 1000 + steps))
    var generator = seed.split(0)
    self.inputs = inputs(steps, batch, &generator)
    var stateGenerator = seed.split(1)
    state = layer.initialState(batch: batch).mapTensors {
      Tensor(uniform: $0.shape, bound: 0.5, using: &stateGenerator)
    }
    lossWeights = seed.split(2)
  }

  /// The same trial on other numbers.
  private init(_ trial: CellTrial, inputs: Layer.Input, state: Layer.State) {
    layer = trial.layer
    steps = trial.steps
    batch = trial.batch
    lossWeights = trial.lossWeights
    self.inputs = inputs
    self.state = state
  }

  func with(inputs: Layer.Input, state: Layer.State) -> CellTrial {
    CellTrial(self, inputs: inputs, state: state)
  }

  /// R for result number `index`.
  func lossWeight(_ index: Int, _ shape: Shape) -> Tensor {
    var generator = lossWeights.split(UInt64(index))
    return Tensor(uniform: shape, bound: 1, using: &generator)
  }

  /// What a way to unfold gives, and its gradients.
  func results(of unfolding: Unfolding) -> CellResults {
    let watched = with(
      inputs: inputs.mapTensors { $0.watched }, state: state.mapTensors { $0.watched })
    let (outputs, last) = unfolding(watched.inputs, watched.state)
    let values = outputs.tensors + last.tensors
    let terms = values.enumerated().map { ($1 * lossWeight($0, $1.shape)).sum() }
    var gradients = terms.dropFirst().reduce(terms[0], +).backward()

    let leaves = watched.inputs.tensors + watched.state.tensors
    let names = named("inputs", inputs) + named("initial state", state)
    var found = zip(leaves, names).map { leaf, entry in
      NamedTensor(
        name: "the gradient of \(entry.name)",
        value: gradients.taking(leaf) ?? Tensor(zeros: leaf.shape))
    }
    for (name, parameter) in layer.parameters {
      let value = gradients[parameter] ?? Tensor(zeros: parameter.shape)
      found.append(NamedTensor(name: "the gradient of \(name)", value: value))
    }
    for (_, parameter) in layer.parameters { gradients[parameter] = nil }
    return CellResults(
      values: named("outputs", outputs.detached) + named("the last state", last.detached),
      gradients: found, unlisted: gradients.byLeaf.values.map(\.shape))
  }

  /// What the layer's own unfold gives.
  func results() -> CellResults { results { unfold(layer, over: $0, from: $1) } }

  func named(_ name: String, _ group: some TensorGroup) -> [NamedTensor] {
    let tensors = group.tensors
    return tensors.enumerated().map {
      NamedTensor(name: tensors.count == 1 ? name : "\(name), tensor \($0),", value: $1)
    }
  }
}

/// What came out of a trial.
struct CellResults {
  /// Outputs and last state.
  var values: [NamedTensor]
  /// Of inputs, initial state and parameters; zeros where nothing depends on one.
  var gradients: [NamedTensor]
  /// The shapes of parameters that were used but that the layer doesn't list.
  var unlisted: [Shape]

  var all: [NamedTensor] { values + gradients }
}

extension Gradients {
  /// Removes the gradient for a watched tensor.
  fileprivate mutating func taking(_ tensor: Tensor) -> Tensor? {
    tensor.source.flatMap { byLeaf.removeValue(forKey: ObjectIdentifier($0.node)) }
  }
}
