import CKernels
import Tensors

/// Decides when non-monotonically triggered averaged SGD begins to average.
///
///     after evaluation number t (from 0):   t > n  and  loss_t > min(loss_0 … loss_{t−n−1})
///
/// that is, when the loss hasn't improved on the best of all but the last n evaluations.
///
/// - SeeAlso: S. Merity, N. Keskar, R. Socher, "Regularizing and Optimizing LSTM Language Models",
///   ICLR 2018, algorithm 1.
package struct NonMonotonicTrigger: Codable, Sendable, Equatable {
  /// n: how many evaluations may pass without improvement.
  let patience: Int
  private var losses: [Double] = []
  /// After which step averaging began, if it has; it never ends.
  package private(set) var begin: Int?

  package init(patience: Int) { self.patience = patience }

  /// Takes note of the loss of the evaluation after a step.
  package mutating func observe(_ loss: Double, step: Int) {
    if begin == nil, let best = losses.dropLast(patience).min(), loss > best { begin = step }
    losses.append(loss)
  }
}

/// The mean of all weights that a training has gone through since it began to average.
///
///     w̄ ← w̄ + (w − w̄) / k,   k = 1, 2, …
///
/// - SeeAlso: B. Polyak, A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM
///   Journal on Control and Optimization 30 (1992).
struct WeightAverage {
  private let parameters: [(name: String, parameter: Parameter)]
  private var means: [Tensor]
  /// k, how many weights have gone into the mean.
  private(set) var count = 0

  init(of parameters: [(name: String, parameter: Parameter)]) {
    self.parameters = parameters
    means = parameters.map { Tensor(zeros: $0.parameter.shape) }
  }

  /// Goes on with a mean that was saved.
  ///
  /// - Throws: `CheckpointError` if a tensor is missing or has another shape.
  init(
    of parameters: [(name: String, parameter: Parameter)], means saved: [String: Tensor],
    count: Int
  ) throws(CheckpointError) {
    self.init(of: parameters)
    for (index, (name, parameter)) in parameters.enumerated() {
      guard let mean = saved[name], mean.shape == parameter.shape else {
        throw .otherModel(tensor: "average.\(name)")
      }
      means[index] = mean.detached
    }
    self.count = count
  }

  /// The mean of each parameter, for a checkpoint. A later `add` doesn't change these tensors.
  var tensors: [(name: String, tensor: Tensor)] {
    zip(parameters, means).map { ($0.name, $1) }
  }

  /// Takes the weights as they are now into the mean.
  mutating func add() {
    count += 1
    let part = 1 / Float(count)
    for index in means.indices {
      let value = parameters[index].parameter.value
      let size = value.count
      means[index].update { mean in
        borrowing(value) {
          forChunks(of: size) { chunk in
            for i in chunk { mean[i] += (value.base[i] - mean[i]) * part }
          }
        }
      }
    }
  }

  /// Calls `body` while the parameters have the mean as their values.
  func whileInPlace<R>(_ body: () throws -> R) rethrows -> R {
    let raw = parameters.map(\.parameter.value)
    for (entry, mean) in zip(parameters, means) { entry.parameter.value = mean }
    defer {
      for (entry, value) in zip(parameters, raw) { entry.parameter.value = value }
    }
    return try body()
  }
}
