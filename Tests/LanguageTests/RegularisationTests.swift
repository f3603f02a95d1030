import Foundation
import Language
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct RegularisationTests {
  private typealias Model = RecurrentLanguageModel<Stack<LSTMCell>>
  private static let generator = Philox(seed: 21)

  private static var all: Regularisation {
    var all = Regularisation()
    (all.embeddingDropout, all.inputDropout, all.layerDropout) = (0.3, 0.2, 0.3)
    (all.outputDropout, all.recurrentDropout) = (0.4, 0.3)
    (all.activationPenalty, all.temporalPenalty) = (0.5, 0.7)
    return all
  }

  private let window: Window = {
    let tokens = randomTokens(2 * 6 + 2, classes: 5, seed: 22)
    return Streams(TokenSequence(tokens), batch: 2).window(0..<6)
  }()

  /// Two layers of 7 and, tied to an embedding of that size, 4 units.
  private func model(_ regularisation: Regularisation?, dropout: Float = 0) throws -> Model {
    let configuration = ModelConfiguration(
      layers: 2, hiddenSize: 7, embeddingSize: 4, tied: true, dropout: dropout,
      regularisation: regularisation)
    return try #require(
      try configuration.validated().model(vocabularySize: 5, seed: 3) as? Model)
  }

  @Test func actsInTrainingOnly() throws {
    let (plain, regularised) = (try model(nil), try model(Self.all))
    func inferred(_ model: Model) -> Float {
      model.loss(window, from: nil, skipping: 0, mode: .inference).loss.item
    }
    #expect(inferred(regularised) == inferred(plain))
    let inference = regularised.penalisedLoss(window, from: nil, skipping: 0, mode: .inference)
    #expect(inference.penalty == nil)
  }

  /// Each rate and each penalty on its own changes what training sees.
  @Test(arguments: [
    \Regularisation.embeddingDropout, \.inputDropout, \.layerDropout, \.outputDropout,
    \.recurrentDropout, \.activationPenalty, \.temporalPenalty,
  ]) func everyPartActs(part: WritableKeyPath<Regularisation, Float> & Sendable) throws {
    func objective(_ regularisation: Regularisation?) throws -> Float {
      let (loss, penalty, _) = try model(regularisation).penalisedLoss(
        window, from: nil, skipping: 0, mode: .training(Self.generator))
      return loss.item + (penalty?.item ?? 0)
    }
    var one = Regularisation()
    one[keyPath: part] = 0.5
    #expect(try objective(one) != objective(nil))
  }

  /// With everything on and the masks of one step; the differences are of fourth order, and the
  /// losses, of size 2, are rounded to 2⁻²³: 10⁻⁵ is their part.
  @Test(arguments: [0, 2]) func gradientsMatchFiniteDifferences(skipped: Int) throws {
    let model = try model(Self.all, dropout: 0.2)
    func objective() -> Tensor {
      let (loss, penalty, _) = model.penalisedLoss(
        window, from: nil, skipping: skipped, mode: .training(Self.generator))
      return penalty.map { loss + $0 } ?? loss
    }
    let gradients = objective().backward()
    for (name, parameter) in model.parameters {
      let value = parameter.value
      let found = try #require(gradients[parameter]).values
      for index in stride(from: 0, to: value.count, by: 3) {
        func moved(by step: Float) -> Double {
          var values = value.values
          values[index] += step
          parameter.value = Tensor(values, shape: value.shape)
          return withoutGradients { Double(objective().item) }
        }
        let h: Float = 1 / 64
        let near = moved(by: h) - moved(by: -h)
        let far = moved(by: 2 * h) - moved(by: -2 * h)
        let expected = (8 * near - far) / Double(12 * h)
        #expect(abs(Double(found[index]) - expected) < 5e-5, "\(name)[\(index)]")
      }
      parameter.value = value
    }
  }

  /// α·mean(y²) + β·mean((h_{t+1} − h_t)²), by hand.
  @Test func penaltiesAreTheirEquations() throws {
    var regularisation = Regularisation()
    let outputs = Tensor([1, 2, 4, -1, 3, 3], shape: [3, 1, 2])
    let dropped = Tensor([2, 0, 0, -2, 6, 0], shape: [3, 1, 2])
    #expect(regularisation.penalty(outputs: outputs, dropped: dropped) == nil)
    regularisation.activationPenalty = 0.5
    // (4 + 4 + 36) / 6 / 2
    let activation = try #require(regularisation.penalty(outputs: outputs, dropped: dropped))
    #expect(abs(activation.item - 11 / 3) < 1e-6)
    regularisation.temporalPenalty = 2
    // (9 + 9 + 1 + 16) / 4 · 2
    let both = try #require(regularisation.penalty(outputs: outputs, dropped: dropped))
    #expect(abs(both.item - (11 / 3 + 17.5)) < 1e-5)
  }

  @Test func theReportedLossHasNoPenalty() throws {
    var penalties = Regularisation()
    (penalties.activationPenalty, penalties.temporalPenalty) = (3, 3)
    let streams = Streams(TokenSequence(randomTokens(14, classes: 5, seed: 22)), batch: 2)
    func result(_ regularisation: Regularisation?) throws -> (loss: Float, norm: Double) {
      let model = try model(regularisation)
      let result = TruncatedBPTT(window: 6).gradients(
        of: model, on: streams, update: 0, from: nil, mode: .training(Self.generator))
      return (result.loss, result.gradients.norm(over: model.parameters))
    }
    let (plain, penalised) = (try result(nil), try result(penalties))
    #expect(plain.loss == penalised.loss)
    #expect(plain.norm != penalised.norm)
  }

  /// With practically every type dropped, the core reads zeros, and the readout is whole.
  @Test func embeddingDropoutLeavesATiedReadoutAlone() throws {
    var regularisation = Regularisation()
    regularisation.embeddingDropout = 0.9999
    let model = try model(regularisation)
    let found = model.loss(window, from: nil, skipping: 0, mode: .training(Self.generator)).loss
    let (hidden, _) = unfold(model.core, over: Tensor(zeros: [6, 2, 4]))
    let bias = try #require(model.parameters.first { $0.name == "decoder.bias" }).parameter
    let logits = hidden.times(model.embedding.transposed) + bias.broadcast
    #expect(abs(found.item - logits.crossEntropy(window.targets).item) < 1e-6)
    let untouched = model.loss(window, from: nil, skipping: 0, mode: .inference).loss
    #expect(abs(found.item - untouched.item) > 1e-5)
  }

  /// As AWD-LSTM: the layers between are wide, the last is as wide as the embedding.
  @Test(arguments: CellKind.allCases, [1, 2, 3]) func aTiedModelEndsInTheEmbeddingsSize(
    cell: CellKind, layers: Int
  ) throws {
    let configuration = try ModelConfiguration(
      cell: cell, layers: layers, hiddenSize: layers == 1 ? 4 : 9, embeddingSize: 4, tied: true
    ).validated()
    let model = configuration.model(vocabularySize: 11, seed: 1)
    #expect(model.parameterCount == configuration.parameterCount(vocabularySize: 11))
    #expect(!model.parameters.contains { $0.name == "decoder.weight" })
    let recurrent = model.parameters.filter { $0.name.contains("weight_hh") }
    #expect(recurrent.map { $0.parameter.shape[1] } == Array([9, 9, 4].suffix(layers)))
    let loss = model.crossEntropy(of: randomTokens(50, classes: 11, seed: 2), streams: 1) { _ in }
    #expect(loss.nats.isFinite)
  }

  @Test func illegalSettingsAreRefused() {
    for (path, value) in [
      (\Regularisation.layerDropout, 1), (\.embeddingDropout, -0.1), (\.recurrentDropout, .nan),
      (\.activationPenalty, -1), (\.temporalPenalty, .infinity),
    ] as [(WritableKeyPath<Regularisation, Float>, Float)] {
      var regularisation = Regularisation()
      regularisation[keyPath: path] = value
      #expect(throws: SettingError.self) { try regularisation.validated() }
    }
    #expect(throws: SettingError.self) {
      try ModelConfiguration(layers: 1, hiddenSize: 9, embeddingSize: 4, tied: true).validated()
    }
  }
}
