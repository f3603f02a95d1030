import Foundation
import Learning
import Tensors
import Testing

/// Settings whose every update rule and option is in use.
let optimiserConfigurations: [OptimiserConfiguration] = {
  var all = OptimiserConfiguration.Method.allCases.map { OptimiserConfiguration($0) }
  var nesterov = OptimiserConfiguration(.momentum)
  nesterov.nesterov = true
  all.append(nesterov)
  let decayed = all.map { configuration in
    var configuration = configuration
    configuration.weightDecay = 0.05
    return configuration
  }
  return all + decayed
}()

@Suite struct OptimiserTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      var optimiser: String
      var start: SavedTensor
      var steps: [Step]
    }
    struct Step: Decodable {
      var gradient: SavedTensor
      var after: SavedTensor
    }
    var cases: [Case]
  }

  /// The configuration and the learning rate of a case, from the fixture's `settings`.
  private func settings(_ name: String) throws -> (OptimiserConfiguration, Float) {
    switch name {
    case "sgd": return (OptimiserConfiguration(.sgd), 0.1)
    case "sgd_momentum": return (OptimiserConfiguration(.momentum), 0.1)
    case "sgd_nesterov_decay":
      var configuration = OptimiserConfiguration(.momentum)
      configuration.nesterov = true
      configuration.weightDecay = 0.01
      return (configuration, 0.1)
    case "adam": return (OptimiserConfiguration(.adam), 0.01)
    case "adamw":
      var configuration = OptimiserConfiguration(.adamw)
      configuration.weightDecay = 0.1
      return (configuration, 0.01)
    case "rmsprop":
      var configuration = OptimiserConfiguration(.rmsprop)
      configuration.alpha = 0.95
      return (configuration, 0.01)
    case "adagrad": return (OptimiserConfiguration(.adagrad), 0.1)
    default: throw CocoaError(.fileReadCorruptFile)
    }
  }

  /// Weights are about 1, so 1e-6 is a few rounding errors of Float32.
  @Test(arguments: [1, 5]) func weightsEqualPyTorchs(copies: Int) throws {
    let fixture: Fixture = try fixture("optimisers")
    #expect(fixture.cases.count == 7)
    for one in fixture.cases {
      let (configuration, rate) = try settings(one.optimiser)
      // 7 numbers are a vector's tail; 35 are vectors and a tail.
      let repeated = { (saved: SavedTensor) in
        Tensor(Array(repeatElement(saved.values, count: copies).joined()), shape: [copies, 7])
      }
      let w = Parameter(repeated(one.start))
      let optimiser = try Optimiser(configuration, parameters: [("w", w)])
      for (index, step) in one.steps.enumerated() {
        optimiser.update(with: gradients([(w, repeated(step.gradient))]), learningRate: rate)
        let difference = largestDifference(w.value.values, repeated(step.after).values)
        #expect(difference < 1e-6, "\(one.optimiser), step \(index + 1)")
      }
    }
  }

  /// PyTorch forms 1 − β in double precision; in Float 1 − 0.999 would be off by 2e-6, 17 times the
  /// rounding of a Float. Two roundings are allowed.
  @Test func momentsOfTheFirstStepAreExactToFloatRounding() throws {
    for method in [OptimiserConfiguration.Method.adam, .adamw, .rmsprop] {
      let w = Parameter(normalNoise([99], seed: 1))
      let optimiser = try Optimiser(OptimiserConfiguration(method), parameters: [("w", w)])
      let g = normalNoise([99], seed: 2)
      let start = w.value.values
      optimiser.update(with: gradients([(w, g)]), learningRate: 0.25)
      let squares = try #require(optimiser.state.last?.tensor)
      for (v, g) in zip(squares.values, g.values.map(Double.init)) {
        let expected = (method == .rmsprop ? 1 - 0.99 : 1 - 0.999) * g * g
        #expect(abs(Double(v) / expected - 1) < 2 * 0x1p-23)
      }
      // Corrected, they are the gradient's own, and Adam's first step is the rate itself.
      guard method == .adam else { continue }
      for (index, g) in g.values.map(Double.init).enumerated() {
        let expected = Double(start[index]) - 0.25 * g / (abs(g) + 1e-8)
        #expect(abs(Double(w.value.values[index]) - expected) < 4 * 0x1p-23)
      }
    }
  }

  /// The equations of `Optimiser`, number by number in double precision.
  private struct Reference {
    var w: Double
    var first = 0.0
    var second = 0.0
    var t = 0.0

    mutating func step(
      _ gradient: Double, _ c: OptimiserConfiguration, rate: Double, scale: Double
    ) {
      t += 1
      let (decay, eps) = (c.weightDecay, c.eps)
      let (beta1, beta2) = (c.beta1, c.beta2)
      var g = gradient * scale
      if c.method == .adamw { w -= rate * decay * w } else { g += decay * w }
      switch c.method {
      case .sgd: w -= rate * g
      case .momentum:
        first = c.momentum * first + g
        w -= rate * (c.nesterov ? g + c.momentum * first : first)
      case .adam, .adamw:
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g * g
        let corrected = (first / (1 - pow(beta1, t)), second / (1 - pow(beta2, t)))
        w -= rate * corrected.0 / (corrected.1.squareRoot() + eps)
      case .rmsprop:
        first = c.alpha * first + (1 - c.alpha) * g * g
        w -= rate * g / (first.squareRoot() + eps)
      case .adagrad:
        first += g * g
        w -= rate * g / (first.squareRoot() + eps)
      }
    }
  }

  /// Several chunks for the threads, with a tail. Weights are below 8, their rounding 2.4e-7 a step;
  /// where decay nearly cancels a gradient, dividing by its root mean square magnifies rounding.
  @Test(arguments: optimiserConfigurations) func equalsPlainLoops(
    _ configuration: OptimiserConfiguration
  )
    throws
  {
    let shape: Shape = [70_001]
    let start = normalNoise(shape, seed: 1)
    let w = Parameter(start)
    let optimiser = try Optimiser(configuration, parameters: [("w", w)])
    var expected = start.values.map { Reference(w: Double($0)) }
    for step in 0..<4 {
      let gradient = normalNoise(shape, seed: UInt64(2 + step))
      optimiser.update(
        with: gradients([(w, gradient)]), learningRate: 0.03125, gradientScale: 0.75)
      for (index, value) in gradient.values.enumerated() {
        expected[index].step(Double(value), configuration, rate: 0.03125, scale: 0.75)
      }
    }
    #expect(largestDifference(w.value.values, expected.map { Float($0.w) }) < 5e-6)
  }

  @Test(arguments: optimiserConfigurations) func leavesParametersWithoutGradientAlone(
    _ configuration: OptimiserConfiguration
  ) throws {
    let (a, b) = (Parameter(normalNoise([5], seed: 1)), Parameter(normalNoise([5], seed: 1)))
    let optimiser = try Optimiser(configuration, parameters: [("a", a), ("b", b)])
    let g = normalNoise([5], seed: 2)
    let start = b.value.values
    optimiser.update(with: gradients([(a, g)]), learningRate: 0.1)
    #expect(b.value.values == start)
    // b's first step is now what a's was: it doesn't count the step that it didn't take.
    let afterOne = a.value.values
    optimiser.update(with: gradients([(b, g)]), learningRate: 0.1)
    #expect(a.value.values == afterOne)
    #expect(b.value.values == afterOne)
    #expect(optimiser.stepCount == 2)
  }

  @Test(arguments: optimiserConfigurations) func changesWeightsAndMomentsInPlace(
    _ configuration: OptimiserConfiguration
  ) throws {
    let w = Parameter(normalNoise([40_000], seed: 1))
    let optimiser = try Optimiser(configuration, parameters: [("w", w)])
    func addresses() -> [UnsafePointer<Float>?] {
      let moments = optimiser.state.map(\.tensor).filter { $0.count > 1 }
      return ([w.value] + moments).map { $0.withValues(\.baseAddress) }
    }
    optimiser.update(with: gradients([(w, normalNoise([40_000], seed: 2))]), learningRate: 0.1)
    let before = addresses()
    optimiser.update(with: gradients([(w, normalNoise([40_000], seed: 3))]), learningRate: 0.1)
    #expect(addresses() == before)
  }

  @Test(arguments: optimiserConfigurations) func continuesAfterRestoringAsIfNothingHadHappened(
    _ configuration: OptimiserConfiguration
  ) throws {
    let shapes: [Shape] = [[3, 7], [33_000], []]
    let parameters = shapes.enumerated().map {
      (name: "p\($0)", parameter: Parameter(normalNoise($1, seed: UInt64($0))))
    }
    func step(
      _ optimiser: Optimiser, _ parameters: [(name: String, parameter: Parameter)], _ t: Int
    ) {
      let pairs = parameters.enumerated().map { index, entry in
        (entry.parameter, normalNoise(shapes[index], seed: UInt64(10 * t + index)))
      }
      optimiser.update(with: gradients(pairs), learningRate: 0.01)
    }
    let optimiser = try Optimiser(configuration, parameters: parameters)
    for t in 1...3 { step(optimiser, parameters, t) }
    let saved = optimiser.state
    let copies = parameters.map { (name: $0.name, parameter: Parameter($0.parameter.value)) }
    for t in 4...6 { step(optimiser, parameters, t) }

    let second = try Optimiser(configuration, parameters: copies)
    try second.restore(saved.reversed(), stepCount: 3)
    for t in 4...6 { step(second, copies, t) }
    #expect(second.stepCount == optimiser.stepCount)
    for (a, b) in zip(parameters, copies) {
      let same = a.parameter.value.values == b.parameter.value.values
      #expect(same)
    }
    for (a, b) in zip(optimiser.state, second.state) {
      #expect(a.name == b.name)
      let same = a.tensor.values == b.tensor.values
      #expect(same)
    }
  }

  @Test func stateHasPyTorchsNames() throws {
    let names: [OptimiserConfiguration.Method: [String]] = [
      .sgd: [], .momentum: ["momentum_buffer.w"],
      .adam: ["step.w", "exp_avg.w", "exp_avg_sq.w"],
      .adamw: ["step.w", "exp_avg.w", "exp_avg_sq.w"], .rmsprop: ["square_avg.w"],
      .adagrad: ["sum.w"],
    ]
    for method in OptimiserConfiguration.Method.allCases {
      let optimiser = try Optimiser(
        OptimiserConfiguration(method), parameters: [("w", Parameter(Tensor(zeros: [2])))])
      #expect(optimiser.state.map(\.name) == names[method])
    }
  }

  @Test func rejectsStatesOfAnotherOptimiser() throws {
    let w = Parameter(Tensor(zeros: [2]))
    let optimiser = try Optimiser(OptimiserConfiguration(.adam), parameters: [("w", w)])
    optimiser.update(with: gradients([(w, Tensor([1, 2], shape: [2]))]), learningRate: 0.1)
    let good = optimiser.state
    let before = good.map(\.tensor.values)
    func rejected(
      _ state: [(name: String, tensor: Tensor)], stepCount: Int = 1, _ error: OptimiserStateError,
      _ sentence: String
    ) {
      #expect(throws: error) { try optimiser.restore(state, stepCount: stepCount) }
      #expect(error.description == sentence)
    }
    rejected(
      Array(good.dropLast()), .missing("exp_avg_sq.w"),
      "the optimiser's saved state lacks “exp_avg_sq.w”")
    rejected(
      good + [("sum.w", Tensor(1))], .unexpected("sum.w"),
      "the optimiser's saved state has “sum.w”, which this optimiser doesn't have, or has it twice")
    rejected(
      good + [good[0]], .unexpected("step.w"),
      "the optimiser's saved state has “step.w”, which this optimiser doesn't have, or has it twice"
    )
    rejected(
      good.dropLast() + [("exp_avg_sq.w", Tensor(zeros: [3]))],
      .shape("exp_avg_sq.w", expected: [2], found: [3]),
      "“exp_avg_sq.w” of the optimiser's saved state must have shape [2], not [3]")
    for wrong: Float in [-1, 0.5, .nan, .infinity] {
      rejected(
        [("step.w", Tensor(wrong))] + good.dropFirst(), .count("step.w", found: "\(wrong)"),
        "“step.w” of the optimiser's saved state must be a whole number from 0 up, not \(wrong)")
    }
    rejected(
      good, stepCount: -1, .count("stepCount", found: "-1"),
      "“stepCount” of the optimiser's saved state must be a whole number from 0 up, not -1")
    #expect(optimiser.state.map(\.tensor.values) == before)
    #expect(optimiser.stepCount == 1)
  }
}
