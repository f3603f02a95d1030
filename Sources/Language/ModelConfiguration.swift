import Foundation
import Learning
import Recurrence
import Tensors

/// The cells that a model can be made of by name.
public enum CellKind: String, Codable, Sendable, CaseIterable {
  case elman
  case elmanReLU = "elman-relu"
  case lstm
  case gru

  /// PyTorch's name for a module of such cells, which begins the names of its weights.
  var moduleName: String {
    switch self {
    case .elman, .elmanReLU: "rnn"
    case .lstm: "lstm"
    case .gru: "gru"
    }
  }
}

/// The architecture of a recurrent language model: what `config.json` holds.
public struct ModelConfiguration: Codable, Sendable, Equatable {
  public var cell: CellKind
  public var layers: Int
  public var hiddenSize: Int
  public var embeddingSize: Int
  /// Whether the readout's weights are the embedding's; the last of several layers then has the
  /// embedding's size.
  public var tied: Bool
  /// Dropout between layers and before the readout, in training.
  public var dropout: Float
  /// What else keeps the model from learning its text by heart, in training; nil for nothing.
  public var regularisation: Regularisation?
  /// What makes a large vocabulary affordable; nil for softmax(V·h + b) as it is.
  public var softmax: Softmax?

  enum CodingKeys: String, CodingKey {
    case cell, layers, tied, dropout, regularisation, softmax
    case hiddenSize = "hidden_size"
    case embeddingSize = "embedding_size"
  }

  /// - Parameter embeddingSize: the hidden size if not given.
  public init(
    cell: CellKind = .lstm, layers: Int = 2, hiddenSize: Int = 256, embeddingSize: Int? = nil,
    tied: Bool = false, dropout: Float = 0, regularisation: Regularisation? = nil,
    softmax: Softmax? = nil
  ) {
    self.cell = cell
    self.layers = layers
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize ?? hiddenSize
    self.tied = tied
    self.dropout = dropout
    self.regularisation = regularisation
    self.softmax = softmax
  }

  /// The size of what goes into a layer, counted from 0.
  func inputSize(ofLayer layer: Int) -> Int { layer == 0 ? embeddingSize : hiddenSize }

  /// The size of a layer, counted from 0.
  func outputSize(ofLayer layer: Int) -> Int {
    tied && layer == layers - 1 ? embeddingSize : hiddenSize
  }

  /// This configuration, if a model can be made of it.
  public func validated() throws(SettingError) -> ModelConfiguration {
    let sizes = [
      ("layers", layers, 64), ("hidden size", hiddenSize, 1 << 16),
      ("embedding size", embeddingSize, 1 << 16),
    ]
    for (name, value, largest) in sizes where !(1...largest).contains(value) {
      throw .outOfRange(setting: name, legal: "from 1 to \(largest)", found: "\(value)")
    }
    guard dropout >= 0, dropout < 1 else {
      throw .outOfRange(
        setting: "dropout", legal: "at least 0 and less than 1", found: "\(dropout)")
    }
    guard !tied || layers > 1 || embeddingSize == hiddenSize else {
      throw .outOfRange(
        setting: "embedding size of one layer with tied weights",
        legal: "the hidden size, \(hiddenSize)", found: "\(embeddingSize)")
    }
    _ = try regularisation?.validated()
    try softmax?.validate(for: self)
    return self
  }

  /// A model with fresh weights.
  ///
  /// - Parameter seed: of the weights; nil leaves them zero, for a model that is about to be read.
  public func model(vocabularySize: Int, seed: UInt64?) -> any RecurrentModel {
    var generator = Philox(seed: seed ?? 0, stream: 1)
    let zeros = seed == nil ? CellInitialiser(input: .zeros, recurrent: .zeros) : nil
    let recurrentDropout = regularisation?.recurrentDropout ?? 0
    switch cell {
    case .elman, .elmanReLU:
      return model(vocabularySize, seed, &generator) {
        ElmanCell(
          inputSize: $0, hiddenSize: $1, activation: cell == .elman ? .tanh : .relu,
          initialiser: zeros, recurrentDropout: recurrentDropout, using: &$2)
      }
    case .lstm:
      return model(vocabularySize, seed, &generator) {
        LSTMCell(
          inputSize: $0, hiddenSize: $1, initialiser: zeros, recurrentDropout: recurrentDropout,
          using: &$2)
      }
    case .gru:
      return model(vocabularySize, seed, &generator) {
        GRUCell(
          inputSize: $0, hiddenSize: $1, initialiser: zeros, recurrentDropout: recurrentDropout,
          using: &$2)
      }
    }
  }

  private func model<Cell: RecurrentCell>(
    _ vocabularySize: Int, _ seed: UInt64?, _ generator: inout Philox,
    cell: (_ inputSize: Int, _ hiddenSize: Int, inout Philox) -> Cell
  ) -> any RecurrentModel where Cell.Input == Tensor, Cell.Output == Tensor {
    var cells: [Cell] = []
    for layer in 0..<layers {
      cells.append(
        cell(inputSize(ofLayer: layer), outputSize(ofLayer: layer), &generator))
    }
    let regularisation = regularisation ?? Regularisation()
    return RecurrentLanguageModel(
      vocabularySize: vocabularySize, embeddingSize: embeddingSize, hiddenSize: hiddenSize,
      core: Stack(cells, dropout: dropout, variationalDropout: regularisation.layerDropout),
      coreName: self.cell.moduleName, tied: tied, softmax: softmax, dropout: dropout,
      regularisation: regularisation, seed: seed)
  }
}

/// A recurrent language model of any cell: where a name has become a model.
public protocol RecurrentModel: LanguageModel, StreamModel {
  /// Reads a window, without a record for gradients, and tells what went on inside.
  ///
  /// - Returns: what the readout gets, `[T, B, H]`; the state after the window; and a trace of each
  ///   layer, from the lowest up.
  func traced(_ window: Window, from state: State?)
    -> (hidden: Tensor, state: State, layers: [LayerTrace])

  /// Unnormalised log-probabilities of the next tokens, `[…, V]`.
  ///
  /// - Parameter hidden: what the readout gets, `[…, H]`.
  func logits(of hidden: Tensor) -> Tensor

  /// ln p of targets, each from its row of what the readout gets, `[…, H]`; the logits of all rows
  /// are never in memory at once.
  func logProbabilities(of targets: [Int32], from hidden: Tensor) -> [Double]
}

extension RecurrentLanguageModel: RecurrentModel {}

extension RecurrentLanguageModel {
  /// A model with a fresh embedding and readout.
  ///
  /// The embedding starts from the normal distribution (variance 1, or 0.01 if it is also the
  /// readout), the readout uniform in ±1/√H. Untied, both start as PyTorch's modules do.
  public init(
    vocabularySize: Int, embeddingSize: Int, hiddenSize: Int, core: Core, coreName: String,
    tied: Bool = false, softmax: Softmax? = nil, dropout: Float = 0,
    regularisation: Regularisation = Regularisation(), seed: UInt64?
  ) {
    let table: Shape = [vocabularySize, embeddingSize]
    var generator = Philox(seed: seed ?? 0, stream: 2)
    let deviation: Float = tied ? 0.1 : 1
    let embedding = Parameter(
      seed == nil
        ? Tensor(zeros: table)
        : Tensor(table) { base in
          for index in 0..<table.count { base[index] = deviation * Float(generator.normal()) }
        })
    /// Uniform in ±1/√n, n being the size of what comes in.
    func fresh(_ shape: Shape, size: Int) -> Tensor {
      seed == nil
        ? Tensor(zeros: shape)
        : Tensor(uniform: shape, bound: 1 / Float(size).squareRoot(), using: &generator)
    }
    let readout: Readout
    switch softmax {
    case .adaptive(let cutoffs):
      readout = .adaptive(
        AdaptiveSoftmax(
          inputSize: hiddenSize, vocabularySize: vocabularySize,
          cutoffs: cutoffs ?? Softmax.cutoffs(vocabularySize: vocabularySize)
        ) { fresh($0, size: $0[1]) })
    case .sampled, nil:
      let weight =
        tied ? embedding : Parameter(fresh([vocabularySize, hiddenSize], size: hiddenSize))
      let bias =
        tied ? Tensor(zeros: [vocabularySize]) : fresh([vocabularySize], size: hiddenSize)
      readout = .linear(weight: weight, bias: Parameter(bias), samples: softmax?.samples)
    }
    self.init(
      embedding: embedding, core: core, coreName: coreName, readout: readout, dropout: dropout,
      regularisation: regularisation)
  }
}
