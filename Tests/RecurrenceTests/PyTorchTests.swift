import Recurrence
import Tensors
import Testing

/// Equality with PyTorch: outputs and states within 1e-5, gradients within 1e-4 of the largest
/// magnitude in the tensor, by the fused path and by the plain one.
@Suite struct PyTorchTests {
  enum Path: CaseIterable { case fused, stepwise }

  @Test(arguments: Reference.recurrent.cases, Path.allCases)
  func equalsPyTorch(_ reference: Reference.Case, _ path: Path) {
    var generator = Philox(seed: 1)
    func run<Cell: RecurrentCell>(_ make: (Int, Int, inout Philox) -> Cell)
    where Cell.Input == Tensor, Cell.Output == Tensor {
      let directions = reference.bidirectional ? 2 : 1
      let hiddenSize = reference.h0.shape[2]
      let cells = (0..<reference.layers * directions).map { index in
        let below = index < directions ? reference.input.shape[2] : directions * hiddenSize
        return make(below, hiddenSize, &generator)
      }
      switch path {
      case .fused: check(reference, cells)
      case .stepwise: check(reference, cells.map(Stepwise.init))
      }
    }
    switch reference.kind {
    case "tanh", "relu":
      run { inputSize, hiddenSize, generator in
        ElmanCell(
          inputSize: inputSize, hiddenSize: hiddenSize,
          activation: reference.kind == "relu" ? .relu : .tanh, using: &generator)
      }
    case "lstm": run { LSTMCell(inputSize: $0, hiddenSize: $1, using: &$2) }
    case "gru": run { GRUCell(inputSize: $0, hiddenSize: $1, using: &$2) }
    default: Issue.record("unknown kind \(reference.kind)")
    }
  }

  private func check<Cell: RecurrentCell>(_ reference: Reference.Case, _ cells: [Cell])
  where Cell.Input == Tensor, Cell.Output == Tensor {
    // The initial state in the order of our state's tensors: per layer and direction h, then c.
    let h0 = reference.h0.tensor.watched
    let c0 = reference.c0?.tensor.watched
    let initial = cells.indices.flatMap { layer in [h0[layer]] + (c0.map { [$0[layer]] } ?? []) }
    let input = reference.input.tensor.watched

    let batch = reference.input.shape[1]
    if reference.bidirectional {
      let stack = Stack(
        stride(from: 0, to: cells.count, by: 2).map {
          Bidirectional(forward: cells[$0], backward: cells[$0 + 1])
        })
      compare(reference, stack, stack.initialState(batch: batch).replacing(initial), input, h0, c0)
    } else {
      let stack = Stack(cells)
      compare(reference, stack, stack.initialState(batch: batch).replacing(initial), input, h0, c0)
    }
  }

  private func compare<Layer: Unfoldable>(
    _ reference: Reference.Case, _ layer: Layer, _ state: Layer.State, _ input: Tensor,
    _ h0: Tensor, _ c0: Tensor?
  ) where Layer.Input == Tensor, Layer.Output == Tensor {
    #expect(Set(layer.parameters.map(\.name)) == Set(reference.weights.keys))
    for (name, parameter) in layer.parameters {
      if let weight = reference.weights[name] { parameter.value = weight.tensor }
    }
    let (outputs, last) = unfold(
      layer, over: input, from: state, lengths: reference.lengths)
    let perState = reference.c0 == nil ? 1 : 2
    let finals = last.tensors
    let hn = stacked(stride(from: 0, to: finals.count, by: perState).map { finals[$0] })
    var loss =
      (outputs * reference.lossWeightOutput.tensor).sum()
      + (hn * reference.lossWeightHn.tensor).sum()
    #expect(difference(outputs, reference.output.tensor) < 1e-5)
    #expect(difference(hn, reference.hn.tensor) < 1e-5)
    if let expected = reference.cn, let weight = reference.lossWeightCn {
      let cn = stacked(stride(from: 1, to: finals.count, by: 2).map { finals[$0] })
      #expect(difference(cn, expected.tensor) < 1e-5)
      loss = loss + (cn * weight.tensor).sum()
    }
    #expect(abs(loss.item - reference.loss) < 1e-4)

    let gradients = loss.backward()
    var found: [String: Tensor?] = ["input": gradients[input], "h0": gradients[h0]]
    if let c0 { found["c0"] = gradients[c0] }
    for (name, parameter) in layer.parameters { found[name] = gradients[parameter] }
    for (name, expected) in reference.gradients {
      guard let gradient = found[name] ?? nil else {
        Issue.record("no gradient for \(name)")
        continue
      }
      #expect(relativeDifference(gradient, expected.tensor) < 1e-4, "\(name)")
    }
  }
}
