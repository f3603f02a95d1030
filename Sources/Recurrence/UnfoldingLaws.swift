import Tensors

/// A trial on a layer that has steps.
private protocol SteppingTrial {
  /// What calling the cell once a step gives.
  func steppedResults() -> CellResults
}

extension CellTrial: SteppingTrial where Layer: RecurrentCell {
  func steppedResults() -> CellResults {
    results { layer.unfoldStepwise(over: $0, from: $1) }
  }
}

/// Laws 2 to 6: two ways to run over a sequence that must give the same.
extension CellTrial {
  private var hasSteps: Bool { self is any SteppingTrial }

  /// Law 2: unfold, fused or not, equals stepping.
  func fusedViolations() -> [CellLaws.Violation] {
    guard let stepped = (self as? any SteppingTrial)?.steppedResults() else { return [] }
    return CellLaws.differences(
      .fusedUnfold, "batch \(batch)", expected: stepped.all, found: results().all)
  }

  /// Law 3: the initial state is zero, and what nil stands for.
  func zeroStateViolations() -> [CellLaws.Violation] {
    let zeros = state.mapTensors { Tensor(zeros: $0.shape) }
    let initial = layer.initialState(batch: batch)
    let fromZero = results { inputs, _ in unfold(layer, over: inputs, from: zeros) }
    let fromNil = results { inputs, _ in unfold(layer, over: inputs) }
    return CellLaws.differences(
      .zeroState, "of initialState(batch: \(batch))", expected: named("the state", zeros),
      found: named("the state", initial), tolerance: 0)
      + CellLaws.differences(
        .zeroState, "with nil for zeros", expected: fromZero.all, found: fromNil.all)
  }

  /// Law 4: what one chunk remembers is all that the next needs.
  func chunkViolations() -> [CellLaws.Violation] {
    guard hasSteps else { return [] }
    let whole = results()
    let cuts = [0, 1, 4, steps]
    let chunked = results { inputs, state in
      var state = state
      var parts: [Layer.Output] = []
      for (start, end) in zip(cuts, cuts.dropFirst()) {
        let chunk = inputs.mapTensors { $0[start..<end] }
        let (outputs, last) = unfold(layer, over: chunk, from: state)
        parts.append(outputs)
        state = last
      }
      return (joinedOverTime(parts), state)
    }
    return CellLaws.differences(
      .chunks, "chunks cut before steps 1 and 4", expected: whole.all, found: chunked.all)
  }

  /// Law 5: rows of a batch, and the steps past a sequence's end, have no influence.
  func batchViolations() -> [CellLaws.Violation] {
    let full = Array(repeating: steps, count: batch)
    let whole = CellLaws.differences(
      .batches, "rows one by one", expected: rowByRow(lengths: full).all, found: results().all)
    let lengths = (0..<batch).map { $0 % (steps + 1) }
    let padded = results { unfold(layer, over: $0, from: $1, lengths: lengths) }
    return whole
      + CellLaws.differences(
        .batches, "lengths \(lengths)", expected: rowByRow(lengths: lengths).all,
        found: padded.all)
  }

  /// Every sequence by itself, without padding; then set side by side again.
  private func rowByRow(lengths: [Int]) -> CellResults {
    results { inputs, state in
      var last: [Layer.State] = []
      var parts: [Layer.Output] = []
      // Where the outputs of each place (t, b) stand in `parts`; 0 is a row of zeros.
      var order = [Int32](repeating: 0, count: steps * batch)
      var next: Int32 = 1
      for (row, length) in lengths.enumerated() {
        var own = state.mapTensors { $0[row..<row + 1] }
        if length > 0 {
          let places = (0..<length).map { Int32($0 * batch + row) }
          let sequence = inputs.mapTensors { $0.places(places, leading: [length, 1]) }
          let (outputs, end) = unfold(layer, over: sequence, from: own)
          parts.append(outputs)
          own = end
          for place in places {
            order[Int(place)] = next
            next += 1
          }
        }
        last.append(own)
      }
      let zeros = parts[0].mapTensors { Tensor(zeros: Shape([1, 1] + $0.shape.dimensions[2...])) }
      let outputs = joinedOverTime([zeros] + parts)
        .mapTensors { $0.places(order, leading: [steps, batch]) }
      return (outputs, joinedOverTime(last))
    }
  }

  /// Law 6: truncation cuts between windows, and nowhere else.
  func truncationViolations() -> [CellLaws.Violation] {
    let whole = results()
    let long = [steps, steps + 3].flatMap { window in
      CellLaws.differences(
        .truncation, "a window of \(window) of \(steps) steps", expected: whole.all,
        found: truncated(window).all)
    }
    guard hasSteps else { return long }
    let window = 2
    return long
      + CellLaws.differences(
        .truncation, "windows of \(window) of \(steps) steps", expected: whole.values,
        found: truncated(window).values)
      + leaks(throughWindowsOf: window)
  }

  private func truncated(_ window: Int) -> CellResults {
    results { unfold(layer, over: $0, from: $1, truncatedEvery: window) }
  }

  /// Gradients from the last window that arrive before it.
  private func leaks(throughWindowsOf window: Int) -> [CellLaws.Violation] {
    let cut = (steps - 1) / window * window
    let found = results { inputs, state in
      let (outputs, last) = unfold(layer, over: inputs, from: state, truncatedEvery: window)
      return (outputs.mapTensors { joined([$0[0..<cut].detached, $0[cut..<steps]]) }, last)
    }.gradients
    let inputCount = inputs.tensors.count
    let expected = found.enumerated().map { index, gradient in
      let (name, value) = (gradient.name, gradient.value)
      let before = index < inputCount ? value[0..<cut] : value
      let zeros = Tensor(zeros: before.shape)
      return NamedTensor(
        name: name, value: index < inputCount ? joined([zeros, value[cut..<steps]]) : zeros)
    }
    let count = inputCount + state.tensors.count
    return CellLaws.differences(
      .truncation, "from the last window of \(window) steps alone",
      expected: Array(expected.prefix(count)), found: Array(found.prefix(count)))
  }
}
