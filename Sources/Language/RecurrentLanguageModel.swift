import Learning
import Recurrence
import Tensors

/// A recurrent language model: p(next token | all tokens so far).
///
///     x_t = E[w_t],   h_t, s_t = core(x_t, s_{t−1}),   p(w_{t+1}) = softmax(V·h_t + b)
///
/// With tied weights V is E (Press and Wolf, EACL 2017; Inan et al., ICLR 2017).
public struct RecurrentLanguageModel<Core: RecurrentCell>: StreamModel
where Core.Input == Tensor, Core.Output == Tensor {
  public let embedding: Parameter  // E, [V, I]
  public let core: Core
  /// The name that stands before the core's parameters.
  public let coreName: String
  public let readoutBias: Parameter  // b, [V]
  /// The probability with which an output of the core is dropped in training.
  public let dropout: Float
  private let untiedReadout: Parameter?  // V, [V, H]

  /// - Parameter readout: V, `[V, H]`; nil ties it to the embedding, which must then have the
  ///   core's output size.
  public init(
    embedding: Parameter, core: Core, coreName: String, readout: Parameter?, readoutBias: Parameter,
    dropout: Float = 0
  ) {
    self.embedding = embedding
    self.core = core
    self.coreName = coreName
    untiedReadout = readout
    self.readoutBias = readoutBias
    self.dropout = dropout
  }

  /// V, the weights of the readout, `[V, H]`.
  public var readout: Parameter { untiedReadout ?? embedding }

  public var vocabularySize: Int { embedding.shape[0] }

  public func initialState(batch: Int) -> Core.State { core.initialState(batch: batch) }

  /// What the readout gets: `[T, B, H]`, and the state after the window.
  public func hidden(_ window: Window, from state: Core.State?, mode: Mode)
    -> (hidden: Tensor, state: Core.State)
  {
    let inputs = embedding.tensor.gathering(window.inputs, leading: [window.steps, window.batch])
    var (hidden, last) = unfold(core, over: inputs, from: state, mode: mode.part(0))
    if case .training(let generator) = mode.part(1) {
      hidden = hidden.dropout(dropout, using: generator)
    }
    return (hidden, last)
  }

  public func loss(_ window: Window, from state: Core.State?, skipping skipped: Int, mode: Mode)
    -> (loss: Tensor, state: Core.State)
  {
    let (hidden, last) = hidden(window, from: state, mode: mode)
    let loss = SoftmaxReadout.crossEntropy(
      skipped == 0 ? hidden : hidden[skipped..<window.steps], weight: readout.tensor,
      bias: readoutBias.tensor, targets: Array(window.targets.dropFirst(skipped * window.batch)))
    return (loss, last)
  }

  /// One step for one stream: the logits of what comes after `token`, `[V]`, and the next state.
  public func logits(after token: Int32, from state: Core.State)
    -> (logits: Tensor, state: Core.State)
  {
    withoutGradients {
      let (output, next) = core(embedding.tensor.gathering([token]), state)
      let logits = output.times(readout.transposed) + readoutBias.broadcast
      return (logits[0], next)
    }
  }

  public func traced(_ window: Window, from state: Core.State?)
    -> (hidden: Tensor, state: Core.State, layers: [LayerTrace])
  {
    withoutGradients {
      let inputs = embedding.tensor.gathering(
        window.inputs, leading: [window.steps, window.batch])
      let (hidden, last, layers) = core.traced(over: inputs, from: state)
      return (hidden, last, layers)
    }
  }

  public func logits(of hidden: Tensor) -> Tensor {
    withoutGradients { hidden.times(readout.transposed) + readoutBias.broadcast }
  }

  /// PyTorch's names, for a module with an `Embedding`, an `LSTM` (say) and a `Linear` decoder.
  public var parameters: [(name: String, parameter: Parameter)] {
    [("embedding.weight", embedding)]
      + core.parameters.map { ("\(coreName).\($0.name)", $0.parameter) }
      + (untiedReadout.map { [("decoder.weight", $0)] } ?? [])
      + [("decoder.bias", readoutBias)]
  }
}
