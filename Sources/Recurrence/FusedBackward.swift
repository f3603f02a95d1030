import CKernels
import Tensors

/// BPTT of a fused unfold.
///
/// From the last step to the first: dL/dh_t is what comes from the outputs, plus what comes back
/// through the products of step t + 1, plus what is carried around them; the cell's arithmetic
/// turns it into gradients of the gates, in place. All weight gradients follow in one product each.
extension FusedPass {
  /// - Parameters:
  ///   - gradients: of the outputs and of the last states.
  ///   - joint: whether both weight matrices are parts of one.
  ///   - states: how many tensors of the initial state stand among the inputs of the operation.
  func backward(from gradients: [Tensor?], joint: Bool, states: Int, into sink: inout GradientSink)
  {
    let carried = carriedStates(from: gradients)
    let products = backwardSteps(dOutputs: gradients[0], dh: carried.dh, dc: carried.dc)
    if states > 0 {
      if sink.wants(1) { sink.add(initialGradient(products, carried.dh), toInput: 1) }
      if states > 1, let dc = carried.dc { sink.add(unpadded(dc), toInput: 2) }
    }
    addWeightGradients(products, joint: joint, firstInput: 1 + states, into: &sink)
  }

  /// Buffers `[B, padded H]` that start with the gradients of the last states.
  private func carriedStates(from gradients: [Tensor?]) -> (dh: Storage, dc: Storage?) {
    let count = batch * layout.paddedSize
    let buffers = [gradients[1], c == nil ? nil : gradients[2]].map { gradient in
      let buffer = Storage(count: count)
      buffer.base.update(repeating: 0, count: count)
      if let gradient {
        borrowing(gradient) {
          for row in 0..<batch {
            (buffer.base + row * layout.paddedSize)
              .update(from: gradient.base + row * layout.hiddenSize, count: layout.hiddenSize)
          }
        }
      }
      return buffer
    }
    return (buffers[0], c == nil ? nil : buffers[1])
  }

  /// Turns `gates` into the gradients of the gates' preactivations.
  ///
  /// - Parameters:
  ///   - dh: the part of dL/dh that doesn't pass through products; ends with that for h₀.
  ///   - dc: dL/dc; ends with that for c₀.
  /// - Returns: the gradients of the products with h: `gates` itself, but for a GRU's candidate.
  private func backwardSteps(dOutputs: Tensor?, dh carry: Storage, dc: Storage?) -> Storage {
    let products: Storage
    if case .gru = cell.arithmetic {
      products = Storage(count: steps * batch * layout.stride)
    } else {
      products = gates
    }
    let packed = layout.packedRows(of: cell.recurrent)
    let width = layout.blockWidth
    let scratch = Storage(count: layout.blocks * batch * width)
    Profile.measure(.recurrentBackward, operations: recurrentOperations) {
      borrowing(dOutputs) {
        forEachStep { number, item in
          let step = steps - 1 - number
          let row = step * batch + item.rows.lowerBound
          // Each piece of work has a place of its own in `scratch`, `[rows, width]`.
          let dh = scratch.base + (item.block * batch + item.rows.lowerBound) * width
          gatherGradient(step, item, dOutputs: dOutputs?.base, carry: carry, into: dh)
          if step + 1 < steps {
            let later = unfold_matrix(
              base: products.base + (row + batch) * layout.stride, row_stride: layout.stride,
              column_stride: 1)
            Compute.kernels.product(
              item.rows.count, width, layout.columns, later,
              packed.base + item.block * layout.columns * width, 0, nil, 1, 1, dh, width)
          }
          differentiate(step, item, dh: dh, carry: carry, dc: dc, products: products)
        }
      }
    }
    return products
  }

  /// dL/dh_t so far: from the output of this step, and what is carried from the step after.
  private func gatherGradient(
    _ step: Int, _ item: Item, dOutputs: UnsafePointer<Float>?, carry: Storage,
    into dh: UnsafeMutablePointer<Float>
  ) {
    let (width, units) = (layout.blockWidth, layout.units(of: item.block))
    let (block, isCarried) = (item.block * width, carries(into: step))
    for (index, row) in item.rows.enumerated() {
      let to = dh + index * width
      let from = dOutputs.flatMap { outputs in
        hasEnded(row, at: step)
          ? nil : outputs + (step * batch + row) * layout.hiddenSize + block
      }
      if isCarried {
        to.update(from: carry.base + row * layout.paddedSize + block, count: width)
        if let from { Compute.kernels.add(units, from, to, to) }
      } else {
        if let from { to.update(from: from, count: units) }
        let filled = from == nil ? 0 : units
        (to + filled).update(repeating: 0, count: width - filled)
      }
    }
  }

  /// Whether anything of dL/dh passes from the step after around its products: always in a GRU; past
  /// a sequence's end; and what comes from outside, into the last step.
  private func carries(into step: Int) -> Bool {
    if case .gru = cell.arithmetic { return true }
    return step + 1 == steps || lengths != nil
  }

  private func differentiate(
    _ step: Int, _ item: Item, dh: UnsafeMutablePointer<Float>, carry: Storage, dc: Storage?,
    products: Storage
  ) {
    let kernels = Compute.kernels
    let width = layout.blockWidth
    let block = kernelBlock(step, item)
    let (before, after, atCarry) = (place(step, item), place(step + 1, item), place(0, item))
    let keptMemory = lengths == nil ? nil : dc.map { keptRows(of: $0, step, item) }
    switch cell.arithmetic {
    case .elman(let activation):
      kernels.elman_backward(block, activation == .relu ? 1 : 0, dh)
    case .lstm:
      guard let c, let dc else { return }
      kernels.lstm_backward(block, c.base + before, c.base + after, dh, dc.base + atCarry)
    case .gru:
      guard let hidden else { return }
      let row = step * batch + item.rows.lowerBound
      kernels.gru_backward(
        block, hidden.base + before, h.base + before, dh, carry.base + atCarry,
        products.base + row * layout.stride + layout.column(block: item.block, gate: 0))
    }
    if case .gru = cell.arithmetic {
    } else if carries(into: step) {
      for row in item.rows {
        (carry.base + row * layout.paddedSize + item.block * width)
          .update(repeating: 0, count: width)
      }
    }
    if lengths != nil {
      passThroughEnded(step, item, dh: dh, carry: carry, dc: dc, kept: keptMemory, products)
    }
  }

  private func keptRows(of dc: Storage, _ step: Int, _ item: Item) -> [Int: [Float]] {
    var kept: [Int: [Float]] = [:]
    for row in item.rows where hasEnded(row, at: step) {
      let at = dc.base + row * layout.paddedSize + item.block * layout.blockWidth
      kept[row] = Array(UnsafeBufferPointer(start: at, count: layout.blockWidth))
    }
    return kept
  }

  /// A step after a sequence's end did nothing: gradients go around it.
  private func passThroughEnded(
    _ step: Int, _ item: Item, dh: UnsafePointer<Float>, carry: Storage, dc: Storage?,
    kept: [Int: [Float]]?, _ products: Storage
  ) {
    let width = layout.blockWidth
    for (index, row) in item.rows.enumerated() where hasEnded(row, at: step) {
      let place = row * layout.paddedSize + item.block * width
      (carry.base + place).update(from: dh + index * width, count: width)
      if let dc, let memory = kept?[row] {
        memory.withUnsafeBufferPointer { values in
          guard let values = values.baseAddress else { return }
          (dc.base + place).update(from: values, count: width)
        }
      }
      let gate = (step * batch + row) * layout.stride + layout.column(block: item.block, gate: 0)
      for buffer in [gates, products] {
        (buffer.base + gate).update(repeating: 0, count: layout.gates * width)
      }
    }
  }

  /// dL/dh₀.
  private func initialGradient(_ products: Storage, _ carry: Storage) -> Tensor {
    let packed = layout.packedRows(of: cell.recurrent)
    let initial = unpadded(carry)
    withExtendedLifetime(products) {
      PanelProduct(
        rows: batch, columns: layout.hiddenSize, depth: layout.columns,
        a: unfold_matrix(base: products.base, row_stride: layout.stride, column_stride: 1),
        packed: packed, accumulate: true, into: initial.base, stride: layout.hiddenSize
      ).run()
    }
    return initial
  }

  private func addWeightGradients(
    _ products: Storage, joint: Bool, firstInput: Int, into sink: inout GradientSink
  ) {
    let dInput = Tensor(cell.input.tensor.shape) { _ in }
    let dRecurrent = joint ? dInput : Tensor(cell.recurrent.tensor.shape) { _ in }
    addGradient(
      of: cell.recurrent, dz: products, rows: steps * batch, x: h.base, stride: layout.paddedSize,
      into: dRecurrent)

    // With a table its rows take the place of the inputs.
    let source = lookup?.table ?? inputs
    let width = cell.input.columns.count
    let rows = source.count / width
    let dz = lookup.map { scattered(to: $0.rows, rows: rows) } ?? gates
    borrowing(source) {
      addGradient(
        of: cell.input, dz: dz, rows: rows, x: source.base, stride: width, into: dInput)
    }
    if sink.wants(0) { sink.add(sourceGradient(dz, rows: rows, source.shape), toInput: 0) }

    sink.add(dInput, toInput: firstInput)
    if !joint { sink.add(dRecurrent, toInput: firstInput + 1) }
    addBiasGradients(products, firstBias: firstInput + (joint ? 1 : 2), into: &sink)
  }

  /// dW = dzᵀ·x, into the columns of `gradient` that are this matrix's.
  private func addGradient(
    of matrix: GateMatrix, dz: Storage, rows: Int, x: UnsafePointer<Float>, stride: Int,
    into gradient: Tensor
  ) {
    let count = matrix.columns.count
    Profile.measure(.weightGradients, operations: 2 * rows * layout.columns * count) {
      borrowing(gradient) {
        layout.weightGradient(
          dz: dz, rows: rows, x: unfold_matrix(base: x, row_stride: stride, column_stride: 1),
          count: count, into: gradient.base + matrix.columns.lowerBound, stride: matrix.stride)
      }
    }
  }

  /// dx = dz·W_ih, for the inputs or for the table.
  private func sourceGradient(_ dz: Storage, rows: Int, _ shape: Shape) -> Tensor {
    let packed = layout.packedRows(of: cell.input)
    let width = cell.input.columns.count
    return Profile.measure(.inputGradients, operations: 2 * rows * layout.columns * width) {
      Tensor(shape) { out in
        withExtendedLifetime(dz) {
          PanelProduct(
            rows: rows, columns: width, depth: layout.columns,
            a: unfold_matrix(base: dz.base, row_stride: layout.stride, column_stride: 1),
            packed: packed, into: out, stride: width
          ).run()
        }
      }
    }
  }

  private func addBiasGradients(
    _ products: Storage, firstBias: Int, into sink: inout GradientSink
  ) {
    let rows = steps * batch
    let sums = { [layout] dz in
      Profile.measure(.weightGradients) { layout.gathered(layout.columnSums(dz, rows: rows)) }
    }
    let dBias = sums(gates)
    sink.add(dBias, toInput: firstBias)
    if cell.biases.count > 1 {
      sink.add(products === gates ? dBias : sums(products), toInput: firstBias + 1)
    }
  }

  /// The rows of the gates' gradients added up by the row of the table that was looked up.
  private func scattered(to tokens: [Int32], rows: Int) -> Storage {
    Profile.measure(.embedding) { scatter(to: tokens, rows: rows) }
  }

  private func scatter(to tokens: [Int32], rows: Int) -> Storage {
    let stride = layout.stride
    let sums = Storage(count: rows * stride)
    let chunk = 128
    Compute.forEach((layout.columns + chunk - 1) / chunk, cost: tokens.count * chunk) { index in
      let from = index * chunk
      let count = min(chunk, layout.columns - from)
      for row in 0..<rows {
        (sums.base + row * stride + from).update(repeating: 0, count: count)
      }
      for (row, token) in tokens.enumerated() {
        let to = sums.base + Int(token) * stride + from
        Compute.kernels.add(count, gates.base + row * stride + from, to, to)
      }
    }
    return sums
  }
}
