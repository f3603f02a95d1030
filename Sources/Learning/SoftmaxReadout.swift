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
  ///   - bias: b, `[V]`; nil for none.
  ///   - targets: N numbers in `0..<V`.
  public static func crossEntropy(
    _ hidden: Tensor, weight: Tensor, bias: Tensor? = nil, targets: [Int32]
  ) -> Tensor {
    crossEntropies(hidden, weight: weight, bias: bias, targets: targets).mean
  }

  /// As `crossEntropy`, with that of each row beside the mean, in nats, in double precision.
  ///
  /// - Parameters:
  ///   - common: how many classes, the first ones, every row chooses from; a later one is there only
  ///     for the rows whose target it is. V if not given.
  ///   - count: how many rows the mean is over, if these are only some of them. N if not given.
  public static func crossEntropies(
    _ hidden: Tensor, weight: Tensor, bias: Tensor? = nil, targets: [Int32], common: Int? = nil,
    outOf count: Int? = nil
  ) -> (mean: Tensor, each: [Double]) {
    let count = count ?? targets.count
    let inputs = [hidden, weight] + (bias.map { [$0] } ?? [])
    let records = Recording.isOn && inputs.contains(where: \.needsGradient)
    let pass = ReadoutPass(
      hidden, weight, bias, targets, common: common ?? weight.shape[0],
      gradientScale: records ? 1 / Float(count) : nil)
    let total = pass.run()
    let gradients = pass.gradients
    let mean = Tensor.record([Tensor(Float(total / Double(count)))], from: inputs) {
      upstream, sink in
      guard let factor = upstream[0]?.item else { return }
      for (index, tensor) in gradients.enumerated() {
        sink.add(factor == 1 ? tensor : (tensor * factor).detached, toInput: index)
      }
    }[0]
    return (mean, pass.losses)
  }
}

private final class ReadoutPass {
  private let hidden, weight: Tensor
  private let bias: Tensor?
  private let targets: [Int32]
  /// What the gradient of each row is multiplied by; nil if none is wanted.
  private let gradientScale: Float?
  private let rows, size, classes: Int
  /// The classes that every row chooses from.
  private let common: Int
  /// −ln p(target) of each row.
  private(set) var losses: [Double]
  /// dL/dh, dL/dV and, if there is a bias, dL/db for the mean loss.
  private(set) var gradients: [Tensor] = []

  init(
    _ hidden: Tensor, _ weight: Tensor, _ bias: Tensor?, _ targets: [Int32], common: Int,
    gradientScale: Float?
  ) {
    let (rows, size) = hidden.shape.asMatrix
    require(
      weight.shape.rank == 2 && weight.shape[1] == size
        && bias.map { $0.shape == [weight.shape[0]] } ?? true,
      "a readout of \(hidden.shape) by weights \(weight.shape)"
        + (bias.map { " and bias \($0.shape)" } ?? ""))
    require(
      targets.count == rows, "\(targets.count) targets for hidden states of shape \(hidden.shape)")
    let classes = weight.shape[0]
    for target in targets {
      require(
        target >= 0 && target < classes, "target \(target) isn't one of \(classes) classes")
    }
    (self.hidden, self.weight, self.bias, self.targets) = (hidden, weight, bias, targets)
    (self.rows, self.size, self.classes) = (rows, size, classes)
    losses = [Double](repeating: 0, count: rows)
    (self.common, self.gradientScale) = (common, gradientScale)
  }

  /// Logits that are in memory at once: few enough for the cache, many enough for the products.
  private static let logitsAtOnce = 1 << 22

  /// - Returns: the sum of all losses.
  func run() -> Double {
    // An odd number of cache lines: rows don't fall on the same places of a cache.
    let stride = ((classes + 15) / 16 | 1) * 16
    let blocks = max(1, (rows * stride + Self.logitsAtOnce - 1) / Self.logitsAtOnce)
    let blockRows = max(min(rows, 64), (rows + blocks - 1) / blocks)
    let logits = Storage(count: blockRows * stride)
    let bias = paddedBias()
    let forward = Profile.measure(.packing) { packedForward() }
    if gradientScale != nil {
      gradients = [hidden, weight].map { Tensor($0.shape) { _ in } }
      if let bias = self.bias { gradients.append(Tensor(zeros: bias.shape)) }
    }
    for first in Swift.stride(from: 0, to: rows, by: max(blockRows, 1)) {
      let count = min(blockRows, rows - first)
      let operations = 2 * count * size * classes
      Profile.measure(.readout, operations: operations) {
        borrowing(hidden) {
          PanelProduct(
            rows: count, columns: classes, depth: size,
            a: unfold_matrix(base: hidden.base + first * size, row_stride: size, column_stride: 1),
            packed: forward, bias: bias, into: logits.base, stride: stride
          ).run()
        }
      }
      Profile.measure(.loss) {
        computeLosses(logits, stride: stride, first: first, count: count)
      }
      guard gradientScale != nil else { continue }
      Profile.measure(.readoutWeightGradients, operations: operations) {
        addWeightGradients(logits, stride: stride, first: first, count: count)
      }
      Profile.measure(.readoutHiddenGradients, operations: operations) {
        addHiddenGradient(logits, stride: stride, first: first, count: count)
      }
    }
    return losses.reduce(0, +)
  }

  /// Turns logits into their gradients, if wanted.
  private func computeLosses(_ logits: Storage, stride: Int, first: Int, count: Int) {
    let scale = gradientScale ?? 0
    losses.withUnsafeMutableBufferPointer { losses in
      let block = UnsafeMutableBufferPointer(rebasing: losses[first..<first + count])
      Compute.forEach(count, cost: 16 * classes) { row in
        let (x, target) = (logits.base + row * stride, Int(targets[first + row]))
        let own = x[target]
        (x + common).update(repeating: -.infinity, count: classes - common)
        x[target] = own
        block[row] = Compute.kernels.cross_entropy(classes, x, target, scale)
      }
    }
  }

  /// Classes whose weights are packed at once for the way back: they stay in a near cache, and a
  /// second packed copy of a large V is never in memory.
  private static let classesAtOnce = 1024

  /// dL/dh = dlogits·V.
  private func addHiddenGradient(_ logits: Storage, stride: Int, first: Int, count: Int) {
    for from in Swift.stride(from: 0, to: classes, by: Self.classesAtOnce) {
      let depth = min(Self.classesAtOnce, classes - from)
      borrowing(weight) {
        let packed = Panels.packed(
          unfold_matrix(base: weight.base + from * size, row_stride: size, column_stride: 1),
          depth: depth, columns: size)
        PanelProduct(
          rows: count, columns: size, depth: depth,
          a: unfold_matrix(base: logits.base + from, row_stride: stride, column_stride: 1),
          packed: packed, accumulate: from > 0, into: gradients[0].base + first * size,
          stride: size
        ).run()
      }
    }
  }

  /// dL/dV += dlogitsᵀ·h,  dL/db += the sum of the rows of dlogits.
  private func addWeightGradients(_ logits: Storage, stride: Int, first: Int, count: Int) {
    let base = gradients.map(\.base)
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
    guard bias != nil else { return }
    let chunk = 256
    Compute.forEach((classes + chunk - 1) / chunk, cost: count * chunk) { index in
      let from = index * chunk
      let width = min(chunk, classes - from)
      Compute.kernels.add_rows(count, width, logits.base + from, stride, base[2] + from)
    }
  }

  /// Vᵀ, for h·Vᵀ.
  private func packedForward() -> Storage {
    borrowing(weight) {
      Panels.packed(
        unfold_matrix(base: weight.base, row_stride: 1, column_stride: size),
        depth: size, columns: classes)
    }
  }

  /// The bias, filled up to whole panels.
  private func paddedBias() -> Storage? {
    guard let bias else { return nil }
    let count = Panels.count(classes) * Compute.panelWidth
    let padded = Storage(count: count)
    borrowing(bias) {
      padded.base.update(from: bias.base, count: classes)
      (padded.base + classes).update(repeating: 0, count: count - classes)
    }
    return padded
  }
}
