import Tensors

/// The fused cells keep, for the way back, all that a trace asks for.
extension FusedUnfold {
  /// As a call, without a record for gradients, and with what went on inside.
  ///
  /// - Parameter gates: which gates, and the names that they get.
  func traced<Gate: GateOrder>(
    over inputs: Tensor, from state: [Tensor]?, gates: [(gate: Gate, name: String)]
  ) -> (outputs: Tensor, last: [Tensor], layer: LayerTrace) {
    let (pass, _) = run(over: inputs, from: state, lengths: nil)
    let outputs = pass.outputs()
    var states = [TracedTensor("h", outputs)]
    if let c = pass.c { states.append(TracedTensor("c", pass.sequence(of: c))) }
    let values = gates.map { TracedTensor($0.name, pass.sequence(ofGate: $0.gate.rawValue)) }
    return (outputs, pass.lastStates(), LayerTrace(states: states, gates: values))
  }
}

extension FusedPass {
  /// Steps 1 to T of a state buffer, `[T, B, H]`.
  fileprivate func sequence(of buffer: Storage) -> Tensor {
    let (padded, size) = (layout.paddedSize, layout.hiddenSize)
    return rows { row, out in
      out.update(from: buffer.base + (batch + row) * padded, count: size)
    }
  }

  /// One gate's values of all steps, `[T, B, H]`.
  fileprivate func sequence(ofGate gate: Int) -> Tensor {
    rows { row, out in
      for block in 0..<layout.blocks {
        (out + block * layout.blockWidth).update(
          from: gates.base + row * layout.stride + layout.column(block: block, gate: gate),
          count: layout.units(of: block))
      }
    }
  }

  private func rows(_ copy: (_ row: Int, UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    let size = layout.hiddenSize
    return Tensor([steps, batch, size]) { out in
      Compute.forEach(steps * batch, cost: size) { copy($0, out + $0 * size) }
    }
  }
}

extension LSTMCell {
  /// The gates i, f and o at one step, `[B, H]` each.
  public func gates(_ x: Tensor, _ s: LSTMState) -> [TracedTensor] {
    let gates = preactivations(x, s)
    return Self.openings.map { TracedTensor($0.name, sigmoid(gates[$0.gate])) }
  }

  public func traced(over inputs: Tensor, from state: LSTMState?)
    -> (outputs: Tensor, last: LSTMState, layers: [LayerTrace])
  {
    let (outputs, last, layer) = fused(in: .inference).traced(
      over: inputs, from: state?.tensors, gates: Self.openings)
    return (outputs, LSTMState(h: last[0], c: last[1]), [layer])
  }

  /// The gates that open and shut; g is what they let in.
  private static var openings: [(gate: Gate, name: String)] {
    [(.input, "input"), (.forget, "forget"), (.output, "output")]
  }
}

extension GRUCell {
  /// The gates r and z at one step, `[B, H]` each.
  public func gates(_ x: Tensor, _ h: Tensor) -> [TracedTensor] {
    let (fromInput, fromState) = preactivations(x, h)
    return Self.openings.map {
      TracedTensor($0.name, sigmoid(fromInput[$0.gate] + fromState[$0.gate]))
    }
  }

  public func traced(over inputs: Tensor, from state: Tensor?)
    -> (outputs: Tensor, last: Tensor, layers: [LayerTrace])
  {
    let (outputs, last, layer) = fused(in: .inference).traced(
      over: inputs, from: state.map { [$0] }, gates: Self.openings)
    return (outputs, last[0], [layer])
  }

  private static var openings: [(gate: Gate, name: String)] {
    [(.reset, "reset"), (.update, "update")]
  }
}

extension ElmanCell {
  public func traced(over inputs: Tensor, from state: Tensor?)
    -> (outputs: Tensor, last: Tensor, layers: [LayerTrace])
  {
    let (outputs, last) = unfold(over: inputs, from: state, lengths: nil, mode: .inference)
    return (outputs, last, [LayerTrace(states: [TracedTensor("h", outputs)])])
  }
}
