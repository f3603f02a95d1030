import Tensors

/// Layers on top of each other: the outputs of one are the inputs of the next.
///
/// A stack of cells is itself a cell; its state is the list of theirs, from the bottom up. Dropout
/// acts between layers, not after the last one, while training: plain, and the same at all time steps.
public struct Stack<Layer: Unfoldable>: Unfoldable where Layer.Input == Layer.Output {
  public let layers: [Layer]
  /// The probability with which a number passed from one layer to the next is dropped.
  public let dropout: Float
  /// As `dropout`, with the same numbers dropped at all time steps.
  public let variationalDropout: Float

  /// - Precondition: at least one layer; dropout in `0..<1`.
  public init(_ layers: [Layer], dropout: Float = 0, variationalDropout: Float = 0) {
    require(!layers.isEmpty, "a stack needs at least one layer")
    for rate in [dropout, variationalDropout] {
      require((0..<1).contains(rate), "dropout must be in 0 ..< 1, not \(rate)")
    }
    self.layers = layers
    self.dropout = dropout
    self.variationalDropout = variationalDropout
  }

  public func initialState(batch: Int) -> [Layer.State] {
    layers.map { $0.initialState(batch: batch) }
  }

  public func unfold(
    over inputs: Layer.Input, from state: [Layer.State]?, lengths: [Int]?, mode: Mode
  ) -> (outputs: Layer.Output, last: [Layer.State]) {
    checkCount(state)
    var signal = inputs
    var last: [Layer.State] = []
    for (index, layer) in layers.enumerated() {
      if index > 0, case .training(let generator) = mode.part(2 * index) {
        signal = signal.mapTensors {
          $0.dropout(dropout, using: generator)
            .variationalDropout(variationalDropout, using: generator.split(0))
        }
      }
      let (outputs, end) = layer.unfold(
        over: signal, from: state?[index], lengths: lengths, mode: mode.part(2 * index + 1))
      signal = outputs
      last.append(end)
    }
    return (signal, last)
  }

  private func checkCount(_ state: [Layer.State]?) {
    require(
      state == nil || state?.count == layers.count,
      "\(state?.count ?? 0) states for \(layers.count) layers")
  }

  /// PyTorch's names: `weight_ih_l0`, for the second direction `weight_ih_l0_reverse`.
  public var parameters: [(name: String, parameter: Parameter)] {
    layers.enumerated().flatMap { index, layer in
      layer.parameters.map { name, parameter in
        let suffix = Bidirectional<Layer>.suffix
        return name.hasSuffix(suffix)
          ? ("\(name.dropLast(suffix.count))_l\(index)\(suffix)", parameter)
          : ("\(name)_l\(index)", parameter)
      }
    }
  }
}

extension Stack: RecurrentCell where Layer: RecurrentCell {
  /// One step through all layers.
  public func callAsFunction(_ input: Layer.Input, _ state: [Layer.State])
    -> (output: Layer.Output, state: [Layer.State])
  {
    checkCount(state)
    var signal = input
    var next: [Layer.State] = []
    for (layer, state) in zip(layers, state) {
      let (output, new) = layer(signal, state)
      signal = output
      next.append(new)
    }
    return (signal, next)
  }
}
