import Language
import Learning
import Tensors

/// Finds out what single units of a network respond to.
///
/// For each probe every unit is scored by how well it alone answers: the threshold (or the sign) is
/// chosen on the first half of the text, the score is that of the second. The same is done with the
/// labels of each half rotated against its text; a unit is called responsive only if its score beats
/// the best score that any unit reached with any of the rotations, and so does, for a yes/no probe,
/// its area under the ROC curve. With 20 rotations, chance gets that far in at most 1 of 21 probes.
///
/// - SeeAlso: A. Karpathy, J. Johnson, L. Fei-Fei, "Visualizing and Understanding Recurrent
///   Networks", 2015, where such cells were found by eye.
public struct CellInspection: Sendable {
  public struct Settings: Sendable {
    /// How often labels are rotated for the control.
    public var shifts = 20

    public init() {}
  }

  /// How well one unit answers.
  public struct Finding: Sendable, Encodable {
    public let unit: UnitName
    /// What units are ranked by, on the second half: F1, or the correlation times the sign that it
    /// had on the first half.
    public let score: Double
    /// Whether the score, and the area under the ROC curve if there is one, are beyond the control's.
    public let isResponsive: Bool
    /// For a graded probe, on the second half.
    public var correlation: Double?
    /// For a yes/no probe: the area under the ROC curve on the second half.
    public var auc: Double?
    /// "Yes" is at least this, or below it.
    public var threshold: Double?
    public var yesIsBelow: Bool?
  }

  /// What all units of a layer answer together.
  public struct LayerScore: Sendable, Encodable {
    public let layer: Int
    public var correlation: Double?
    public var f1: Double?
    public var auc: Double?
  }

  public struct ProbeResult: Sendable, Encodable {
    public let probe: String
    public let kind: Probe.Kind
    public let explanation: String
    /// How many positions have a label; for a yes/no probe, how many of them are yes.
    public let labelled: Int
    public var yes: Int?
    /// Why there is no ranking, if there is none.
    public var obstacle: String?
    /// The best score that any unit reached with rotated labels.
    public var chance: Double?
    /// The same for the area under the ROC curve.
    public var chanceAuc: Double?
    public var responsiveUnits = 0
    /// All units: those that are responsive first, both by falling score.
    public var units: [Finding] = []
    public var layers: [LayerScore] = []
  }

  public let recording: UnitRecording
  public let settings: Settings
  private var questions: [(probe: Probe, labels: [Float])] = []

  public init(_ recording: UnitRecording, settings: Settings = Settings()) {
    self.recording = recording
    self.settings = settings
  }

  /// Asks a question.
  ///
  /// - Parameter labels: one for each position of the recording, NaN where the question doesn't
  ///   apply.
  /// - Throws: ``ProbeError/repeatedName(_:)``.
  public mutating func ask(_ probe: Probe, labels: [Float]) throws(ProbeError) {
    require(
      labels.count == recording.count, "\(labels.count) labels for \(recording.count) positions")
    if questions.contains(where: { $0.probe.name == probe.name }) {
      throw .repeatedName(probe.name)
    }
    questions.append((probe, labels))
  }

  /// The answers, in the order of the questions.
  ///
  /// - Parameter progress: gets the fraction that is done, from time to time.
  public func results(progress: @Sendable (Double) -> Void = { _ in }) -> [ProbeResult] {
    let all = questions.map { question in
      ProbeLabels(
        name: question.probe.name, kind: question.probe.kind, labels: question.labels,
        shifts: settings.shifts)
    }
    let asked = all.indices.filter { all[$0].obstacle == nil }
    let yesNo = asked.filter { all[$0].kind == .yesNo }
    let thresholds = ThresholdRanking(recording: recording, probes: yesNo.map { all[$0] })
      .results { progress($0 * 0.8) }
    let layers = recording.layers.enumerated().map { index, layer in
      defer { progress(0.8 + 0.1 * Double(index + 1) / Double(recording.layers.count)) }
      return LinearProbe(recording: recording, layer: layer).scores(asked.map { all[$0] })
    }
    return all.indices.map { index in
      var result = outline(questions[index].probe, all[index])
      guard let place = asked.firstIndex(of: index) else { return result }
      if let column = yesNo.firstIndex(of: index) {
        rank(thresholds.map { $0[column] }, &result)
      } else {
        rank(CorrelationRanking(recording: recording, labels: all[index]).results(), &result)
      }
      result.layers = layers.enumerated().compactMap { layer, scores in
        scores[place].map { LayerScore(layer: layer, $0) }
      }
      progress(0.9 + 0.1 * Double(index + 1) / Double(all.count))
      return result
    }
  }

  private func outline(_ probe: Probe, _ labels: ProbeLabels) -> ProbeResult {
    ProbeResult(
      probe: probe.name, kind: probe.kind, explanation: probe.explanation,
      labelled: labels.count,
      yes: probe.kind == .yesNo ? labels.values.reduce(0) { $0 + ($1 != 0 ? 1 : 0) } : nil,
      obstacle: labels.obstacle)
  }

  private func rank(_ units: [ThresholdRanking.Result], _ result: inout ProbeResult) {
    let chance = units.flatMap(\.control).reduce(0) { max($0, Double($1.f1)) }
    let chanceAuc = units.flatMap(\.control).reduce(0) { max($0, Double($1.auc)) }
    (result.chance, result.chanceAuc) = (chance, chanceAuc)
    func isResponsive(_ score: ThresholdScore) -> Bool {
      score.f1 > chance && score.auc > chanceAuc
    }
    result.responsiveUnits = units.count { isResponsive($0.score) }
    result.units = ordered(
      units.enumerated().map { unit, found in
        Finding(
          unit: recording.name(of: unit), score: found.score.f1,
          isResponsive: isResponsive(found.score), auc: found.score.auc,
          threshold: Double(found.threshold), yesIsBelow: found.score.isBelow)
      })
  }

  private func rank(_ units: [CorrelationRanking.Result], _ result: inout ProbeResult) {
    let chance = Double(units.flatMap(\.control).reduce(0, max))
    result.chance = chance
    result.responsiveUnits = units.count { Double($0.score) > chance }
    result.units = ordered(
      units.enumerated().map { unit, found in
        Finding(
          unit: recording.name(of: unit), score: Double(found.score),
          isResponsive: Double(found.score) > chance, correlation: Double(found.correlation))
      })
  }

  /// Responsive units before others, by falling score; of equals, the first.
  private func ordered(_ findings: [Finding]) -> [Finding] {
    findings.enumerated().sorted { a, b in
      if a.element.isResponsive != b.element.isResponsive { return a.element.isResponsive }
      return (b.element.score, a.offset) < (a.element.score, b.offset)
    }.map(\.element)
  }
}

extension CellInspection.LayerScore {
  init(layer: Int, _ score: LinearProbe.Score) {
    self.layer = layer
    switch score {
    case .graded(let correlation): self.correlation = correlation
    case .yesNo(let f1, let auc): (self.f1, self.auc) = (f1, auc)
    }
  }
}
