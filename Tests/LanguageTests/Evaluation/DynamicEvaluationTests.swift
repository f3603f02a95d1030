import Foundation
import Language
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct DynamicEvaluationTests {
  private let tokens = randomTokens(200, classes: 11, seed: 2)

  @Test(arguments: DynamicEvaluation.Method.allCases)
  func withoutARateNothingChanges(method: DynamicEvaluation.Method) {
    let model = smallModel(vocabularySize: 11)
    var dynamic = DynamicEvaluation(method, rate: 0, decay: 0.5, segment: 7)
    dynamic.statisticsText = TokenSequence(tokens)
    let found = Evaluation(dynamic: dynamic).logProbabilities(of: tokens, by: model)
    let plain = model.logProbabilities(of: tokens)
    #expect(found.count == plain.count)
    #expect(zip(found, plain).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: DynamicEvaluation.Method.allCases)
  func theModelStaysAsItWas(method: DynamicEvaluation.Method) {
    let model = smallModel(vocabularySize: 11, tied: true)
    let before = model.parameters.map { $0.parameter.value.values }
    var dynamic = DynamicEvaluation(method)
    dynamic.statisticsText = TokenSequence(tokens)
    _ = Evaluation(dynamic: dynamic).crossEntropy(of: tokens, by: model)
    #expect(model.parameters.map { $0.parameter.value.values } == before)
  }

  /// Two steps by hand: gradients from the model's loss, the rule written out number by number.
  @Test(arguments: DynamicEvaluation.Method.allCases, [true, false])
  func weightsFollowTheRule(method: DynamicEvaluation.Method, tied: Bool) throws {
    let model = smallModel(vocabularySize: 11, tied: tied)
    let text = Array(tokens.prefix(31))
    var dynamic = DynamicEvaluation(method, rate: 0.01, decay: 0.1, segment: 10, epsilon: 0.01)
    dynamic.statisticsText = TokenSequence(Array(tokens.prefix(12)))
    let found = Evaluation(dynamic: dynamic).logProbabilities(of: text, by: model)
    let expected = steps(model, text, dynamic)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    let plain = model.logProbabilities(of: text)
    #expect(zip(found[..<10], plain).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(zip(found[10...], plain[10...]).contains { abs($0 - $1) > 1e-3 })
  }

  private func steps<Model: RecurrentModel>(
    _ model: Model, _ text: [Int32], _ dynamic: DynamicEvaluation
  ) -> [Double] {
    let trained = model.parameters.map { $0.parameter.value.values }
    defer {
      for (entry, values) in zip(model.parameters, trained) {
        entry.parameter.value = Tensor(values, shape: entry.parameter.shape)
      }
    }
    func window(_ text: ArraySlice<Int32>) -> Window {
      Window(
        steps: text.count - 1, batch: 1, inputs: Array(text.dropLast()),
        targets: Array(text.dropFirst()))
    }
    // One stream of one window: what the statistics are taken from.
    let statistics = model.loss(
      window(dynamic.statisticsText.values(in: 0..<11)[...]), from: nil, skipping: 0,
      mode: .inference
    ).loss.backward()
    let roots = model.parameters.map { entry in
      statistics[entry.parameter]?.values.map { abs(Double($0)) }
        ?? [Double](repeating: 0, count: entry.parameter.shape.count)
    }
    let mean = roots.joined().reduce(0, +) / Double(roots.joined().count)
    var found: [Double] = []
    var state: Model.State?
    for start in stride(from: 0, to: text.count - 1, by: 10) {
      let part = text[start...min(start + 10, text.count - 1)]
      // Token by token, so that each has a loss of its own.
      var single = state
      for place in part.indices.dropLast() {
        let (loss, next) = model.loss(
          window(part[place...place + 1]), from: single, skipping: 0, mode: .inference)
        found.append(-Double(loss.item))
        single = next
      }
      let (loss, last) = model.loss(window(part), from: state, skipping: 0, mode: .inference)
      let gradients = loss.backward()
      state = last.detached
      for (index, entry) in model.parameters.enumerated() {
        let values = entry.parameter.value.values
        let g = gradients[entry.parameter]?.values ?? values.map { _ in 0 }
        let changed = values.indices.map { i -> Float in
          let pull = Double(trained[index][i] - values[i])
          if dynamic.method == .sgd {
            return Float(Double(values[i]) - dynamic.rate * Double(g[i]) + dynamic.decay * pull)
          }
          let root = roots[index][i]
          return Float(
            Double(values[i]) - dynamic.rate * Double(g[i]) / (root + dynamic.epsilon)
              + min(dynamic.decay * root / mean, 1) * pull)
        }
        entry.parameter.value = Tensor(changed, shape: entry.parameter.shape)
      }
    }
    return found
  }

  @Test func aTextThatRepeatsItselfBecomesEasier() {
    let model = smallModel(vocabularySize: 11)
    let repeated = (0..<20).flatMap { _ in randomTokens(20, classes: 11, seed: 9) }
    let plain = Evaluation().crossEntropy(of: repeated, by: model)
    let dynamic = DynamicEvaluation(.sgd, rate: 0.5, decay: 0)
    let found = Evaluation(dynamic: dynamic).crossEntropy(of: repeated, by: model)
    #expect(found.nats < plain.nats - 0.1)
    let both = Evaluation(dynamic: dynamic, cache: ContinuousCache(theta: 0, lambda: 0.2))
    #expect(both.crossEntropy(of: repeated, by: model).tokens == plain.tokens)
  }

  @Test func settingsAreRead() throws {
    for method in DynamicEvaluation.Method.allCases {
      let dynamic = DynamicEvaluation(method, rate: 0.25, decay: 0.5, segment: 3, epsilon: 0.002)
      #expect(try DynamicEvaluation(dynamic.description) == dynamic)
      #expect(try DynamicEvaluation(method.rawValue) == DynamicEvaluation(method))
    }
    for text in ["", "adam", "sgd:rate=-1", "sgd:decay=2", "sgd:segment=0", "sgd:epsilon=1"] {
      #expect(throws: SettingError.self) { try DynamicEvaluation(text) }
    }
  }

  @Test func ofALongTextOnlyTheBeginningIsTunedOn() {
    let model = smallModel(vocabularySize: 11)
    let tuning = EvaluationTuning(model, on: TokenSequence(tokens), tokensForCache: 100)
    let short = EvaluationTuning(model, on: TokenSequence(Array(tokens.prefix(100))))
    let start = Evaluation(cache: ContinuousCache(theta: 0))
    let (found, expected) = (tuning.best(from: start), short.best(from: start))
    #expect(found.result == expected.result && found.result.tokens == 99)
    #expect(found.evaluation == expected.evaluation)
  }

  @Test func aTunedEvaluationIsNoWorseAndCanBeKept() throws {
    let model = smallModel(vocabularySize: 11)
    let repeated = (0..<20).flatMap { _ in randomTokens(20, classes: 11, seed: 9) }
    let start = Evaluation(
      dynamic: DynamicEvaluation(.sgd, rate: 0.01, decay: 0.1), cache: ContinuousCache())
    var trials = 0
    let tuning = EvaluationTuning(
      model, on: TokenSequence(repeated), report: { _ in trials += 1 })
    let best = tuning.best(from: start)
    #expect(trials > EvaluationTuning.windows.count * EvaluationTuning.thetas.count + 2)
    let measured = best.evaluation.crossEntropy(of: repeated, by: model)
    #expect(abs(measured.totalNats / best.result.totalNats - 1) < 1e-6)
    #expect(measured.nats < start.crossEntropy(of: repeated, by: model).nats)
    // λ is where the likelihood is largest: not worse than its neighbours.
    let lambda = try #require(best.evaluation.cache).lambda
    for lambda in [lambda - 0.02, lambda + 0.02] where (0..<1).contains(lambda) {
      var other = best.evaluation
      other.cache?.lambda = lambda
      #expect(other.crossEntropy(of: repeated, by: model).nats >= measured.nats - 1e-9)
    }
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "settings.json")
      try best.evaluation.write(to: file)
      #expect(try Evaluation(contentsOf: file) == best.evaluation)
      for (text, reason) in [
        ("", nil), ("{}", nil), (#"{"dynamic": 3}"#, nil),
        (#"{"cache": "none"}"#, "there is no cache “none”, only continuous, unigram"),
        (
          #"{"dynamic": "sgd:rate=-1"}"#,
          "rate must be at least 0 and finite, not “-1”"
        ),
      ] as [(String, String?)] {
        try Data(text.utf8).write(to: file)
        #expect(throws: EvaluationError.damagedSettings(file: file.path, reason: reason)) {
          try Evaluation(contentsOf: file)
        }
      }
    }
  }
}
