import Tensors

/// What went on inside one layer over a sequence.
public struct LayerTrace: Sendable {
  /// The tensors of s₁ … s_T by name, each `[T, B, …]`: `h` and `c` of an LSTM, `h` of a cell whose
  /// state is one tensor.
  public let states: [TracedTensor]
  /// The gates of all steps by name, each `[T, B, H]` with values from 0 (shut) to 1 (open).
  public let gates: [TracedTensor]

  public init(states: [TracedTensor], gates: [TracedTensor] = []) {
    self.states = states
    self.gates = gates
  }
}

/// A tensor with the name that pictures and tables give it.
public struct TracedTensor: Sendable {
  public let name: String
  public let values: Tensor

  public init(_ name: String, _ values: Tensor) {
    self.name = name
    self.values = values
  }
}

extension RecurrentCell {
  public func gates(_ input: Input, _ state: State) -> [TracedTensor] { [] }

  public func traced(over inputs: Input, from state: State?)
    -> (outputs: Output, last: State, layers: [LayerTrace])
  {
    tracedStepwise(over: inputs, from: state)
  }

  /// Traces by calling the cell once a step: the plain form, which a fused one must equal.
  public func tracedStepwise(over inputs: Input, from state: State? = nil)
    -> (outputs: Output, last: State, layers: [LayerTrace])
  {
    let (steps, batch) = sequenceShape(inputs)
    var state = state ?? initialState(batch: batch)
    var outputs: [Output] = []
    var states: [[TracedTensor]] = []
    var gates: [[TracedTensor]] = []
    for step in 0..<steps {
      let input = inputs.mapTensors { $0[step] }
      gates.append(self.gates(input, state))
      let (output, next) = self(input, state)
      states.append(zip(stateNames(of: next), next.tensors).map { TracedTensor($0, $1) })
      outputs.append(output)
      state = next
    }
    let trace = LayerTrace(states: stackedByName(states), gates: stackedByName(gates))
    return (joinedOverTime(outputs.map { $0.mapTensors { stacked([$0]) } }), state, [trace])
  }
}

/// What pictures and tables call the tensors of a state: by the names of its stored properties, such
/// as h and c; a lone tensor h; those of several layers with the layer before, `layer 0 h`.
package func stateNames(of state: some TensorGroup) -> [String] {
  if let layers = state as? [any TensorGroup] {
    let names = layers.map { stateNames(of: $0) }
    guard names.count > 1 else { return names.first ?? [] }
    return names.enumerated().flatMap { index, own in own.map { "layer \(index) \($0)" } }
  }
  let count = state.tensors.count
  let names = Mirror(reflecting: state).children.compactMap { child in
    child.value is Tensor ? child.label : nil
  }
  if names.count == count { return names }
  return count == 1 ? ["h"] : (0..<count).map { "s\($0)" }
}

/// Steps, each with the same names, as one tensor `[T, …]` a name.
private func stackedByName(_ steps: [[TracedTensor]]) -> [TracedTensor] {
  guard let first = steps.first else { return [] }
  return first.indices.map { index in
    TracedTensor(first[index].name, stacked(steps.map { $0[index].values }))
  }
}

extension Stack where Layer: RecurrentCell {
  /// The gates of all layers at one step, those of the lowest first.
  public func gates(_ input: Layer.Input, _ state: [Layer.State]) -> [TracedTensor] {
    var signal = input
    var gates: [TracedTensor] = []
    for (index, layer) in layers.enumerated() {
      gates += layer.gates(signal, state[index]).map {
        TracedTensor("\($0.name)_l\(index)", $0.values)
      }
      signal = layer(signal, state[index]).output
    }
    return gates
  }

  /// Traces every layer, from the lowest up.
  public func traced(over inputs: Layer.Input, from state: [Layer.State]?)
    -> (outputs: Layer.Output, last: [Layer.State], layers: [LayerTrace])
  {
    var signal = inputs
    var last: [Layer.State] = []
    var traces: [LayerTrace] = []
    for (index, layer) in layers.enumerated() {
      let (outputs, end, inside) = layer.traced(over: signal, from: state?[index])
      signal = outputs
      last.append(end)
      traces += inside
    }
    return (signal, last, traces)
  }
}
