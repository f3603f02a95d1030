import CKernels
import Testing

/// The optimisers of elementwise.h against PyTorch's equations in double precision, over three steps
/// so that the state that a step leaves behind is checked by the next, tails included.
///
/// The numbers are of size 1 and a step makes about ten roundings: 32 roundoffs over three steps.
@Suite struct UpdateKernelTests {
  private let tolerance = 32 * roundoff

  /// Parameters, gradients and states of n numbers, and the same in double precision.
  private struct Trial {
    let n: Int
    let gradients: [Float]
    var weights: [Float]
    var first: [Float]
    var second: [Float]
    var plain: [(w: Double, first: Double, second: Double)]

    init(n: Int) {
      self.n = n
      weights = randomFloats(n, seed: 1)
      gradients = randomFloats(n, in: 0.25...1, seed: 2)
      first = randomFloats(n, in: 0.25...1, seed: 3)
      second = randomFloats(n, in: 0.25...1, seed: 4)
      plain = (0..<n).map { [weights, first, second] in
        (Double(weights[$0]), Double(first[$0]), Double(second[$0]))
      }
    }
  }

  private func expectMatch(
    _ set: KernelSet,
    update: (inout Trial, UnsafeMutablePointer<Float>) -> Void,
    plain: (inout (w: Double, first: Double, second: Double), Double) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for n in set.raggedLengths where n < 100 {
      var trial = Trial(n: n)
      for _ in 0..<3 {
        var weights = trial.weights
        let untouched = leavesTheRest(of: &weights) { update(&trial, $0) }
        #expect(untouched, sourceLocation: sourceLocation)
        trial.weights = weights
        for index in 0..<n { plain(&trial.plain[index], Double(trial.gradients[index])) }
      }
      let worst = [
        worstRatio(trial.weights, trial.plain.map(\.w)) { _ in tolerance },
        worstRatio(trial.first, trial.plain.map(\.first)) { _ in tolerance },
        worstRatio(trial.second, trial.plain.map(\.second)) { _ in tolerance },
      ]
      #expect(worst.allSatisfy { $0 <= 1 }, "n = \(n)", sourceLocation: sourceLocation)
    }
  }

  /// Plain decay goes into the gradient (Adam), the other into the weight (AdamW). The factors are
  /// exact in both precisions; those of old and new needn't sum to 1, so that each is seen.
  @Test(arguments: KernelSet.all, [(l2: Float(0.125), factor: Float(1)), (0, 0.875)])
  func adamMatchesItsEquations(set: KernelSet, decay: (l2: Float, factor: Float)) {
    expectMatch(set) { trial, w in
      set.functions.adam(
        trial.n, w, trial.gradients, &trial.first, &trial.second, 0.125, 0.96875, 0.0625, 0.0625,
        0.75, 0.001, 0.5, decay.l2, decay.factor)
    } plain: { state, gradient in
      let d = 0.5 * gradient + Double(decay.l2) * state.w
      state.first = 0.875 * state.first + 0.125 * d
      state.second = 0.96875 * state.second + 0.0625 * d * d
      let root = state.second.squareRoot() / 0.75 + Double(Float(0.001))
      state.w = state.w * Double(decay.factor) - 0.0625 * state.first / root
    }
  }

  @Test(arguments: KernelSet.all)
  func plainDescentMatchesItsEquation(set: KernelSet) {
    expectMatch(set) { trial, w in
      set.functions.sgd(trial.n, w, trial.gradients, nil, 0.25, 0, 0, 1, 0.5, 0.125)
    } plain: { state, gradient in
      state.w -= 0.25 * (0.5 * gradient + 0.125 * state.w)
    }
  }

  @Test(arguments: KernelSet.all, [false, true])
  func momentumMatchesItsEquations(set: KernelSet, nesterov: Bool) {
    expectMatch(set) { trial, w in
      set.functions.sgd(
        trial.n, w, trial.gradients, &trial.first, 0.25, 0.75, nesterov ? 1 : 0, 0, 0.5, 0.125)
    } plain: { state, gradient in
      let d = 0.5 * gradient + 0.125 * state.w
      state.first = 0.75 * state.first + d
      state.w -= 0.25 * (nesterov ? d + 0.75 * state.first : state.first)
    }
  }

  /// PyTorch's first step takes the gradient itself for the velocity.
  @Test(arguments: KernelSet.all)
  func theFirstStepForgetsTheVelocity(set: KernelSet) {
    expectMatch(set) { trial, w in
      set.functions.sgd(trial.n, w, trial.gradients, &trial.first, 0.25, 0.75, 0, 1, 1, 0)
    } plain: { state, gradient in
      state.first = gradient
      state.w -= 0.25 * gradient
    }
  }

  @Test(arguments: KernelSet.all)
  func rmspropMatchesItsEquations(set: KernelSet) {
    expectMatch(set) { trial, w in
      set.functions.rmsprop(
        trial.n, w, trial.gradients, &trial.first, 0.0625, 0.875, 0.25, 0.001, 0.5, 0.125)
    } plain: { state, gradient in
      let d = 0.5 * gradient + 0.125 * state.w
      state.first = 0.875 * state.first + 0.25 * d * d
      state.w -= 0.0625 * d / (state.first.squareRoot() + Double(Float(0.001)))
    }
  }

  @Test(arguments: KernelSet.all)
  func adagradMatchesItsEquations(set: KernelSet) {
    expectMatch(set) { trial, w in
      set.functions.adagrad(
        trial.n, w, trial.gradients, &trial.first, 0.0625, 0.001, 0.5, 0.125)
    } plain: { state, gradient in
      let d = 0.5 * gradient + 0.125 * state.w
      state.first += d * d
      state.w -= 0.0625 * d / (state.first.squareRoot() + Double(Float(0.001)))
    }
  }
}
