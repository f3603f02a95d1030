import CKernels
import Synchronization
import Tensors

/// The buffers of one run of a fused unfold, and the run forward; `FusedBackward.swift` has the way
/// back. Going back, `gates` is overwritten, so a pass can be differentiated once: see `claim`.
///
/// Unchecked: a pass is used by one thread (and its team) at a time.
final class FusedPass: @unchecked Sendable {
  let cell: FusedUnfold
  let layout: GateLayout
  let steps: Int
  let batch: Int
  let inputs: Tensor
  let lookup: Lookup?
  let lengths: [Int]?

  /// Gate values of all steps, `[T·B, stride]`.
  let gates: Storage
  /// h₀ … h_T, `[T + 1, B, padded H]`.
  let h: Storage
  /// c₀ … c_T of an LSTM, as `h`.
  let c: Storage?
  /// W_hn h + b_hn of a GRU, `[T·B, padded H]`.
  let hidden: Storage?
  private let isClaimed = Mutex(false)

  init(
    _ cell: FusedUnfold, steps: Int, batch: Int, inputs: Tensor, lookup: Lookup?, lengths: [Int]?
  ) {
    self.cell = cell
    self.steps = steps
    self.batch = batch
    self.inputs = inputs
    self.lookup = lookup
    self.lengths = lengths
    layout = GateLayout(gates: cell.arithmetic.gates, hiddenSize: cell.recurrent.columns.count)
    let states = (steps + 1) * batch * layout.paddedSize
    gates = Storage(count: steps * batch * layout.stride)
    h = Storage(count: states)
    if case .lstm = cell.arithmetic { c = Storage(count: states) } else { c = nil }
    if case .gru = cell.arithmetic {
      hidden = Storage(count: steps * batch * layout.paddedSize)
    } else {
      hidden = nil
    }
  }

  /// True for the one caller who may go back through this pass.
  func claim() -> Bool {
    isClaimed.withLock { claimed in
      defer { claimed = true }
      return !claimed
    }
  }

  /// A fresh pass over the same sequence, run forward.
  func repeated(from state: [Tensor]?) -> FusedPass {
    let pass = FusedPass(
      cell, steps: steps, batch: batch, inputs: inputs, lookup: lookup, lengths: lengths)
    pass.forward(from: state)
    return pass
  }

  /// One block of units for some rows of the batch: a piece of work of one step.
  struct Item {
    let block: Int
    let rows: Range<Int>
  }

  /// Runs `body` for all blocks and rows of each step in turn, divided among threads.
  func forEachStep(_ body: (_ number: Int, _ item: Item) -> Void) {
    let parts = Compute.parts(of: batch, blocks: layout.blocks, threads: Compute.threads)
    let cost = 2 * batch * layout.columns * layout.hiddenSize
    Compute.forEachStep(steps, items: layout.blocks * parts, cost: cost) { number, index in
      let part = index % parts
      let rows = batch * part / parts..<batch * (part + 1) / parts
      body(number, Item(block: index / parts, rows: rows))
    }
  }

  // MARK: Forward

  func forward(from state: [Tensor]?) {
    setInitial(h, to: state?[0])
    if let c { setInitial(c, to: state?[1]) }
    let table = projectInputs()
    let packed = layout.packedColumns(of: cell.recurrent)
    let hiddenBias = hidden.map { _ in layout.spread([cell.biases[1]]) }
    Profile.measure(.recurrentForward, operations: recurrentOperations) {
      forEachStep { step, item in
        let row = step * batch + item.rows.lowerBound
        if let table, let lookup {
          copyRows(of: table, lookup: lookup, firstRow: row, item: item)
        }
        multiply(step, item, packed: packed)
        activate(step, item, hiddenBias: hiddenBias)
        if lengths != nil { keepEnded(step, item) }
      }
    }
  }

  /// Operations of the products with h of all steps.
  var recurrentOperations: Int {
    2 * steps * batch * layout.columns * layout.hiddenSize
  }

  private func setInitial(_ buffer: Storage, to state: Tensor?) {
    let padded = layout.paddedSize
    buffer.base.update(repeating: 0, count: batch * padded)
    guard let state else { return }
    borrowing(state) {
      for row in 0..<batch {
        (buffer.base + row * padded)
          .update(from: state.base + row * layout.hiddenSize, count: layout.hiddenSize)
      }
    }
  }

  /// x·W_ihᵀ + b for all steps at once into `gates`; or, if the inputs are looked up, for the table:
  /// then the product is returned.
  private func projectInputs() -> Storage? {
    let source = lookup?.table ?? inputs
    let width = cell.input.columns.count
    let rows = source.count / width
    let packed = layout.packedColumns(of: cell.input)
    // A GRU's second bias stands inside the candidate's product with r.
    let bias = layout.spread(cell.biases)
    if hidden != nil { removeCandidateBias(from: bias) }
    let target = lookup == nil ? gates : Storage(count: rows * layout.stride)
    Profile.measure(.inputProducts, operations: 2 * rows * layout.columns * width) {
      borrowing(source) {
        PanelProduct(
          rows: rows, columns: layout.columns, depth: width,
          a: unfold_matrix(base: source.base, row_stride: width, column_stride: 1),
          packed: packed, bias: bias, padded: true, into: target.base, stride: layout.stride
        ).run()
      }
    }
    return lookup == nil ? nil : target
  }

  private func removeCandidateBias(from bias: Storage) {
    let own = layout.spread([cell.biases[0]])
    for block in 0..<layout.blocks {
      let column = layout.column(block: block, gate: GRUCell.Gate.candidate.rawValue)
      (bias.base + column).update(from: own.base + column, count: layout.blockWidth)
    }
  }

  private func copyRows(of table: Storage, lookup: Lookup, firstRow: Int, item: Item) {
    let column = layout.column(block: item.block, gate: 0)
    let width = layout.gates * layout.blockWidth
    lookup.rows.withUnsafeBufferPointer { tokens in
      for row in firstRow..<firstRow + item.rows.count {
        (gates.base + row * layout.stride + column)
          .update(from: table.base + Int(tokens[row]) * layout.stride + column, count: width)
      }
    }
  }

  /// Adds h·W_hhᵀ to the gates of one block; a GRU's candidate gets a place of its own.
  private func multiply(_ step: Int, _ item: Item, packed: Storage) {
    let (width, depth) = (layout.blockWidth, layout.hiddenSize)
    let row = step * batch + item.rows.lowerBound
    let rows = item.rows.count
    let previous = unfold_matrix(
      base: h.base + row * layout.paddedSize, row_stride: layout.paddedSize, column_stride: 1)
    let panels = packed.base + layout.column(block: item.block, gate: 0) * depth
    let joined = hidden == nil ? layout.gates : layout.gates - 1
    Compute.kernels.product(
      rows, joined * width, depth, previous, panels, depth * width, nil, 1, 1,
      gates.base + row * layout.stride + layout.column(block: item.block, gate: 0), layout.stride)
    if let hidden {
      Compute.kernels.product(
        rows, width, depth, previous, panels + joined * depth * width, depth * width, nil, 0, 1,
        hidden.base + row * layout.paddedSize + item.block * width, layout.paddedSize)
    }
  }

  private func activate(_ step: Int, _ item: Item, hiddenBias: Storage?) {
    let kernels = Compute.kernels
    let block = kernelBlock(step, item)
    let (before, after) = (place(step, item), place(step + 1, item))
    switch cell.arithmetic {
    case .elman(let activation):
      kernels.elman_forward(block, activation == .relu ? 1 : 0, h.base + after)
    case .lstm:
      guard let c else { return }
      kernels.lstm_forward(block, c.base + before, c.base + after, h.base + after)
    case .gru:
      guard let hidden, let hiddenBias else { return }
      let column = layout.column(block: item.block, gate: GRUCell.Gate.candidate.rawValue)
      kernels.gru_forward(
        block, hidden.base + before, hiddenBias.base + column, h.base + before, h.base + after)
    }
  }

  func kernelBlock(_ step: Int, _ item: Item) -> unfold_block {
    let row = step * batch + item.rows.lowerBound
    return unfold_block(
      rows: Int32(item.rows.count),
      gates: gates.base + row * layout.stride + layout.column(block: item.block, gate: 0),
      gates_stride: layout.stride, state_stride: layout.paddedSize)
  }

  /// The place in a state buffer of a block at a step.
  func place(_ step: Int, _ item: Item) -> Int {
    (step * batch + item.rows.lowerBound) * layout.paddedSize + item.block * layout.blockWidth
  }

  /// Sequences that have ended keep their state.
  private func keepEnded(_ step: Int, _ item: Item) {
    for row in item.rows where hasEnded(row, at: step) {
      let one = Item(block: item.block, rows: row..<row + 1)
      for buffer in [h, c].compactMap({ $0 }) {
        (buffer.base + place(step + 1, one))
          .update(from: buffer.base + place(step, one), count: layout.blockWidth)
      }
    }
  }

  func hasEnded(_ row: Int, at step: Int) -> Bool { lengths.map { step >= $0[row] } ?? false }

  // MARK: Results

  /// h₁ … h_T, `[T, B, H]`; without a copy when the buffer has no padding.
  func outputs() -> Tensor {
    let shape: Shape = [steps, batch, layout.hiddenSize]
    let first = batch * layout.paddedSize
    if layout.paddedSize == layout.hiddenSize, lengths == nil {
      return Tensor(storage: h, offset: first, shape: shape)
    }
    return Tensor(shape) { out in
      for step in 0..<steps {
        for row in 0..<batch {
          let place = step * batch + row
          let to = out + place * layout.hiddenSize
          if hasEnded(row, at: step) {
            to.update(repeating: 0, count: layout.hiddenSize)
          } else {
            to.update(
              from: h.base + first + place * layout.paddedSize, count: layout.hiddenSize)
          }
        }
      }
    }
  }

  /// h_T, and c_T of an LSTM, `[B, H]`.
  func lastStates() -> [Tensor] {
    [h, c].compactMap { $0 }.map { buffer in
      unpadded(buffer, from: steps * batch)
    }
  }

  /// The first H of each of B rows of a state buffer.
  func unpadded(_ buffer: Storage, from firstRow: Int = 0) -> Tensor {
    Tensor([batch, layout.hiddenSize]) { out in
      for row in 0..<batch {
        (out + row * layout.hiddenSize).update(
          from: buffer.base + (firstRow + row) * layout.paddedSize, count: layout.hiddenSize)
      }
    }
  }
}
