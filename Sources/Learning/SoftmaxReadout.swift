import CKernels
import Tensors

/// The last layer of a language model and its loss, as one operation on the tape.
///
///     p(w) = softmax(V·h + b)_w,      loss = mean over all rows of −ln p(target)
///
/// The logits of a block of rows are computed, turned into their gradient and used for the weights'
/// while they are in the cache; with a large vocabulary those of a whole batch are never in memory
/// at once.
public enum SoftmaxReadout {
  /// The mean cross-entropy in nats, a scalar.
  ///
  /// - Parameters:
  ///   - hidden: h, `[…, H]`, N rows.
  ///   - weight: V, `[V, H]`.
  ///   - bias: b, `[V]`.
  ///   - targets: N numbers in `0..<V`.
  public static func crossEntropy(
    _ hidden: Tensor, weight: Tensor, bias: Tensor, targets: [Int32]
  ) -> Tensor {
    let records =
      Recording.isOn && (hidden.needsGradient || weight.needsGradient || bias.needsGradient)
    let pass = ReadoutPass(hidden, weight, bias, targets, wantsGradients: records)
    let total = pass.profiled()
    let gradients = pass.gradients
    return Tensor(Float(total / Double(targets.count))).recorded(from: hidden, weight, bias) {
      gradient, sink in
      let factor = gradient.item
      for (index, tensor) in gradients.enumerated() {
        sink.add(factor == 1 ? tensor : (tensor * factor).detached, toInput: index)
      }
    }
  }

  /// The sum of the cross-entropies of all rows, in nats, in double precision.
  public static func totalNats(
    _ hidden: Tensor, weight: Tensor, bias: Tensor, targets: [Int32]
  ) -> Double {
    ReadoutPass(hidden, weight, bias, targets, wantsGradients: false).profiled()
  }
}

private final class ReadoutPass {
  private let hidden, weight, bias: Tensor
  private let targets: [Int32]
  private let wantsGradients: Bool
  private let rows, size, classes: Int
  /// dL/dh, dL/dV, dL/db for the mean loss.
  private(set) var gradients: [Tensor] = []

  init(
    _ hidden: Tensor, _ weight: Tensor, _ bias: Tensor, _ targets: [Int32], wantsGradients: Bool
  ) {
    let (rows, size) = hidden.shape.asMatrix
    require(
      weight.shape.rank == 2 && weight.shape[1] == size && bias.shape == [weight.shape[0]],
      "a readout of \(hidden.shape) by weights \(weight.shape) and bias \(bias.shape)")
    require(
      targets.count == rows, "\(targets.count) targets for hidden states of shape \(hidden.shape)")
    let classes = weight.shape[0]
    for target in targets {
      require(
        target >= 0 && target < classes, "target \(target) isn't one of \(classes) classes")
    }
    (self.hidden, self.weight, self.bias, self.targets) = (hidden, weight, bias, targets)
    (self.rows, self.size, self.classes) = (rows, size, classes)
    self.wantsGradients = wantsGradients
  }

  /// Logits that are in memory at once: few enough for the cache, many enough for the products.
  private static let logitsAtOnce = 1 << 22

  func profiled() -> Double {
    let products = wantsGradients ? 3 : 1
    return Profile.measure(.readout, operations: products * 2 * rows * size * classes) { run() }
  }

  private func run() -> Double {
    let stride = (classes + 15) / 16 * 16 + 16
    let blocks = (rows * stride + Self.logitsAtOnce - 1) / Self.logitsAtOnce
    let blockRows = max(min(rows, 64), (rows + blocks - 1) / blocks)
    let logits = Storage(count: blockRows * stride)
    let bias = paddedBias()
    let forward = packed(transposed: true)
    let backward = wantsGradients ? packed(transposed: false) : nil
    if wantsGradients {
      gradients = [hidden.shape, weight.shape, self.bias.shape].map { Tensor($0) { _ in } }
      gradients[2].update { $0.update(repeating: 0, count: classes) }
    }
    var total = 0.0
    for first in Swift.stride(from: 0, to: rows, by: blockRows) {
      let count = min(blockRows, rows - first)
      borrowing(hidden) {
        PanelProduct(
          rows: count, columns: classes, depth: size,
          a: unfold_matrix(base: hidden.base + first * size, row_stride: size, column_stride: 1),
          packed: forward, bias: bias, into: logits.base, stride: stride
        ).run()
      }
      total += losses(logits, stride: stride, first: first, count: count)
      if let backward {
        differentiate(logits, stride: stride, first: first, count: count, packed: backward)
      }
    }
    return total
  }

  /// Turns logits into their gradients, if wanted.
  private func losses(_ logits: Storage, stride: Int, first: Int, count: Int) -> Double {
    let losses = UnsafeMutablePointer<Double>.allocate(capacity: count)
    defer { losses.deallocate() }
    let scale = wantsGradients ? 1 / Float(rows) : 0
    Compute.forEach(count, cost: 16 * classes) { row in
      losses[row] = Compute.kernels.cross_entropy(
        classes, logits.base + row * stride, Int(targets[first + row]), scale)
    }
    return UnsafeBufferPointer(start: losses, count: count).reduce(0, +)
  }

  private func differentiate(
    _ logits: Storage, stride: Int, first: Int, count: Int, packed: Storage
  ) {
    let base = gradients.map(\.base)
    PanelProduct(
      rows: count, columns: size, depth: classes,
      a: unfold_matrix(base: logits.base, row_stride: stride, column_stride: 1),
      packed: packed, into: base[0] + first * size, stride: size
    ).run()
    let states = borrowing(hidden) {
      Panels.packed(
        unfold_matrix(base: hidden.base + first * size, row_stride: size, column_stride: 1),
        depth: count, columns: size)
    }
    PanelProduct(
      rows: classes, columns: size, depth: count,
      a: unfold_matrix(base: logits.base, row_stride: 1, column_stride: stride),
      packed: states, accumulate: first > 0, into: base[1], stride: size
    ).run()
    let chunk = 256
    Compute.forEach((classes + chunk - 1) / chunk, cost: count * chunk) { index in
      let from = index * chunk
      let width = min(chunk, classes - from)
      Compute.kernels.add_rows(count, width, logits.base + from, stride, base[2] + from)
    }
  }

  private func packed(transposed: Bool) -> Storage {
    borrowing(weight) {
      transposed
        ? Panels.packed(
          unfold_matrix(base: weight.base, row_stride: 1, column_stride: size),
          depth: size, columns: classes)
        : Panels.packed(
          unfold_matrix(base: weight.base, row_stride: size, column_stride: 1),
          depth: classes, columns: size)
    }
  }

  /// The bias, filled up to whole panels.
  private func paddedBias() -> Storage {
    let count = Panels.count(classes) * Compute.panelWidth
    let padded = Storage(count: count)
    borrowing(bias) {
      padded.base.update(from: bias.base, count: classes)
      (padded.base + classes).update(repeating: 0, count: count - classes)
    }
    return padded
  }
}
