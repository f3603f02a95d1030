import Foundation
import Learning
import Testing

@Suite struct EarlyStoppingTests {
  @Test func endsAfterMoreThanPatienceFailures() throws {
    var stopping = try EarlyStopping(patience: 2)
    let losses = [3, 2, 2, 2.5, 1, .nan, 1, 4]
    let best = [true, true, false, false, true, false, false, false]
    let exhausted = [false, false, false, false, false, false, false, true]
    for index in losses.indices {
      #expect(stopping.observe(losses[index]) == best[index])
      #expect(stopping.isExhausted == exhausted[index])
    }
    #expect(stopping.best.loss == 1)
    #expect(stopping.best.observationsSince == 3)
  }

  @Test func withoutPatienceTheFirstFailureEnds() throws {
    var stopping = try EarlyStopping(patience: 0)
    stopping.observe(2)
    #expect(!stopping.isExhausted)
    stopping.observe(2)
    #expect(stopping.isExhausted)
  }

  @Test func survivesSaving() throws {
    var stopping = try EarlyStopping(patience: 3)
    for loss in [.nan, 0.1 + 0.2, 5] { stopping.observe(loss) }
    let data = try JSONEncoder().encode(stopping)
    #expect(try JSONDecoder().decode(EarlyStopping.self, from: data) == stopping)
  }

  @Test func patienceCannotBeNegative() {
    let error = SettingError.outOfRange(
      setting: "patience", legal: "a whole number from 0 up", found: "-1")
    #expect(throws: error) { try EarlyStopping(patience: -1) }
    #expect(error.description == "patience must be a whole number from 0 up, not -1")
  }
}
