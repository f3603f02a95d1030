import Tensors

extension Parameter {
  /// DropConnect: these weights as a sequence is unfolded with them; in training each is zero with
  /// probability `rate`, or else divided by 1 − `rate`. The mask is the same at all time steps and
  /// for all sequences of the batch, so that it costs one masked copy; gradients are masked too.
  ///
  /// - SeeAlso: L. Wan et al., "Regularization of Neural Networks using DropConnect", ICML 2013;
  ///   S. Merity, N. Keskar, R. Socher, "Regularizing and Optimizing LSTM Language Models", ICLR
  ///   2018, section 2 (on the recurrent weights).
  func dropConnected(_ rate: Float, mode: Mode) -> Tensor {
    guard rate > 0, case .training(let generator) = mode else { return tensor }
    return tensor.dropout(rate, using: generator)
  }
}
