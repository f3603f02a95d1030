import Learning
import Recurrence
import Tensors

/// A recurrent language model: p(next token | all tokens so far).
///
///     x_t = E[w_t],   h_t, s_t = core(x_t, s_{t−1}),   p(w_{t+1}) = readout(h_t)
public struct RecurrentLanguageModel<Core: RecurrentCell>: StreamModel
where Core.Input == Tensor, Core.Output == Tensor {
  public let embedding: Parameter  // E, [V, I]
  public let core: Core
  /// The name that stands before the core's parameters.
  public let coreName: String
  public let readout: Readout
  /// The probability with which an output of the core is dropped in training.
  public let dropout: Float
  /// What else acts in training. Of it, the core has its own parts (`layerDropout` and
  /// `recurrentDropout`).
  public let regularisation: Regularisation

  /// - Parameter readout: may have the embedding as its weights, if the core's output size is the
  ///   embedding's.
  public init(
    embedding: Parameter, core: Core, coreName: String, readout: Readout, dropout: Float = 0,
    regularisation: Regularisation = Regularisation()
  ) {
    self.embedding = embedding
    self.core = core
    self.coreName = coreName
    self.readout = readout
    self.dropout = dropout
    self.regularisation = regularisation
  }

  public var vocabularySize: Int { embedding.shape[0] }

  public func initialState(batch: Int) -> Core.State { core.initialState(batch: batch) }

  /// What the readout gets: `[T, B, H]`, and the state after the window.
  public func hidden(_ window: Window, from state: Core.State?, mode: Mode)
    -> (hidden: Tensor, state: Core.State)
  {
    let (outputs, last) = outputs(window, from: state, mode: mode)
    return (dropped(outputs, mode: mode), last)
  }

  /// What the core gives: `[T, B, H]`, and the state after the window.
  private func outputs(_ window: Window, from state: Core.State?, mode: Mode)
    -> (outputs: Tensor, last: Core.State)
  {
    var inputs = embedding.tensor.gathering(window.inputs, leading: [window.steps, window.batch])
    if case .training(let generator) = mode {
      inputs =
        inputs
        .dropout(
          regularisation.embeddingDropout, ofRows: window.inputs, among: vocabularySize,
          using: generator.split(2)
        )
        .variationalDropout(regularisation.inputDropout, using: generator.split(3))
    }
    return unfold(core, over: inputs, from: state, mode: mode.part(0))
  }

  /// The core's outputs after dropout.
  private func dropped(_ outputs: Tensor, mode: Mode) -> Tensor {
    guard case .training(let generator) = mode else { return outputs }
    return outputs.dropout(dropout, using: generator.split(1))
      .variationalDropout(regularisation.outputDropout, using: generator.split(4))
  }

  public func loss(_ window: Window, from state: Core.State?, skipping skipped: Int, mode: Mode)
    -> (loss: Tensor, state: Core.State)
  {
    let (loss, _, last) = penalisedLoss(window, from: state, skipping: skipped, mode: mode)
    return (loss, last)
  }

  public func penalisedLoss(
    _ window: Window, from state: Core.State?, skipping skipped: Int, mode: Mode
  ) -> (loss: Tensor, penalty: Tensor?, state: Core.State) {
    let (all, last) = outputs(window, from: state, mode: mode)
    let outputs = skipped == 0 ? all : all[skipped..<window.steps]
    let hidden = dropped(outputs, mode: mode)
    let targets =
      skipped == 0 ? window.targets : Array(window.targets.dropFirst(skipped * window.batch))
    guard case .training(let generator) = mode else {
      return (readout.crossEntropies(hidden, targets: targets).mean, nil, last)
    }
    let loss = readout.trainingLoss(hidden, targets: targets, using: generator.split(5))
    return (loss, regularisation.penalty(outputs: outputs, dropped: hidden), last)
  }

  /// One step for one stream: the logits of what comes after `token`, `[V]`, and the next state.
  public func logits(after token: Int32, from state: Core.State)
    -> (logits: Tensor, state: Core.State)
  {
    withoutGradients {
      let (output, next) = core(embedding.tensor.gathering([token]), state)
      return (readout.logits(of: output)[0], next)
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

  public func logits(of hidden: Tensor) -> Tensor { readout.logits(of: hidden) }

  /// PyTorch's names, for a module with an `Embedding`, an `LSTM` (say) and a decoder: `Linear`, or
  /// `AdaptiveLogSoftmaxWithLoss`.
  public var parameters: [(name: String, parameter: Parameter)] {
    [("embedding.weight", embedding)]
      + core.parameters.map { ("\(coreName).\($0.name)", $0.parameter) }
      + readout.parameters.filter { $0.parameter !== embedding }
      .map { ("decoder.\($0.name)", $0.parameter) }
  }
}
