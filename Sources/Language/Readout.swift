import Learning
import Tensors

/// The last layer of a language model: from what the core gives, h, to the probabilities of V words.
public enum Readout: Parameterized {
  /// p(w) = softmax(V·h + b)_w, with a weight `[V, H]` and a bias `[V]`.
  ///
  /// With tied weights V is the embedding (Press and Wolf, EACL 2017; Inan et al., ICLR 2017). If
  /// `samples` are given, a step of training compares with so many words only (see
  /// ``SampledSoftmax``); all else is over all words.
  case linear(weight: Parameter, bias: Parameter, samples: Int? = nil)
  case adaptive(AdaptiveSoftmax)

  public var parameters: [(name: String, parameter: Parameter)] {
    switch self {
    case .linear(let weight, let bias, _): [("weight", weight), ("bias", bias)]
    case .adaptive(let softmax): softmax.parameters
    }
  }

  /// H.
  public var inputSize: Int {
    switch self {
    case .linear(let weight, _, _): weight.shape[1]
    case .adaptive(let softmax): softmax.head.shape[1]
    }
  }

  /// The mean of −ln p(target) in nats, a scalar; and that of each row, in double precision. The
  /// logits of all rows are never in memory at once.
  ///
  /// - Parameters:
  ///   - hidden: h, `[…, H]`, N rows.
  ///   - targets: N numbers in `0..<V`.
  public func crossEntropies(_ hidden: Tensor, targets: [Int32]) -> (mean: Tensor, each: [Double]) {
    switch self {
    case .linear(let weight, let bias, _):
      SoftmaxReadout.crossEntropies(
        hidden, weight: weight.tensor, bias: bias.tensor, targets: targets)
    case .adaptive(let softmax): softmax.crossEntropies(hidden, targets: targets)
    }
  }

  /// What training minimises: the mean cross-entropy in nats, over a sample of the words if so asked.
  func trainingLoss(_ hidden: Tensor, targets: [Int32], using generator: Philox) -> Tensor {
    guard case .linear(let weight, let bias, let samples?) = self else {
      return crossEntropies(hidden, targets: targets).mean
    }
    return SampledSoftmax.crossEntropy(
      hidden, weight: weight.tensor, bias: bias.tensor, targets: targets, samples: samples,
      using: generator)
  }

  /// Unnormalised log-probabilities of all words, `[…, V]`, without a record.
  public func logits(of hidden: Tensor) -> Tensor {
    withoutGradients {
      switch self {
      case .linear(let weight, let bias, _): hidden.times(weight.transposed) + bias.broadcast
      case .adaptive(let softmax): softmax.logits(of: hidden)
      }
    }
  }
}
