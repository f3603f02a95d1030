import Recurrence

/// One step through the layers of a stack, each of which has a formula and an output that is the
/// first part of its state.
public struct StackFormula: StepFormula {
  let layers: [any StepFormula]
  let outputSizes: [Int]

  public var stateSize: Int { layers.reduce(0) { $0 + $1.stateSize } }

  public func callAsFunction(_ x: [Double], _ s: [Double]) -> (
    state: [Double], jacobian: StepJacobian
  ) {
    var signal = x
    var state: [Double] = []
    var jacobians: [StepJacobian.Layer] = []
    for (layer, outputSize) in zip(layers, outputSizes) {
      let own = Array(s[state.count..<state.count + layer.stateSize])
      let (next, jacobian) = layer(signal, own)
      signal = Array(next[..<outputSize])
      state += next
      jacobians += jacobian.layers
    }
    return (state, StepJacobian(layers: jacobians))
  }
}

extension Stack: HasStepFormula where Layer: RecurrentCell & HasStepFormula {
  public var stepFormula: any StepFormula {
    StackFormula(
      layers: layers.map(\.stepFormula),
      outputSizes: layers.map { $0.initialState(batch: 1).tensors.first?.count ?? 0 })
  }
}
