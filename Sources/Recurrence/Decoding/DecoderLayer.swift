import CKernels
import Tensors

/// A layer of a decoder: a fused cell with its weights packed.
final class DecoderLayer: Sendable {
  let arithmetic: GateArithmetic
  let layout: GateLayout
  let input: PackedWeights
  let recurrent: PackedWeights
  let inputBias: Storage
  let recurrentBias: Storage
  private let noBias: Storage

  init(_ cell: FusedUnfold) {
    arithmetic = cell.arithmetic
    layout = GateLayout(gates: arithmetic.gates, hiddenSize: cell.recurrent.columns.count)
    func packed(_ matrix: GateMatrix) -> PackedWeights {
      PackedWeights(matrix.tensor, columns: matrix.columns, gates: cell.arithmetic.gates)
    }
    input = packed(cell.input)
    recurrent = packed(cell.recurrent)
    inputBias = layout.spread(Array(cell.biases.prefix(1)))
    recurrentBias = layout.spread(Array(cell.biases.dropFirst()))
    noBias = Storage(count: layout.blockWidth)
    noBias.base.update(repeating: 0, count: layout.blockWidth)
  }

  /// The cell's arithmetic for one block of units and all streams, given what the input and the
  /// previous state contribute.
  func activate(block: Int, _ state: DecoderState.Layer, streams: Int, from old: Int) {
    let kernels = Compute.kernels
    let (stride, width) = (layout.stride, layout.blockWidth)
    let (column, unit) = (layout.column(block: block, gate: 0), block * width)
    let gates = state.gates + column
    let fromState = state.fromState + column
    // A GRU's candidate gets what the state contributes multiplied by r.
    let joined = if case .gru = arithmetic { layout.gates - 1 } else { layout.gates }
    for stream in 0..<streams {
      let row = gates + stream * stride
      kernels.add(joined * width, row, fromState + stream * stride, row)
    }
    let rows = unfold_block(
      rows: Int32(streams), gates: gates, gates_stride: stride, state_stride: stride)
    let (previous, next) = (state.h(old) + unit, state.h(1 - old) + unit)
    switch arithmetic {
    case .elman(let activation): kernels.elman_forward(rows, activation == .relu ? 1 : 0, next)
    case .lstm: kernels.lstm_forward(rows, state.c + unit, state.c + unit, next)
    case .gru: kernels.gru_forward(rows, fromState + joined * width, noBias.base, previous, next)
    }
  }
}
