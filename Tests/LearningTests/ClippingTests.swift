import Foundation
import Learning
import Tensors
import Testing

@Suite(.serialized) struct ClippingTests {
  private struct Fixture: Decodable {
    var gradients: [SavedTensor]
    var norm: Double
    var clippedToNorm1: [SavedTensor]
    var clippedToValue: [SavedTensor]

    enum CodingKeys: String, CodingKey {
      case gradients, norm
      case clippedToNorm1 = "clipped_to_norm_1"
      case clippedToValue = "clipped_to_value_0.5"
    }
  }

  private typealias Named = (name: String, parameter: Parameter)

  private func parametersWithGradients(_ tensors: [Tensor]) -> ([Named], Gradients) {
    let named: [Named] = tensors.enumerated().map { ("p\($0)", Parameter(Tensor(zeros: $1.shape))) }
    return (named, gradients(zip(named, tensors).map { ($0.parameter, $1) }))
  }

  /// Tolerances are a few rounding errors of Float32.
  @Test func normAndScaleEqualPyTorchs() throws {
    let fixture: Fixture = try fixture("clipping")
    var (parameters, gradients) = parametersWithGradients(fixture.gradients.map(\.tensor))
    let outcome = Clipping(maximumNorm: 1).clip(&gradients, of: parameters)
    #expect(abs(outcome.norm - fixture.norm) < 2e-6)
    #expect(outcome.clippedNorm)
    #expect(!outcome.clippedValue)
    for (index, expected) in fixture.clippedToNorm1.enumerated() {
      let g = try #require(gradients[parameters[index].parameter])
      #expect(g.values == fixture.gradients[index].values)
      #expect(largestDifference((g * outcome.scale).values, expected.values) < 1e-7)
    }
  }

  @Test func valuesEqualPyTorchs() throws {
    let fixture: Fixture = try fixture("clipping")
    var (parameters, gradients) = parametersWithGradients(fixture.gradients.map(\.tensor))
    let outcome = Clipping(maximumValue: 0.5).clip(&gradients, of: parameters)
    #expect(outcome.clippedValue)
    #expect(outcome.scale == 1)
    #expect(abs(outcome.norm - fixture.norm) < 2e-6)
    for (index, expected) in fixture.clippedToValue.enumerated() {
      #expect(gradients[parameters[index].parameter]?.values == expected.values)
    }
  }

  @Test func valuesAreClippedBeforeTheNorm() {
    var (parameters, gradients) = parametersWithGradients([Tensor([30, -4, 0], shape: [3])])
    let clipping = Clipping(maximumNorm: 2.5, maximumValue: 3)
    let outcome = clipping.clip(&gradients, of: parameters)
    #expect(gradients[parameters[0].parameter]?.values == [3, -3, 0])
    #expect(abs(outcome.norm - 916.0.squareRoot()) < 1e-6)
    #expect(abs(Double(outcome.scale) - 2.5 / (18.0.squareRoot() + 1e-6)) < 1e-7)
  }

  @Test func whatIsWithinTheLimitsStays() {
    var (parameters, gradients) = parametersWithGradients([Tensor([3, -4], shape: [2])])
    let clipping = Clipping(maximumNorm: 5.1, maximumValue: 4)
    let outcome = clipping.clip(&gradients, of: parameters)
    #expect(outcome == Clipping.Outcome(norm: 5, scale: 1, clippedValue: false))
    #expect(gradients[parameters[0].parameter]?.values == [3, -4])
  }

  @Test func aSharedGradientIsCopied() {
    var (parameters, gradients) = parametersWithGradients([Tensor([3, -4], shape: [2])])
    let other = gradients
    _ = Clipping(maximumValue: 1).clip(&gradients, of: parameters)
    #expect(gradients[parameters[0].parameter]?.values == [1, -1])
    #expect(other[parameters[0].parameter]?.values == [3, -4])
  }

  @Test func anUnsharedGradientIsChangedInPlace() throws {
    let n = 40_000
    var (parameters, gradients) = parametersWithGradients([normalNoise([n], seed: 3)])
    let parameter = parameters[0].parameter
    let before = gradients[parameter]?.withValues { $0.baseAddress }
    _ = Clipping(maximumValue: 0.25).clip(&gradients, of: parameters)
    let after = try #require(gradients[parameter])
    #expect(after.withValues { $0.baseAddress } == before)
    let expected = normalNoise([n], seed: 3).values.map { min(max($0, -0.25), 0.25) }
    #expect(largestDifference(after.values, expected) == 0)
  }

  @Test(arguments: [Float.nan, .infinity, 1e30]) func anInfiniteNormIsReported(wrong: Float) {
    var (parameters, gradients) = parametersWithGradients([Tensor([1, wrong], shape: [2])])
    let clipping = Clipping(maximumNorm: 0.1, maximumValue: 0.1)
    let outcome = clipping.clip(&gradients, of: parameters)
    #expect(!outcome.norm.isFinite)
    #expect(outcome.scale == 1)
    #expect(gradients[parameters[0].parameter]?.values[0] == 1)
  }

  @Test func theNormDoesNotDependOnTheThreads() {
    let tensors = [normalNoise([300_001], seed: 1), normalNoise([17, 3], seed: 2)]
    let (parameters, gradients) = parametersWithGradients(tensors)
    let before = Compute.threads
    defer { Compute.threads = before }
    let norms = [1, 2, 3].map { threads in
      Compute.threads = threads
      return gradients.norm(over: parameters)
    }
    #expect(Set(norms.map(\.bitPattern)).count == 1)
    let sum = tensors.flatMap(\.values).reduce(0.0) { $0 + Double($1) * Double($1) }
    // Sums of squares of up to 4096 numbers are taken in Float32.
    #expect(abs(norms[0] / sum.squareRoot() - 1) < 1e-6)
  }

  @Test func parametersWithoutGradientCountNothing() {
    var (parameters, gradients) = parametersWithGradients([Tensor([3, -4], shape: [2])])
    parameters.append(("unused", Parameter(Tensor(zeros: [3]))))
    #expect(Clipping().clip(&gradients, of: parameters).norm == 5)
  }

  @Test func countsHowOftenItActed() {
    var counts = ClippingCounts()
    counts.count(Clipping.Outcome(norm: 1, scale: 1, clippedValue: false))
    counts.count(Clipping.Outcome(norm: 2, scale: 0.5, clippedValue: false))
    counts.count(Clipping.Outcome(norm: 2, scale: 0.5, clippedValue: true))
    #expect((counts.steps, counts.byNorm, counts.byValue) == (3, 2, 1))
  }

  @Test func limitsMustBePositive() throws {
    #expect(try Clipping(maximumNorm: 5, maximumValue: .infinity).validated().maximumNorm == 5)
    let error = SettingError.outOfRange(setting: "clip norm", legal: "positive", found: "0.0")
    #expect(throws: error) { try Clipping(maximumNorm: 0).validated() }
    #expect(error.description == "clip norm must be positive, not 0.0")
    #expect(throws: SettingError.self) { try Clipping(maximumValue: .nan).validated() }
  }
}
