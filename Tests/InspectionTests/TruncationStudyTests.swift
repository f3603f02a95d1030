import Foundation
import Inspection
import Language
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct TruncationStudyTests {
  private func model(recurrent: Initialiser) -> RecurrentLanguageModel<Stack<ElmanCell>> {
    var generator = Philox(seed: 1)
    let cell = ElmanCell(
      inputSize: 6, hiddenSize: 8,
      initialiser: CellInitialiser(input: .glorotUniform, recurrent: recurrent), using: &generator)
    return RecurrentLanguageModel(
      vocabularySize: 7, embeddingSize: 6, hiddenSize: 8, core: Stack([cell]), coreName: "rnn",
      seed: 2)
  }

  private var tokens: TokenSequence {
    var generator = Philox(seed: 3)
    return TokenSequence((0..<2000).map { _ in Int32(generator.next() % 7) })
  }

  private var settings: TruncationSettings {
    var settings = TruncationSettings()
    (settings.steps, settings.batch, settings.samples) = (32, 4, 6)
    return settings
  }

  @Test func nothingIsCutAtTheWholeLength() throws {
    let study = try model(recurrent: .orthogonal(gain: 1)).truncationStudy(on: tokens, settings)
    #expect(study.points.map(\.window) == [1, 2, 4, 8, 16, 32])
    let last = try #require(study.points.last)
    #expect(abs(last.cosine - 1) < 1e-6)
    #expect(abs(last.relativeNorm - 1) < 1e-6)
    #expect(last.bias == 0)
    #expect(last.deviation > 0)
    let cosines = study.points.map(\.cosine)
    #expect(cosines[0] < 0.999)
    #expect(zip(cosines, cosines.dropFirst()).allSatisfy { $0 <= $1 + 1e-3 })
  }

  @Test func withoutARecurrenceNothingIsLost() throws {
    let study = try model(recurrent: .zeros).truncationStudy(on: tokens, settings)
    // The recurrent matrix itself has a gradient for the state before, which a cut of 1 takes away.
    for point in study.points.dropFirst() { #expect(point.cosine > 0.95) }
  }

  @Test func theCosineIsThatOfTheGradients() throws {
    // One pair of samples, worked out by plain vectors.
    let model = model(recurrent: .orthogonal(gain: 1))
    var settings = settings
    (settings.steps, settings.batch, settings.samples) = (16, 1, 2)
    let tokens = TokenSequence(rebasing: tokens.prefix(33))
    let study = try model.truncationStudy(on: tokens, settings)
    var state: [Tensor]?
    var vectors: [(cut: [Double], full: [Double])] = []
    for sample in 0..<2 {
      let streams = Streams(tokens, batch: 1)
      let window = streams.window(sample * 16..<(sample + 1) * 16)
      func gradient(_ length: Int) -> [Double] {
        let inputs = model.embedding.tensor.gathering(window.inputs, leading: [16, 1])
        let outputs = unfold(model.core, over: inputs, from: state, truncatedEvery: length).outputs
        let (weight, bias) = (model.readout.parameters[0], model.readout.parameters[1])
        let logits = outputs.times(weight.parameter.transposed) + bias.parameter.broadcast
        let gradients = logits.crossEntropy(window.targets).backward()
        return model.parameters.flatMap { entry in
          (gradients[entry.parameter]?.values ?? []).map(Double.init)
        }
      }
      vectors.append((gradient(4), gradient(16)))
      state = model.hidden(window, from: state, mode: .inference).state.map(\.detached)
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let cosine =
      vectors.reduce(0) {
        $0 + dot($1.cut, $1.full) / (dot($1.cut, $1.cut) * dot($1.full, $1.full)).squareRoot()
      } / 2
    // E‖g_k − E g_k‖² of two samples is half the square of their difference.
    let difference = zip(vectors[0].cut, vectors[1].cut).map { $0 - $1 }
    let scale = vectors.reduce(0) { $0 + dot($1.full, $1.full) } / 2
    // ‖E d‖² of two without bias is d₁·d₂.
    let d = vectors.map { pair in zip(pair.cut, pair.full).map { $0 - $1 } }
    let point = try #require(study.points.first { $0.window == 4 })
    #expect(abs(point.cosine - cosine) < 1e-5)
    #expect(abs(point.deviation - (dot(difference, difference) / 2 / scale).squareRoot()) < 1e-5)
    #expect(abs(point.bias - (max(0, dot(d[0], d[1])) / scale).squareRoot()) < 1e-4)
  }

  @Test func aTextThatIsTooShortIsRefused() {
    #expect(throws: CorpusError.self) {
      try model(recurrent: .zeros).truncationStudy(
        on: TokenSequence(rebasing: tokens.prefix(20)), settings)
    }
    #expect(throws: CorpusError.self) {
      try model(recurrent: .zeros).gradientFlow(
        on: TokenSequence(rebasing: tokens.prefix(20)), steps: 30)
    }
  }

  @Test func flowsOfAModelAgreeWithItsJacobians() throws {
    let flow = try model(recurrent: .orthogonal(gain: 1)).gradientFlow(on: tokens, steps: 30)
    #expect(flow.sequences == 8)
    #expect(flow.agreement.largest < 1e-4)
    #expect(flow.overflow == nil)
    #expect(flow.measured.count == 30 && flow.product.count == 30)
  }
}
