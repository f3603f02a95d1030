import Learning
import Tensors

/// What keeps a recurrent language model from learning its text by heart, besides plain dropout.
/// All of it acts in training only.
///
/// With E[w_t] the embedding of a token, h_t the outputs of the last layer, and m dropout's masks:
///
///     x_t = m_in ⊙ (m_{w_t} · E[w_t])                embeddingDropout, inputDropout
///     W_hh ← m_hh ⊙ W_hh                             recurrentDropout
///     y_t = m_out ⊙ h_t                              outputDropout
///     loss + α·mean(y_t²) + β·mean((h_{t+1} − h_t)²)   activationPenalty, temporalPenalty
///
/// Every mask is the same at all time steps of a window, and is drawn anew for the next.
///
/// - SeeAlso: Y. Gal, Z. Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent
///   Neural Networks", NIPS 2016; S. Merity, N. Keskar, R. Socher, "Regularizing and Optimizing
///   LSTM Language Models", ICLR 2018.
public struct Regularisation: Codable, Sendable, Equatable {
  /// With which probability a word type has no embedding, wherever it stands in the window. Where
  /// the embedding is also the readout, that isn't touched.
  public var embeddingDropout: Float = 0
  /// Dropout of the embedded inputs.
  public var inputDropout: Float = 0
  /// Dropout between layers.
  public var layerDropout: Float = 0
  /// Dropout of the last layer's outputs.
  public var outputDropout: Float = 0
  /// DropConnect on the recurrent weights of all layers.
  public var recurrentDropout: Float = 0
  /// α, from 0 up: how much large activations cost. In nats per square.
  public var activationPenalty: Float = 0
  /// β, from 0 up: how much a change from step to step costs. In nats per square.
  public var temporalPenalty: Float = 0

  enum CodingKeys: String, CodingKey {
    case embeddingDropout = "embedding_dropout"
    case inputDropout = "input_dropout"
    case layerDropout = "layer_dropout"
    case outputDropout = "output_dropout"
    case recurrentDropout = "recurrent_dropout"
    case activationPenalty = "activation_penalty"
    case temporalPenalty = "temporal_penalty"
  }

  /// Nothing of it.
  public init() {}

  /// This setting, if it is legal.
  public func validated() throws(SettingError) -> Regularisation {
    let rates = [
      ("embedding dropout", embeddingDropout), ("input dropout", inputDropout),
      ("layer dropout", layerDropout), ("output dropout", outputDropout),
      ("recurrent dropout", recurrentDropout),
    ]
    for (name, rate) in rates where !(0..<1).contains(rate) {
      throw .outOfRange(setting: name, legal: "at least 0 and less than 1", found: "\(rate)")
    }
    let penalties = [
      ("activation penalty", activationPenalty), ("temporal penalty", temporalPenalty),
    ]
    for (name, penalty) in penalties where !(penalty >= 0 && penalty.isFinite) {
      throw .outOfRange(setting: name, legal: "at least 0 and finite", found: "\(penalty)")
    }
    return self
  }

  /// α·mean(y_t²) + β·mean((h_{t+1} − h_t)²), a scalar, or nil if neither counts.
  ///
  /// - Parameters:
  ///   - outputs: h, `[T, B, H]`.
  ///   - dropped: y, h after dropout, `[T, B, H]`.
  package func penalty(outputs: Tensor, dropped: Tensor) -> Tensor? {
    var terms: [Tensor] = []
    if activationPenalty > 0 { terms.append((dropped * dropped).mean() * activationPenalty) }
    let steps = outputs.shape[0]
    if temporalPenalty > 0, steps > 1 {
      let change = outputs[1..<steps] - outputs[0..<steps - 1]
      terms.append((change * change).mean() * temporalPenalty)
    }
    return terms.dropFirst().reduce(terms.first) { sum, term in sum.map { $0 + term } }
  }
}
