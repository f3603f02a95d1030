import Foundation
import Language
import Learning
import Recurrence
import Tensors
import Testing

/// Two windows of truncated BPTT with carried state, clipping and SGD, as PyTorch did them.
@Suite struct LanguageModelPyTorchTests {
  private struct Fixture: Decodable {
    struct Step: Decodable {
      let lossNats, perplexity, gradientNorm: Double
      let clipNorm, learningRate: Float
      let gradients, weightsAfter: [String: SavedTensor]
      let hAfter, cAfter: SavedTensor

      enum CodingKeys: String, CodingKey {
        case perplexity, gradients
        case lossNats = "loss_nats"
        case gradientNorm = "gradient_norm"
        case clipNorm = "clip_norm"
        case learningRate = "learning_rate"
        case weightsAfter = "weights_after"
        case hAfter = "h_after"
        case cAfter = "c_after"
      }
    }
    let tokens: [[Int32]]
    let window, batch, vocabulary: Int
    let weights: [String: SavedTensor]
    let windows: [Step]
  }

  @Test func twoWindowsEqualPyTorchs() throws {
    let fixture: Fixture = try fixture("language_model")
    let configuration = ModelConfiguration(cell: .lstm, layers: 2, hiddenSize: 5)
    let model = try #require(
      configuration.model(vocabularySize: fixture.vocabulary, seed: nil)
        as? RecurrentLanguageModel<Stack<LSTMCell>>)
    #expect(Set(model.parameters.map(\.name)) == Set(fixture.weights.keys))
    for (name, parameter) in model.parameters {
      parameter.value = try #require(fixture.weights[name]).tensor
    }
    // Row by row, the tokens of a step; the last row of a window's targets begins the next window.
    let windows = fixture.windows.indices.map { index in
      let start = index * fixture.window
      let rows = fixture.tokens[start...start + fixture.window]
      return Window(
        steps: fixture.window, batch: fixture.batch, inputs: Array(rows.dropLast().joined()),
        targets: Array(rows.dropFirst().joined()))
    }
    let optimiser = try Optimiser(OptimiserConfiguration(.sgd), parameters: model.parameters)
    var state: [LSTMState]?
    for (window, expected) in zip(windows, fixture.windows) {
      let (loss, last) = model.loss(
        window, from: state, skipping: 0, mode: .training(Philox(seed: 1)))
      #expect(abs(Double(loss.item) - expected.lossNats) < 1e-5)
      let perplexity = CrossEntropy(totalNats: Double(loss.item), tokens: 1).perplexity
      #expect(abs(perplexity / expected.perplexity - 1) < 1e-5)
      var gradients = loss.backward()
      for (name, parameter) in model.parameters {
        let gradient = try #require(gradients[parameter])
        let reference = try #require(expected.gradients[name]).tensor
        let largest = reference.values.map(abs).max() ?? 0
        #expect(largestDifference(gradient, reference) < 1e-4 * largest, "\(name)")
      }
      let outcome = Clipping(maximumNorm: expected.clipNorm)
        .clip(&gradients, of: model.parameters)
      #expect(abs(outcome.norm / expected.gradientNorm - 1) < 1e-5)
      #expect(outcome.clippedNorm == (expected.gradientNorm > Double(expected.clipNorm)))
      optimiser.update(
        with: gradients, learningRate: expected.learningRate, gradientScale: outcome.scale)
      for (name, parameter) in model.parameters {
        let reference = try #require(expected.weightsAfter[name]).tensor
        #expect(largestDifference(parameter.value, reference) < 1e-5, "\(name)")
      }
      #expect(largestDifference(stacked(last.map(\.h)), expected.hAfter.tensor) < 1e-5)
      #expect(largestDifference(stacked(last.map(\.c)), expected.cAfter.tensor) < 1e-5)
      state = last.detached
    }
  }
}
