import Foundation
import Learning
import Testing

@Suite struct ScheduleTests {
  private func rates(
    _ schedule: Schedule, _ steps: [Int], totalSteps: Int = 110, base: Float = 0.5
  ) -> [Float] {
    steps.map { schedule.rate(step: $0, totalSteps: totalSteps, base: base) }
  }

  @Test func ratesAreThoseOfTheEquations() {
    #expect(rates(.constant, [0, 7, 1_000]) == [0.5, 0.5, 0.5])
    #expect(
      rates(.step(every: 10, factor: 0.5), [0, 9, 10, 19, 20, 30])
        == [0.5, 0.5, 0.25, 0.25, 0.125, 0.0625])
    #expect(
      rates(.exponential(decay: 0.25, every: 1), [0, 1, 2]) == [0.5, 0.125, 0.03125])
    // Half of `every` steps is a factor of √0.25.
    #expect(
      rates(.exponential(decay: 0.25, every: 10), [0, 5, 10, 20]) == [0.5, 0.25, 0.125, 0.03125])
  }

  @Test func cosineRisesAndFalls() {
    let schedule = Schedule.cosine(warmup: 10, final: 0.2)
    #expect(rates(schedule, [0, 4, 9, 10]) == [0.05, 0.25, 0.5, 0.5])
    // A third of the way cos is ½, half-way 0, at two thirds −½.
    let third = schedule.rate(step: 40, totalSteps: 100, base: 0.5)
    #expect(abs(third - 0.5 * (0.2 + 0.8 * 0.75)) < 1e-7)
    #expect(abs(rates(schedule, [60])[0] - 0.5 * 0.6) < 1e-7)
    #expect(rates(schedule, [110, 500]) == [0.1, 0.1])
    #expect(rates(.cosine(warmup: 10, final: 0.2), [3, 10], totalSteps: 5) == [0.2, 0.5])
    #expect(rates(.cosine(warmup: 0, final: 0), [0, 110]) == [0.5, 0])
  }

  @Test func plateauReducesAfterMoreThanPatienceFailures() {
    let schedule = Schedule.plateau(patience: 1, factor: 0.5, minimum: 0.2)
    var state = PlateauState()
    // 3 isn't below 3; NaN is below nothing. Two failures in a row make a reduction.
    let losses = [3, 4, 2, 2, 2, 5, .nan, 1.5, 1.5, 1.5]
    let expected: [Float] = [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
    for (loss, rate) in zip(losses, expected) {
      schedule.observe(loss, in: &state)
      #expect(schedule.rate(step: 0, totalSteps: 1, base: 1, plateau: state) == rate)
    }
    #expect(state.best.loss == 1.5)
    #expect(schedule.rate(step: 0, totalSteps: 1, base: 0.1, plateau: state) == 0.1)
    Schedule.constant.observe(0, in: &state)
    #expect(state.best.loss == 1.5)
  }

  @Test func plateauStateSurvivesSaving() throws {
    let schedule = Schedule.plateau(patience: 1, factor: 0.5, minimum: 0)
    var state = PlateauState()
    for loss in [3.1, 4, 5, 6] { schedule.observe(loss, in: &state) }
    let data = try JSONEncoder().encode(state)
    #expect(try JSONDecoder().decode(PlateauState.self, from: data) == state)
    let fresh = try JSONEncoder().encode(PlateauState())
    #expect(try JSONDecoder().decode(PlateauState.self, from: fresh) == PlateauState())
  }

  private static let texts: [(String, Schedule)] = [
    ("constant", .constant),
    ("step:every=1000,factor=0.5", .step(every: 1000, factor: 0.5)),
    ("step:every=3", .step(every: 3, factor: 0.1)),
    ("exponential:decay=0.95", .exponential(decay: 0.95, every: 1)),
    ("exponential:every=20,decay=1", .exponential(decay: 1, every: 20)),
    ("cosine", .cosine(warmup: 0, final: 0)),
    ("cosine:warmup=100,final=0.1", .cosine(warmup: 100, final: 0.1)),
    ("plateau", .plateau(patience: 10, factor: 0.1, minimum: 0)),
    ("plateau:patience=2,factor=0.5", .plateau(patience: 2, factor: 0.5, minimum: 0)),
    ("plateau:minimum=1e-5,patience=0", .plateau(patience: 0, factor: 0.1, minimum: 1e-5)),
  ]

  @Test(arguments: texts) func textIsReadAndWritten(text: String, schedule: Schedule) throws {
    #expect(try Schedule(text) == schedule)
    #expect(try Schedule(schedule.description) == schedule)
    let json = try JSONEncoder().encode([schedule])
    #expect(try JSONDecoder().decode([Schedule].self, from: json) == [schedule])
  }

  @Test(arguments: [
    ("", "there is no schedule “”, only constant, step, exponential, cosine, plateau"),
    ("cosin", "there is no schedule “cosin”, only constant, step, exponential, cosine, plateau"),
    ("step", "step needs a value for every"),
    ("step:every=0", "every must be a whole number from 1 to 1000000000, not “0”"),
    ("step:every=1.5", "every must be a whole number from 1 to 1000000000, not “1.5”"),
    ("step:every=2,factor=0", "factor must be above 0 and at most 1, not “0”"),
    ("step:every=2,every=3", "step has more than one value for every"),
    ("step:every", "a setting of step must be of the form name=value, not “every”"),
    ("step:every=2,", "a setting of step must be of the form name=value, not “”"),
    ("exponential", "exponential needs a value for decay"),
    ("exponential:decay=nan", "decay must be above 0 and at most 1, not “nan”"),
    ("exponential:decay=2", "decay must be above 0 and at most 1, not “2”"),
    ("cosine:final=1.1", "final must be from 0 to 1, not “1.1”"),
    ("cosine:warmup=-1", "warmup must be a whole number from 0 to 1000000000, not “-1”"),
    ("cosine:warm=1", "there is no setting of cosine “warm”, only warmup, final"),
    ("constant:rate=1", "there is no setting of constant, and so no “rate”"),
    ("plateau:factor=1", "factor must be above 0 and less than 1, not “1”"),
    ("plateau:minimum=inf", "minimum must be at least 0 and finite, not “inf”"),
  ]) func wrongTextIsExplained(text: String, sentence: String) {
    do throws(SettingError) {
      let schedule = try Schedule(text)
      Issue.record("“\(text)” was read as \(schedule)")
    } catch {
      #expect(error.description == sentence)
    }
  }

  @Test func wrongTextInJSONThrows() {
    #expect(throws: SettingError.missing(setting: "every", of: "step")) {
      try JSONDecoder().decode([Schedule].self, from: Data(#"["step"]"#.utf8))
    }
  }
}
