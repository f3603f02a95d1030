import CKernels
import Foundation
import Tensors

/// Changes parameters so that a loss falls: one of six update rules, as PyTorch computes them.
///
/// With g the gradient (scaled, and with L2 decay, g + λ·w), η the learning rate, t the number of
/// gradients that the parameter has had, and all memories starting at 0:
///
///     sgd        w ← w − η·g
///     momentum   u ← μ·u + g,  w ← w − η·u            Nesterov: w ← w − η·(g + μ·u)
///     adam       m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
///                w ← w − η·m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
///     adamw      as adam without L2, and before it w ← w − η·λ·w
///     rmsprop    v ← α·v + (1 − α)·g²,  w ← w − η·g / (√v + ε)
///     adagrad    s ← s + g²,  w ← w − η·g / (√s + ε)
///
/// - SeeAlso: Polyak, USSR Comp. Math. 4 (1964); Nesterov, Soviet Math. Doklady 27 (1983), in the
///   form of Sutskever et al., ICML 2013; Kingma, Ba, "Adam", ICLR 2015; Loshchilov, Hutter,
///   "Decoupled Weight Decay Regularization", ICLR 2019; Tieleman, Hinton, "RMSprop", 2012;
///   Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 12 (2011).
public final class Optimiser {
  public let configuration: OptimiserConfiguration
  /// How many times `update` has been called, restored calls included.
  public internal(set) var stepCount = 0
  var slots: [Slot]

  /// A parameter with what the update rule remembers of it.
  struct Slot {
    let name: String
    let parameter: Parameter
    /// The number of gradients that it has had: t in the equations.
    var steps = 0
    var first: Tensor?
    var second: Tensor?
  }

  /// - Throws: `SettingError` if the configuration is illegal.
  /// - Precondition: no name and no parameter stands twice in the list. Tied weights are one.
  public init(
    _ configuration: OptimiserConfiguration, parameters: [(name: String, parameter: Parameter)]
  ) throws(SettingError) {
    self.configuration = try configuration.validated()
    let identities = Set(parameters.map { ObjectIdentifier($0.parameter) })
    require(identities.count == parameters.count, "a parameter is listed twice")
    require(
      Set(parameters.map(\.name)).count == parameters.count, "two parameters have one name")
    let moments = configuration.method.momentNames.count
    slots = parameters.map { name, parameter in
      Slot(
        name: name, parameter: parameter,
        first: moments > 0 ? Tensor(zeros: parameter.shape) : nil,
        second: moments > 1 ? Tensor(zeros: parameter.shape) : nil)
    }
  }

  /// One step: changes all parameters that have a gradient, in place, and leaves the others alone.
  ///
  /// The result doesn't depend on the number of threads. Allocates nothing, unless somebody still
  /// holds a parameter's last value or the last `state`: these keep their numbers.
  ///
  /// - Parameters:
  ///   - gradientScale: multiplies the gradients before everything else, decay included: clipping
  ///     by norm needs no pass of its own. See `Clipping`.
  /// - Precondition: each gradient has its parameter's shape.
  public func update(
    with gradients: Gradients, learningRate: Float, gradientScale: Float = 1
  ) {
    stepCount += 1
    for index in slots.indices {
      guard let gradient = gradients[slots[index].parameter] else { continue }
      let shape = slots[index].parameter.shape
      require(
        gradient.shape == shape, "a gradient of shape \(gradient.shape) for one of \(shape)")
      update(&slots[index], gradient, rate: learningRate, scale: gradientScale)
    }
  }

  private func update(_ slot: inout Slot, _ gradient: Tensor, rate: Float, scale: Float) {
    slot.steps += 1
    let count = slot.parameter.shape.count
    let c = configuration
    let (momentum, eps, l2) = (Float(c.momentum), Float(c.eps), Float(c.weightDecay))
    let (alpha, newest) = (Float(c.alpha), Float(1 - c.alpha))
    borrowing(gradient) {
      let g = gradient.base
      slot.parameter.update { w in
        switch c.method {
        case .sgd:
          forChunks(of: count) { chunk in
            let i = chunk.lowerBound
            Compute.kernels.sgd(
              chunk.count, w + i, g + i, nil, rate, 0, 0, 0, scale, l2)
          }
        case .momentum:
          slot.first?.update { u in
            forChunks(of: count) { chunk in
              let i = chunk.lowerBound
              Compute.kernels.sgd(
                chunk.count, w + i, g + i, u + i, rate, momentum, c.nesterov ? 1 : 0, 0, scale, l2)
            }
          }
        case .adam, .adamw:
          updateByAdam(&slot, w, g, rate: rate, scale: scale)
        case .rmsprop:
          slot.first?.update { v in
            forChunks(of: count) { chunk in
              let i = chunk.lowerBound
              Compute.kernels.rmsprop(
                chunk.count, w + i, g + i, v + i, rate, alpha, newest, eps, scale, l2)
            }
          }
        case .adagrad:
          slot.first?.update { s in
            forChunks(of: count) { chunk in
              let i = chunk.lowerBound
              Compute.kernels.adagrad(
                chunk.count, w + i, g + i, s + i, rate, eps, scale, l2)
            }
          }
        }
      }
    }
  }

  private func updateByAdam(
    _ slot: inout Slot, _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, rate: Float,
    scale: Float
  ) {
    let c = configuration
    let count = slot.parameter.shape.count
    let decoupled = c.method == .adamw
    let (new1, beta2, new2) = (Float(1 - c.beta1), Float(c.beta2), Float(1 - c.beta2))
    let correction1 = 1 - pow(c.beta1, Double(slot.steps))
    let correction2 = 1 - pow(c.beta2, Double(slot.steps))
    let step = Float(Double(rate) / correction1)
    let (root, eps) = (Float(correction2.squareRoot()), Float(c.eps))
    let l2 = decoupled ? 0 : Float(c.weightDecay)
    let kept = decoupled ? Float(1 - Double(rate) * c.weightDecay) : 1
    slot.first?.update { m in
      slot.second?.update { v in
        forChunks(of: count) { chunk in
          let i = chunk.lowerBound
          Compute.kernels.adam(
            chunk.count, w + i, g + i, m + i, v + i, new1, beta2, new2, step, root, eps, scale,
            l2, kept)
        }
      }
    }
  }
}
