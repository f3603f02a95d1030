import ArgumentParser
import Language

struct RegularisationOptions: RecipeOptions {
  @Option(help: "Dropout of word types: no embedding anywhere in a window (default: 0).")
  var embeddingDropout: Float?
  @Option(help: "Dropout of embedded inputs, the same at all steps of a window (default: 0).")
  var inputDropout: Float?
  @Option(help: "Dropout between layers, the same at all steps of a window (default: 0).")
  var layerDropout: Float?
  @Option(help: "Dropout before the readout, the same at all steps of a window (default: 0).")
  var outputDropout: Float?
  @Option(help: "Dropout of recurrent weights (DropConnect), a mask a window (default: 0).")
  var recurrentDropout: Float?
  @Option(help: "α: add α times the mean square of the readout's inputs to the loss (default: 0).")
  var activationPenalty: Float?
  @Option(
    help: "β: add β times the mean square of the last layer's changes to the loss (default: 0).")
  var temporalPenalty: Float?

  static var settings: [RecipeSetting<Self>] {
    [
      .init(\.embeddingDropout), .init(\.inputDropout), .init(\.layerDropout),
      .init(\.outputDropout), .init(\.recurrentDropout), .init(\.activationPenalty),
      .init(\.temporalPenalty),
    ]
  }

  var regularisation: Regularisation {
    var regularisation = Regularisation()
    regularisation.embeddingDropout = embeddingDropout ?? 0
    regularisation.inputDropout = inputDropout ?? 0
    regularisation.layerDropout = layerDropout ?? 0
    regularisation.outputDropout = outputDropout ?? 0
    regularisation.recurrentDropout = recurrentDropout ?? 0
    regularisation.activationPenalty = activationPenalty ?? 0
    regularisation.temporalPenalty = temporalPenalty ?? 0
    return regularisation
  }
}
