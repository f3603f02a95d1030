import CKernels
import Synchronization
import Tensors

/// What the first layer gets from each token: W_ih·E[w] + b_ih for every word w, computed when it is
/// first needed and then looked up.
///
/// Computing a row reads all of W_ih, which is what takes the time; so `group` neighbours are
/// computed at once. Where all rows would take too much memory, a group takes the place of another.
///
/// Unchecked: everything that changes is read and written with the lock held.
final class InputTable: @unchecked Sendable {
  /// Two tiles of 14 rows (AVX-512): W_ih passes by once, each panel of it for two whole tiles.
  private static let group = 28

  private let embedding: Tensor  // E, [V, I]
  private let weights: PackedWeights
  private let bias: Storage
  private let stride: Int
  private let rows: Storage  // [slots × group, stride]
  private let workspace: Storage
  /// Which group a slot holds, −1 for none.
  private let held: Mutex<[Int]>

  init(embedding: Tensor, weights: PackedWeights, bias: Storage, stride: Int, bytes: Int) {
    (self.embedding, self.weights, self.bias, self.stride) = (embedding, weights, bias, stride)
    let groups = (embedding.shape[0] + Self.group - 1) / Self.group
    let groupSize = Self.group * stride
    let slots = max(1, min(groups, bytes / (4 * groupSize)))
    rows = Storage(count: slots * groupSize)
    workspace = Storage(count: Self.group * weights.preparedSize)
    held = Mutex(Array(repeating: -1, count: slots))
  }

  /// Writes the row of a token to `target`.
  func copyRow(of token: Int32, to target: UnsafeMutablePointer<Float>, count: Int) {
    let token = Int(token)
    require(
      0..<embedding.shape[0] ~= token, "token \(token) of a vocabulary of \(embedding.shape[0])")
    let (group, place) = token.quotientAndRemainder(dividingBy: Self.group)
    held.withLock { held in
      let slot = group % held.count
      if held[slot] != group {
        compute(group, slot: slot)
        held[slot] = group
      }
      target.update(
        from: rows.base + (slot * Self.group + place) * stride, count: count)
    }
  }

  private func compute(_ group: Int, slot: Int) {
    let (first, width) = (group * Self.group, weights.depth)
    let count = min(Self.group, embedding.shape[0] - first)
    let tasks = min(weights.panels, 4 * Compute.threads)
    borrowing(embedding) {
      let inputs = embedding.base + first * width
      weights.prepare(rows: count, inputs, stride: width, into: workspace.base)
      Compute.forEach(tasks, work: 2 * count * width * weights.panels * Compute.panelWidth) {
        task in
        let panels = weights.panels * task / tasks..<weights.panels * (task + 1) / tasks
        weights.multiply(
          rows: count, panels: panels, inputs, stride: width, prepared: workspace.base,
          bias: bias.base,
          into: rows.base + slot * Self.group * stride + panels.lowerBound * Compute.panelWidth,
          outputStride: stride)
      }
    }
  }
}
