import Language
import Learning
import Recurrence
import Tensors

/// A language model whose gradients can be looked at.
package protocol StudiedModel: RecurrentModel {
  /// W^s of each layer and gate; empty for a cell that doesn't show them.
  var recurrentMatrices: [RecurrentMatrix] { get }

  func gradientFlow(
    on tokens: TokenSequence, steps: Int, progress: (_ step: Int) -> Void
  ) throws -> ModelFlow

  func truncationStudy(
    on tokens: TokenSequence, _ settings: TruncationSettings, progress: (Double) -> Void
  ) throws -> TruncationStudy
}

/// What becomes of the gradient in a trained model on a text.
package struct ModelFlow: Sendable, Encodable {
  /// Of the whole state and of each layer's tensors, over the sequences.
  package let flows: [GradientFlow]
  /// Of the first sequence: measured, the product of exact Jacobians, and how far they agree.
  package let measured: [Double]
  package let product: [Double]
  package let agreement: GradientAgreement
  package let sequences: Int
  /// As ``GradientTrace/overflow``.
  package let overflow: Int?

  package init(
    flows: [GradientFlow], measured: [Double], product: [Double], agreement: GradientAgreement,
    sequences: Int, overflow: Int? = nil
  ) {
    (self.flows, self.measured, self.product) = (flows, measured, product)
    (self.agreement, self.sequences, self.overflow) = (agreement, sequences, overflow)
  }
}

extension RecurrentLanguageModel: StudiedModel {
  package var recurrentMatrices: [RecurrentMatrix] {
    (core as? any HasRecurrentMatrices)?.recurrentMatrices ?? []
  }

  /// Follows the gradient of the cross-entropy of one token, the last of a stretch of text, back
  /// through `steps` steps, for up to eight stretches. Up to a hundred tokens before each give the
  /// state that it begins with.
  ///
  /// - Parameter progress: gets the number of steps whose exact Jacobian is done.
  /// - Throws: `CorpusError.tooShort`.
  package func gradientFlow(
    on tokens: TokenSequence, steps: Int, progress: (_ step: Int) -> Void = { _ in }
  ) throws -> ModelFlow {
    let available = tokens.count - 1
    guard available >= steps else {
      throw CorpusError.tooShort("the text", tokens: tokens.count, needed: steps + 1)
    }
    let streams = Streams(tokens, batch: min(8, available / steps))
    let warmUp = min(100, streams.length - steps)
    let state =
      warmUp == 0
      ? nil
      : withoutGradients {
        hidden(streams.window(0..<warmUp), from: nil, mode: .inference).state
      }
    let window = streams.window(warmUp..<warmUp + steps)
    let inputs = embedding.value.gathering(window.inputs, leading: [steps, window.batch])
    let targets = Array(window.targets.suffix(window.batch))
    let trace = GradientTrace(of: core, over: inputs, from: state) { output in
      readout.crossEntropies(output, targets: targets).mean * Float(window.batch)
    }
    let (measured, product, agreement) = trace.comparison(sequence: 0, progress: progress)
    return ModelFlow(
      flows: trace.flows(), measured: measured, product: product, agreement: agreement,
      sequences: window.batch, overflow: trace.overflow)
  }
}
