import Inspection
import Language
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct GradientAgreementTests {
  @Test func saysHowFarBackItHolds() {
    let found = GradientAgreement(
      sizes: [1, 1e-2, 1e-4, 1e-6, 1e-31], differences: [0, 1e-6, 5e-5, 4e-4, 9],
      ofOneStep: [0, 1e-6, 2e-6, 3e-6, 9])
    #expect(found.lags == 5 && found.compared == 4 && found.agreeing == 3)
    #expect(found.largest == 4e-4 && found.largestOfOneStep == 3e-6)
    for part in ["up to 3 steps back", "4.00·10⁻⁴", "Float32’s rounding", "3.00·10⁻⁶"] {
      #expect(found.finding.contains(part), "\(found.finding)")
    }
  }

  @Test func saysWhenItHoldsAllTheWay() {
    let found = GradientAgreement(
      sizes: [1, 2, 4], differences: [0, 1e-7, 2e-7], ofOneStep: [0, 1e-7, 1e-7])
    #expect(found.agreeing == 3)
    #expect(found.finding.contains("at most 2.00·10⁻⁷ of the norm that is left, over all 3 steps"))
  }

  /// A wrong Jacobian can't be put down to rounding.
  @Test func aStepThatIsWrongIsNamed() {
    let found = GradientAgreement(
      sizes: [1, 1, 1], differences: [0, 0.25, 0.5], ofOneStep: [0, 0.25, 0.25])
    #expect(found.agreeing == 1)
    #expect(found.finding.contains("Even a step by itself differs by up to 0.25"))
    #expect(!found.finding.contains("rounding"))
  }

  @Test func nothingIsNothing() {
    let nothing: [[Double]] = [[], [0, 0, 0], [.nan, 1]]
    for sizes in nothing {
      let zeros = sizes.map { _ in 0.0 }
      let found = GradientAgreement(sizes: sizes, differences: zeros, ofOneStep: zeros)
      #expect(found.compared == 0 && found.agreeing == 0)
      #expect(found.finding.hasPrefix("No gradient is left"))
    }
  }

  /// Two LSTM layers after some updates on a text that repeats: each step agrees with its Jacobian,
  /// however little is left of the gradient, and the report says how far the product does.
  @Test func aTrainedModelAgreesStepByStep() throws {
    var generator = Philox(seed: 1)
    let cells = [6, 8].map { LSTMCell(inputSize: $0, hiddenSize: 8, using: &generator) }
    let model = RecurrentLanguageModel(
      vocabularySize: 7, embeddingSize: 6, hiddenSize: 8, core: Stack(cells), coreName: "lstm",
      seed: 2)
    let tokens = TokenSequence((0..<4001).map { Int32($0 * $0 % 7) })
    let configuration = TrainingConfiguration(
      batch: 4, truncation: TruncatedBPTT(window: 20), optimiser: OptimiserConfiguration(.adam),
      learningRate: 0.01, epochs: 1)
    let trainer = try Trainer(
      model, configuration: configuration, training: tokens, evaluate: nil)
    let outcome = try trainer.run { _ in }
    #expect(outcome == .finished)
    let flow = try model.gradientFlow(on: tokens, steps: 200)
    let found = flow.agreement
    #expect(found.lags == 200 && found.compared > 20)
    #expect(found.agreeing >= 5, "\(found)")
    #expect(found.largestOfOneStep < 1e-4)
    #expect((found.largest > GradientAgreement.limit) == (found.agreeing < found.compared))
    #expect(found.finding.contains("of the norm that is left"))
  }
}
