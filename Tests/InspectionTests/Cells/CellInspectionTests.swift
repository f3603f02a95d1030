import Inspection
import Tensors
import Testing

/// Rankings against brute force on few positions, and on planted units.
@Suite struct CellInspectionTests {
  private let yesNo = Probe("planted", .yesNo, "") { _ in [] }
  private let graded = Probe("planted", .graded, "") { _ in [] }

  private func noise(_ units: Int, _ count: Int, seed: UInt64) -> [[Float]] {
    var generator = Philox(seed: seed)
    return (0..<units).map { _ in (0..<count).map { _ in Float(generator.normal()) } }
  }

  private func results(
    _ recording: UnitRecording, _ probe: Probe, _ labels: [Float], shifts: Int = 20
  ) throws -> CellInspection.ProbeResult {
    var settings = CellInspection.Settings()
    settings.shifts = shifts
    var inspection = CellInspection(recording, settings: settings)
    try inspection.ask(probe, labels: labels)
    return try #require(inspection.results().first)
  }

  private func f1(_ predicted: [Bool], _ truth: [Bool]) -> Double {
    let hits = zip(predicted, truth).count { $0 && $1 }
    let marked = predicted.count { $0 } + truth.count { $0 }
    return marked == 0 ? 0 : 2 * Double(hits) / Double(marked)
  }

  /// The best threshold of the first half, by trying all, scored on the second.
  private func bruteForce(_ x: [Float], _ y: [Bool], training: Int) -> (f1: Double, auc: Double) {
    var best: (threshold: Float, isBelow: Bool, f1: Double) = (-.infinity, false, -1)
    for threshold in [-.infinity] + Set(x).sorted() {
      for isBelow in [false, true] {
        let predicted = x[..<training].map { ($0 < threshold) == isBelow }
        let score = f1(predicted, Array(y[..<training]))
        if score > best.f1 { best = (threshold, isBelow, score) }
      }
    }
    func auc(_ range: Range<Int>) -> Double {
      var (wins, pairs) = (0.0, 0.0)
      for i in range where y[i] {
        for j in range where !y[j] {
          wins += x[i] > x[j] ? 1 : x[i] == x[j] ? 0.5 : 0
          pairs += 1
        }
      }
      return wins / pairs
    }
    let test = training..<x.count
    let predicted = x[test].map { ($0 < best.threshold) == best.isBelow }
    let isLower = auc(0..<training) < 0.5
    return (f1(predicted, Array(y[test])), isLower ? 1 - auc(test) : auc(test))
  }

  private func bruteForce(_ x: [Float], _ y: [Float]) -> Double {
    let n = Double(x.count)
    let (mx, my) = (x.reduce(0) { $0 + Double($1) } / n, y.reduce(0) { $0 + Double($1) } / n)
    let xy = zip(x, y).reduce(0) { $0 + (Double($1.0) - mx) * (Double($1.1) - my) }
    let xx = x.reduce(0) { $0 + (Double($1) - mx) * (Double($1) - mx) }
    let yy = y.reduce(0) { $0 + (Double($1) - my) * (Double($1) - my) }
    return xy / (xx * yy).squareRoot()
  }

  @Test func thresholdsAndAreasEqualBruteForce() throws {
    let count = 200
    var units = noise(6, count, seed: 1)
    var generator = Philox(seed: 2)
    let truth = (0..<count).map { _ in generator.uniform() < 0.3 }
    for index in 0..<count where truth[index] {
      units[0][index] += 2
      units[1][index] -= 1.5
    }
    units[2] = units[2].map { ($0 * 2).rounded() / 2 }  // Ties.
    let recording = try UnitRecording(units)
    let result = try results(recording, yesNo, truth.map { $0 ? 1 : 0 })
    #expect(result.units.count == 6 && result.yes == truth.count { $0 })
    for finding in result.units {
      let expected = bruteForce(recording.column(finding.unit.unit), truth, training: count / 2)
      #expect(abs(finding.score - expected.f1) < 1e-12, "\(finding.unit)")
      #expect(abs((finding.auc ?? 0) - expected.auc) < 1e-12, "\(finding.unit)")
    }
    #expect(result.units.map(\.score) == result.units.map(\.score).sorted(by: >))
  }

  @Test func theAnswerMayBeTheCommonerOne() throws {
    let count = 120
    let truth = (0..<count).map { $0 % 5 != 0 }
    var units = noise(2, count, seed: 3)
    for index in 0..<count where truth[index] { units[1][index] += 3 }
    let recording = try UnitRecording(units)
    for finding in try results(recording, yesNo, truth.map { $0 ? 1 : 0 }).units {
      let expected = bruteForce(recording.column(finding.unit.unit), truth, training: count / 2)
      #expect(abs(finding.score - expected.f1) < 1e-12)
    }
  }

  @Test func positionsWithoutALabelAreLeftOut() throws {
    let count = 300
    let units = noise(3, count, seed: 4)
    let recording = try UnitRecording(units)
    let kept = (0..<count).filter { $0 % 3 != 1 }
    let training = kept.count { $0 < count / 2 }
    var labels = [Float](repeating: .nan, count: count)
    for index in kept { labels[index] = units[2][index] > 0.3 ? 1 : 0 }
    let result = try results(recording, yesNo, labels)
    #expect(result.labelled == kept.count)
    for finding in result.units {
      let x = recording.column(finding.unit.unit)
      let expected = bruteForce(
        kept.map { x[$0] }, kept.map { labels[$0] == 1 }, training: training)
      #expect(abs(finding.score - expected.f1) < 1e-12)
    }
    for index in kept { labels[index] = units[1][index] + Float(index) / 100 }
    for finding in try results(recording, graded, labels).units {
      let x = recording.column(finding.unit.unit)
      let test = kept[training...]
      let expected = bruteForce(test.map { x[$0] }, test.map { labels[$0] })
      #expect(abs((finding.correlation ?? 0) - expected) < 1e-5)
    }
  }

  @Test func correlationsEqualBruteForce() throws {
    let count = 5000
    var units = noise(4, count, seed: 5)
    let labels = (0..<count).map { Float($0 % 37) }
    for index in 0..<count {
      units[1][index] += labels[index] / 10
      units[2][index] = 50 - labels[index] + units[2][index]
    }
    let recording = try UnitRecording(units)
    let result = try results(recording, graded, labels)
    #expect(result.units.first?.unit.unit == 2)
    for finding in result.units {
      let x = recording.column(finding.unit.unit)
      let expected = bruteForce(Array(x[(count / 2)...]), Array(labels[(count / 2)...]))
      #expect(abs((finding.correlation ?? 0) - expected) < 1e-5)
    }
  }

  /// Each half within itself.
  private func rotated(_ labels: [Float], _ rotation: ProbeLabels.Rotation) -> [Float] {
    let half = labels.count / 2
    let (first, second) = (Array(labels[..<half]), Array(labels[half...]))
    return (0..<half).map { first[($0 + rotation.training) % half] }
      + second.indices.map { second[($0 + rotation.test) % second.count] }
  }

  @Test func chanceIsTheBestOfAllUnitsOverAllRotations() throws {
    let count = 200
    let recording = try UnitRecording(noise(5, count, seed: 6))
    var generator = Philox(seed: 7)
    let labels = (0..<count).map { _ in Float(generator.uniform() < 0.4 ? 1 : 0) }
    let result = try results(recording, yesNo, labels, shifts: 4)
    let gradedResult = try results(recording, graded, labels, shifts: 4)
    let all = ProbeLabels(name: "", kind: .yesNo, labels: labels, shifts: 4).rotations
    #expect(all.map(\.training) == [0, 20, 40, 60, 80] && all.map(\.test) == all.map(\.training))
    let rotations = all.dropFirst()
    var (bestF1, bestR) = (0.0, 0.0)
    for rotation in rotations {
      let rotated = rotated(labels, rotation)
      for unit in 0..<5 {
        let x = recording.column(unit)
        bestF1 = max(bestF1, bruteForce(x, rotated.map { $0 == 1 }, training: 100).f1)
        let first = bruteForce(Array(x[..<100]), Array(rotated[..<100]))
        let second = bruteForce(Array(x[100...]), Array(rotated[100...]))
        bestR = max(bestR, first < 0 ? -second : second)
      }
    }
    #expect(abs((result.chance ?? 0) - bestF1) < 1e-6)
    #expect(abs((gradedResult.chance ?? 0) - bestR) < 1e-5)
  }

  @Test func theControlTakesItsSignFromTheFirstHalf() throws {
    let count = 400
    let labels = noise(1, count, seed: 13)[0]
    let rotation = try #require(
      ProbeLabels(name: "", kind: .graded, labels: labels, shifts: 1).rotations.last)
    let rotated = rotated(labels, rotation)
    let opposite = rotated.map { -$0 }
    let turning = (0..<count).map { $0 < count / 2 ? -rotated[$0] : rotated[$0] }
    func chance(_ units: [Float]...) throws -> Double {
      try #require(results(UnitRecording(units), graded, labels, shifts: 1).chance)
    }
    #expect(try chance(opposite) > 0.999)
    #expect(try chance(turning) == 0)  // −1 is no better than knowing nothing.
  }

  @Test func aPlantedUnitIsFoundAndNoiseIsNot() throws {
    let count = 4000
    var units = noise(50, count, seed: 8)
    let truth = (0..<count).map { $0 % 200 < 60 }
    for index in 0..<count { units[17][index] += truth[index] ? 4 : 0 }
    let recording = try UnitRecording(units)
    let result = try results(recording, yesNo, truth.map { $0 ? 1 : 0 })
    #expect(result.units[0].unit.unit == 17 && result.units[0].isResponsive)
    #expect(result.responsiveUnits == 1)
    #expect(result.layers.first?.f1 ?? 0 > 0.9)
    var generator = Philox(seed: 9)
    let unrelated = (0..<count).map { _ in Float(generator.uniform() < 0.3 ? 1 : 0) }
    #expect(try results(recording, yesNo, unrelated).responsiveUnits == 0)
    #expect(try results(recording, graded, unrelated).responsiveUnits == 0)
  }

  /// What is more frequent in the half that is scored makes any unit look better there: also one that
  /// always says yes.
  @Test func noiseThatBecomesMoreFrequentHasNoResponsiveUnits() throws {
    let count = 4000
    var units = noise(50, count, seed: 14)
    units[7] = [Float](repeating: 1, count: count)
    let recording = try UnitRecording(units)
    var alarms = 0
    for seed in 0..<8 {
      var generator = Philox(seed: 20 + UInt64(seed))
      let labels = (0..<count).map { index in
        Float(generator.uniform() < (index < count / 2 ? 0.3 : 0.7) ? 1 : 0)
      }
      alarms += try results(recording, yesNo, labels).responsiveUnits
    }
    // Of 400 units: a false alarm in 1 of 21 questions, and then of hardly more than one.
    #expect(alarms <= 3)
  }

  /// Labels that stay for a while, and units that do: chance alone gets beyond itself in 1 of 21
  /// questions, as it should, not in more.
  @Test func chanceIsBeyondItselfAsOftenAsItShould() throws {
    let count = 4000
    func steps(_ generator: inout Philox) -> [Float] {
      var (value, left) = (Float(0), 0)
      return (0..<count).map { _ in
        if left == 0 {
          (value, left) = (Float(generator.normal()), 1 + Int(generator.uniform() * 300))
        }
        left -= 1
        return value
      }
    }
    var generator = Philox(seed: 30)
    let recording = try UnitRecording((0..<10).map { _ in steps(&generator) })
    let questions = 200
    let alarms = try (0..<questions).count { _ in
      try results(recording, graded, steps(&generator)).responsiveUnits > 0
    }
    // 9.5 are expected; 20 or more come about once in a thousand times.
    #expect(alarms < 20, "\(alarms)")
  }

  @Test func manyCharactersOfFewExamplesAreFewExamples() throws {
    let recording = try UnitRecording(noise(2, 1000, seed: 15))
    let labels = (0..<1000).map { Float($0 % 250 < 40 ? 1 : 0) }
    #expect(
      try results(recording, yesNo, labels).obstacle == "the first half has only 2 examples")
    #expect(
      try results(recording, graded, labels).obstacle
        == "the labels of the first half change only 3 times")
  }

  /// Rare answers that one unit gives, among others that are noise.
  @Test func aLinearProbeIsAsGoodAsTheBestUnit() throws {
    let count = 8000
    var units = noise(30, count, seed: 16)
    var generator = Philox(seed: 17)
    let truth = (0..<count).map { _ in generator.uniform() < 0.05 }
    for index in 0..<count where truth[index] { units[5][index] += 3 }
    let result = try results(UnitRecording(units), yesNo, truth.map { $0 ? 1 : 0 })
    let best = try #require(result.units.first)
    #expect(best.unit.unit == 5)
    let layer = try #require(result.layers.first?.f1)
    #expect(layer > best.score - 0.03, "\(layer), \(best.score)")
  }

  @Test func aLinearProbeKnowsWhatNoSingleUnitKnows() throws {
    let count = 6000
    let units = noise(3, count, seed: 10)
    let labels = (0..<count).map { units[0][$0] - 2 * units[1][$0] + 7 }
    let recording = try UnitRecording(units)
    let layer = try #require(try results(recording, graded, labels).layers.first)
    // Half precision and λ = 0.001 cost less than this.
    #expect(layer.correlation ?? 0 > 0.99999)
    var partly = labels
    for index in 0..<count where index % 4 == 0 { partly[index] = .nan }
    let sparse = try #require(try results(recording, graded, partly).layers.first)
    #expect(sparse.correlation ?? 0 > 0.99999)
    for index in 0..<count where index % 4 != 2 { partly[index] = .nan }
    let sparser = try #require(try results(recording, graded, partly).layers.first)
    #expect(sparser.correlation ?? 0 > 0.99999)
    let answers = labels.map { Float($0 > 7 ? 1 : 0) }
    let yes = try #require(try results(recording, yesNo, answers).layers.first)
    #expect(yes.f1 ?? 0 > 0.97 && yes.auc ?? 0 > 0.999)
  }

  @Test func aUnitThatNeverChangesSpoilsNothing() throws {
    let count = 400
    var units = noise(2, count, seed: 11)
    units[1] = [Float](repeating: 3, count: count)
    let labels = units[0].map { $0 + 1 }
    let result = try results(UnitRecording(units), graded, labels)
    #expect(result.units.map(\.unit.unit) == [0, 1])
    #expect(result.units[1].score == 0)
    #expect(result.layers.first?.correlation ?? 0 > 0.999)
  }

  @Test func aQuestionWithoutExamplesSaysSo() throws {
    let recording = try UnitRecording(noise(2, 100, seed: 12))
    let never = [Float](repeating: 0, count: 100)
    #expect(try results(recording, yesNo, never).obstacle == "the first half has no examples")
    #expect(try results(recording, graded, never).obstacle?.contains("equal") == true)
    let nowhere = [Float](repeating: .nan, count: 100)
    #expect(try results(recording, graded, nowhere).obstacle != nil)
    var inspection = CellInspection(recording)
    try inspection.ask(yesNo, labels: never)
    #expect(throws: ProbeError.repeatedName("planted")) { try inspection.ask(yesNo, labels: never) }
  }
}
