import Recurrence
import Tensors
import Testing

/// Traces: the fused ones equal those that step the cell.
@Suite struct TraceTests {
  private func expectSame<Cell: RecurrentCell>(
    _ cell: Cell, from state: Cell.State?, states: [String], gates: [String]
  ) where Cell.Input == Tensor, Cell.Output == Tensor {
    var generator = Philox(seed: 3)
    let inputs = Tensor(uniform: [9, 3, 4], bound: 2, using: &generator)
    let fused = withoutGradients { cell.traced(over: inputs, from: state) }
    let plain = withoutGradients { cell.tracedStepwise(over: inputs, from: state) }
    let whole = withoutGradients { unfold(cell, over: inputs, from: state) }
    #expect(fused.layers.count == 1 && plain.layers.count == 1)
    for trace in [fused.layers[0], plain.layers[0]] {
      #expect(trace.states.map(\.name) == states && trace.gates.map(\.name) == gates)
    }
    expectEqual([fused.outputs] + fused.last.tensors, [whole.outputs] + whole.last.tensors)
    expectEqual(
      (fused.layers[0].states + fused.layers[0].gates).map(\.values),
      (plain.layers[0].states + plain.layers[0].gates).map(\.values))
  }

  @Test(arguments: [5, 32, 33]) func tracesOfFusedCellsEqualTheSteps(size: Int) {
    var generator = Philox(seed: 1)
    let h = Tensor(uniform: [3, size], bound: 1, using: &generator)
    let c = Tensor(uniform: [3, size], bound: 3, using: &generator)
    let lstm = LSTMCell(inputSize: 4, hiddenSize: size, using: &generator)
    for state in [nil, LSTMState(h: h, c: c)] {
      expectSame(lstm, from: state, states: ["h", "c"], gates: ["input", "forget", "output"])
    }
    let gru = GRUCell(inputSize: 4, hiddenSize: size, using: &generator)
    for state in [nil, h] {
      expectSame(gru, from: state, states: ["h"], gates: ["reset", "update"])
    }
    let elman = ElmanCell(inputSize: 4, hiddenSize: size, using: &generator)
    expectSame(elman, from: h, states: ["h"], gates: [])
  }

  @Test func aStackTracesEachLayer() {
    var generator = Philox(seed: 2)
    let layers = [4, 6].map { GRUCell(inputSize: $0, hiddenSize: 6, using: &generator) }
    let stack = Stack(layers, dropout: 0.5)
    let inputs = Tensor(uniform: [7, 2, 4], bound: 1, using: &generator)
    withoutGradients {
      let traced = stack.traced(over: inputs, from: nil)
      let first = layers[0].traced(over: inputs, from: nil)
      let second = layers[1].traced(over: first.outputs, from: nil)
      #expect(traced.layers.count == 2)
      expectEqual(
        traced.layers.flatMap { ($0.states + $0.gates).map(\.values) },
        (first.layers + second.layers).flatMap { ($0.states + $0.gates).map(\.values) })
      expectEqual([traced.outputs], [second.outputs])
      let state = stack.initialState(batch: 2)
      let gates = stack.gates(inputs[0], state)
      #expect(gates.map(\.name) == ["reset_l0", "update_l0", "reset_l1", "update_l1"])
      expectEqual(
        gates.map(\.values), traced.layers.flatMap { $0.gates.map { $0.values[0] } })
    }
  }
}
