import Recurrence
import Tensors

/// An LSTM as a user would write it: the step only, so that it is unfolded step by step and
/// differentiated by the tape.
struct OwnCell: RecurrentCell {
  let cell: LSTMCell

  func initialState(batch: Int) -> LSTMState { cell.initialState(batch: batch) }

  func callAsFunction(_ x: Tensor, _ s: LSTMState) -> (output: Tensor, state: LSTMState) {
    cell(x, s)
  }

  var parameters: [(name: String, parameter: Parameter)] { cell.parameters }
}
