import Foundation
import Learning
import Recurrence
import Tensors

/// A language model in plain operations: embedding, core, readout.
struct TinyModel<Core: RecurrentCell>: StreamModel
where Core.Input == Tensor, Core.Output == Tensor {
  let embedding: Parameter  // [V, I]
  let core: Core
  let readout: Parameter  // [V, H]
  let bias: Parameter  // [V]
  var dropout: Float = 0

  func initialState(batch: Int) -> Core.State { core.initialState(batch: batch) }

  func loss(_ window: Window, from state: Core.State?, skipping skipped: Int, mode: Mode)
    -> (loss: Tensor, state: Core.State)
  {
    let inputs = embedding.tensor.gathering(window.inputs, leading: [window.steps, window.batch])
    var (hidden, last) = unfold(core, over: inputs, from: state, mode: mode.part(0))
    if case .training(let generator) = mode.part(1) {
      hidden = hidden.dropout(dropout, using: generator)
    }
    let logits = hidden[skipped..<window.steps].times(readout.transposed) + bias.broadcast
    return (logits.crossEntropy(Array(window.targets.dropFirst(skipped * window.batch))), last)
  }
}

extension TinyModel where Core == Stack<LSTMCell> {
  /// Two LSTM layers over `classes` tokens.
  static func lstm(classes: Int, size: Int, seed: UInt64, dropout: Float = 0) -> TinyModel {
    var generator = Philox(seed: seed)
    let cells = (0..<2).map { _ in
      LSTMCell(inputSize: size, hiddenSize: size, using: &generator)
    }
    func parameter(_ shape: Shape) -> Parameter {
      Parameter(Tensor(uniform: shape, bound: 0.5, using: &generator))
    }
    return TinyModel(
      embedding: parameter([classes, size]), core: Stack(cells, dropout: dropout),
      readout: parameter([classes, size]), bias: parameter([classes]), dropout: dropout)
  }
}

extension Parameterized {
  /// All weights, to the last bit.
  var bits: [[UInt32]] { parameters.map { $0.parameter.value.values.map(\.bitPattern) } }

  var isFinite: Bool { parameters.allSatisfy { $0.parameter.value.values.allSatisfy(\.isFinite) } }
}

/// Tokens without a pattern.
func randomTokens(_ count: Int, classes: Int, seed: UInt64) -> [Int32] {
  var generator = Philox(seed: seed)
  return (0..<count).map { _ in Int32(generator.next() % UInt64(classes)) }
}

/// The largest difference, as a part of the largest magnitude that is expected.
func relativeDifference(_ a: Tensor, _ b: Tensor) -> Float {
  let largest = b.values.map(abs).max() ?? 0
  return a.shape == b.shape ? largestDifference(a.values, b.values) / max(largest, 1e-30) : .nan
}

/// Calls `body` with a new, empty folder, and removes it afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "learning-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
