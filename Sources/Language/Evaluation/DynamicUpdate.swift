import CKernels
import Learning
import Tensors

/// The weights of a model while they follow a text. `restore` puts the trained ones back.
final class DynamicUpdate {
  private let settings: DynamicEvaluation
  private var slots: [Slot]

  private struct Slot {
    let parameter: Parameter
    /// w₀.
    let trained: Tensor
    /// For `rms`: 1 / (r + ε), and min(λ·r / r̄, 1).
    var inverse: Tensor?
    var pull: Tensor?
  }

  private static let chunk = 4096

  /// - Parameter squares: for `rms`, mean(g²) of each parameter, in their order.
  init(
    _ parameters: [(name: String, parameter: Parameter)], _ settings: DynamicEvaluation,
    squares: [Tensor]
  ) {
    self.settings = settings
    slots = parameters.map { Slot(parameter: $0.parameter, trained: $0.parameter.value) }
    guard settings.method == .rms else { return }
    let roots = squares.map { $0.map { $0.squareRoot() } }
    let sum = roots.reduce(0.0) { sum, root in
      borrowing(root) { sum + Compute.kernels.sum(root.count, root.base) }
    }
    let mean = sum / Double(max(1, roots.reduce(0) { $0 + $1.count }))
    let factor = mean > 0 ? Float(settings.decay / mean) : 0
    for (index, root) in roots.enumerated() {
      slots[index].inverse = root.map { 1 / ($0 + Float(settings.epsilon)) }
      slots[index].pull = root.map { min(factor * $0, 1) }
    }
  }

  /// One step.
  func update(with gradients: Gradients) {
    for slot in slots {
      // Without a gradient in this segment, there is still the pull.
      let gradient = gradients[slot.parameter]
      let count = slot.trained.count
      borrowing(gradient, slot.trained, slot.inverse, slot.pull) {
        slot.parameter.update { w in
          let work = (count + Self.chunk - 1) / Self.chunk
          Compute.forEach(work, cost: 8 * Self.chunk) { index in
            let start = index * Self.chunk
            step(
              slot, w + start, gradient.map { $0.base + start }, at: start,
              min(Self.chunk, count - start))
          }
        }
      }
    }
  }

  private func step(
    _ slot: Slot, _ w: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>?,
    at start: Int, _ count: Int
  ) {
    let rate = Float(settings.rate)
    let trained = slot.trained.base + start
    guard let inverse = slot.inverse, let pull = slot.pull else {
      let decay = Float(settings.decay)
      if decay > 0 {
        for i in 0..<count { w[i] += decay * (trained[i] - w[i]) }
      }
      if let g { Compute.kernels.scale_add(count, -rate, g, w) }
      return
    }
    let (scale, back) = (inverse.base + start, pull.base + start)
    for i in 0..<count {
      w[i] += back[i] * (trained[i] - w[i]) - (g.map { rate * $0[i] * scale[i] } ?? 0)
    }
  }

  /// Gives the model its trained weights back.
  func restore() {
    for slot in slots { slot.parameter.value = slot.trained }
  }
}

extension Tensor {
  fileprivate func map(_ transform: (Float) -> Float) -> Tensor {
    Tensor(shape) { out in
      borrowing(self) { for index in 0..<count { out[index] = transform(base[index]) } }
    }
  }
}
