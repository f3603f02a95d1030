import Foundation
import Learning
import Recurrence
import Tensors
import Testing

@Suite struct RandomWindowsTests {
  private func lengths(_ bounds: [Int]) -> [Int] { zip(bounds.dropFirst(), bounds).map(-) }

  /// 20 is short and 23 no multiple; 100,000 is an epoch of a long text.
  @Test(arguments: [(20, 20), (23, 10), (501, 70), (100_000, 35)])
  func windowsFillTheStreams(length: Int, window: Int) {
    let random = RandomWindows()
    for seed in 0..<5 {
      var generator = Philox(seed: UInt64(seed))
      let bounds = random.bounds(length: length, window: window, using: &generator)
      #expect(bounds.first == 0 && bounds.last == length)
      #expect(lengths(bounds).allSatisfy { $0 > 0 })
      #expect(bounds.count - 1 == random.updates(length: length, window: window))
    }
  }

  /// Of 10,000 lengths: the mean is what fills the streams; a twentieth is about half as long; the
  /// others stray by 5. Six standard deviations are allowed, and a rounding of 1/12 in the variance.
  @Test func lengthsFollowTheirDistribution() {
    let window = 70
    let length = Int((0.975 * 70 * 10_000).rounded())
    var generator = Philox(seed: 5)
    let drawn = lengths(
      RandomWindows().bounds(length: length, window: window, using: &generator))
    #expect(drawn.count == 10_000)
    // Seven deviations: 35 lies between 35 ± 17 and 70 ± 17 nearly surely.
    let halved = Double(drawn.count { $0 < 53 }) / 10_000
    let deviation = (0.05 * 0.95 / 10_000).squareRoot()
    #expect(abs(halved - 0.05) < 6 * deviation)
    let whole = drawn.filter { $0 >= 53 }.map(Double.init)
    let count = Double(whole.count)
    let mean = whole.reduce(0, +) / count
    let squares = whole.map { ($0 - mean) * ($0 - mean) }
    let variance = squares.reduce(0, +) / count
    // The stretch, by the share of halved windows, moves both by half a percent.
    #expect(abs(mean - 70) < 0.7)
    #expect(abs(variance.squareRoot() - 5) < 0.3)
  }

  @Test func theyAreAFunctionOfTheirGenerator() {
    func bounds(_ seed: UInt64) -> [Int] {
      var generator = Philox(seed: seed)
      return RandomWindows().bounds(length: 1000, window: 20, using: &generator)
    }
    #expect(bounds(1) == bounds(1))
    #expect(bounds(1) != bounds(2))
  }

  private func trainer(
    random: RandomWindows? = RandomWindows(), window: Int = 20, stride: Int? = nil, epochs: Int = 2
  ) throws -> Trainer<TinyModel<Stack<LSTMCell>>> {
    let configuration = TrainingConfiguration(
      batch: 2, truncation: TruncatedBPTT(window: window, stride: stride), randomWindows: random,
      optimiser: OptimiserConfiguration(.sgd), learningRate: 0.1, epochs: epochs, seed: 3)
    return try Trainer(
      .lstm(classes: 7, size: 6, seed: 1), configuration: configuration,
      training: TokenSequence(randomTokens(401, classes: 7, seed: 2)), evaluate: nil)
  }

  /// The rate follows the length; epochs cut differently, and have as many updates.
  @Test func theRateIsInProportionToTheLength() throws {
    let trainer = try trainer()
    var lengths: [Int] = []
    _ = try trainer.run { event in
      guard case .step(let report) = event else { return }
      let length = report.tokens / 2
      #expect(abs(report.learningRate - 0.1 * Float(length) / 20) < 1e-7)
      lengths.append(length)
    }
    let count = trainer.updatesPerEpoch
    // 200 steps in windows of 19.5 on the average.
    #expect(count == 10 && lengths.count == 20 && Set(lengths).count > 3)
    #expect(lengths[..<count].reduce(0, +) == 200 && lengths[count...].reduce(0, +) == 200)
    #expect(lengths[..<count] != lengths[count...])
  }

  @Test func shortWindowsAndStridesAreRefused() {
    #expect(throws: SettingError.self) { try trainer(window: 9) }
    #expect(throws: SettingError.self) { try trainer(stride: 10) }
    #expect(throws: SettingError.self) { try trainer(random: RandomWindows(halved: 1.5)) }
    #expect(throws: SettingError.self) { try trainer(random: RandomWindows(deviation: .nan)) }
  }
}
