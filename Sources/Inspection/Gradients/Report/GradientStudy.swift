import Foundation
import Language
import Learning
import Recurrence
import Tensors

/// Everything that `unfold gradients` finds out: what the report shows, and what its JSON holds.
package struct GradientStudy: Sendable, Encodable {
  /// The name of the model; nil if fresh cells were studied.
  package var model: String?
  /// Of fresh weights; nil if it isn't known which ones a model started from.
  package var seed: UInt64?
  /// The model's first, or those of fresh cells.
  package var verdicts: [GradientVerdict] = []
  package var modelFlow: ModelFlow?
  /// Fresh cells with everything beside each other, then over spectral radii and over starts.
  package var freshCells: [FlowStudy] = []
  package var radii: [FlowStudy] = []
  package var starts: [FlowStudy] = []
  package var spectra: [SpectrumChange] = []
  package var truncation: [NamedTruncation] = []
  package var clipping: ClippingDemonstration
  package var training: GradientHistory?
  package var longMemory: [MemoryResult] = []

  /// A recurrent matrix before and after training; only after, if there was none.
  package struct SpectrumChange: Sendable, Encodable {
    package let before: Spectrum?
    package let now: Spectrum
    package let layer: String

    package init(before: Spectrum?, now: Spectrum, layer: String) {
      (self.before, self.now, self.layer) = (before, now, layer)
    }
  }

  package struct NamedTruncation: Sendable, Encodable {
    package let name: String
    package let study: TruncationStudy

    package init(name: String, study: TruncationStudy) { (self.name, self.study) = (name, study) }
  }

  package typealias ProgressReport = @Sendable (String) -> Void
}

extension GradientStudy {
  /// Cells that haven't been trained.
  ///
  /// - Parameter steps: over how many gradients are followed.
  package static func ofFreshCells(
    steps: Int, seed: UInt64, progress: ProgressReport
  ) throws -> GradientStudy {
    var study = GradientStudy(model: nil, seed: seed, clipping: ClippingDemonstration())
    var settings = FreshCellSettings()
    (settings.steps, settings.seed) = (steps, seed)
    let size = settings.hiddenSize
    let kinds: [CellKind] = [.elman, .lstm, .gru]
    for kind in kinds + [.elmanReLU] {
      progress("following gradients: \(kind.title)")
      let starts = FreshCell.starts(kind, hiddenSize: size)
      for (index, cell) in starts.enumerated() {
        let isFeatured = index == 0 && kinds.contains(kind)
        let found = try cell.study(settings, withBound: isFeatured)
        if isFeatured { study.freshCells.append(found) }
        study.starts.append(found)
      }
      for radius in [0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5] {
        study.radii.append(
          try FreshCell.sweep(kind, hiddenSize: size, radius: radius)
            .study(settings, withBound: false))
      }
    }
    study.verdicts = study.starts.map(\.verdict)
    try study.studyToyModels(kinds, seed: seed, progress)
    return study
  }

  /// Spectra and truncation of small models with fresh weights on the toy language.
  private mutating func studyToyModels(
    _ kinds: [CellKind], seed: UInt64, _ progress: ProgressReport
  ) throws {
    let text = ToyText(seed: seed, trainingTokens: 20_000, otherTokens: 1000)
    let vocabulary = try Vocabulary(unit: .words, building: [text.training])
    let tokens = try Corpus([text.training], vocabulary: vocabulary).tokens
    for kind in kinds {
      let model = ModelConfiguration(cell: kind, layers: 1, hiddenSize: 64)
        .model(vocabularySize: vocabulary.count, seed: seed)
      guard let model = model as? any StudiedModel else { continue }
      let matrices = model.recurrentMatrices.map {
        RecurrentMatrix(name: "\(kind.title), \($0.name)", matrix: $0.matrix)
      }
      spectra += try Spectrum.all(of: matrices).map {
        SpectrumChange(before: nil, now: $0, layer: kind.title)
      }
      truncation.append(
        NamedTruncation(
          name: kind.title,
          study: try model.truncationStudy(on: tokens, TruncationSettings()) {
            progress("truncating, \(kind.title): \(Int($0 * 100)) %")
          }))
    }
  }

  /// A trained model on a text.
  ///
  /// - Parameters:
  ///   - name: how the report calls it.
  ///   - seed: of the weights that it started from, if that is known.
  ///   - metrics: the lines of its training, if they are there.
  package static func of(
    _ folder: ModelFolder, name: String, tokens: TokenSequence, steps: Int, seed: UInt64?,
    training: GradientHistory?, progress: @escaping ProgressReport
  ) throws -> GradientStudy? {
    guard let model = folder.model as? any StudiedModel else { return nil }
    var study = GradientStudy(model: name, seed: seed, clipping: ClippingDemonstration())
    study.training = training
    progress("following gradients through the model")
    let flow = try model.gradientFlow(on: tokens, steps: steps) {
      progress("following gradients through the model: step \($0) of \(steps)")
    }
    study.modelFlow = flow
    study.verdicts = [
      GradientVerdict(
        subject: name, norms: flow.flows.first?.norms ?? [], cell: folder.configuration.cell,
        overflow: flow.overflow)
    ]
    let fresh = seed.flatMap {
      folder.configuration.model(vocabularySize: folder.vocabulary.count, seed: $0)
        as? any StudiedModel
    }
    let matrices = model.recurrentMatrices
    let before = fresh?.recurrentMatrices ?? []
    let total = matrices.count + before.count
    let found = try Spectrum.all(of: matrices + before) { progress("spectra: \($0) of \(total)") }
    let layers = folder.configuration.layers
    for index in matrices.indices {
      let layer = index * layers / max(matrices.count, 1)
      study.spectra.append(
        SpectrumChange(
          before: before.isEmpty ? nil : found[matrices.count + index], now: found[index],
          layer: layers == 1 ? "" : "layer \(layer)"))
    }
    let truncation = try model.truncationStudy(on: tokens, TruncationSettings()) {
      progress("truncating: \(Int($0 * 100)) %")
    }
    study.truncation = [NamedTruncation(name: name, study: truncation)]
    return study
  }
}

/// Two paths over the cliff: gradient descent as it is, and with clipping.
package struct ClippingDemonstration: Sendable, Encodable {
  package let learningRate = 0.1
  package let clipNorm = 0.1
  package let plain: [ErrorSurface.Place]
  package let clipped: [ErrorSurface.Place]

  package init() {
    let surface = ErrorSurface()
    plain = surface.descent(
      w: 5, b: -2.2, learningRate: learningRate, clipNorm: nil, updates: 100)
    clipped = surface.descent(
      w: 5, b: -2.2, learningRate: learningRate, clipNorm: clipNorm, updates: 100)
  }
}

/// The gradient's norm in the course of a training.
package struct GradientHistory: Sendable, Encodable {
  package let clipNorm: Double?
  let training: TrainingHistory

  /// - Parameter clipNorm: the training's setting; nil for none.
  package init(_ training: TrainingHistory, clipNorm: Double?) {
    self.training = training
    self.clipNorm = clipNorm
  }

  /// Steps that were logged with a norm.
  private var logged: [MetricsLine] { training.steps.filter { $0.gradientNorm != nil } }

  /// How often clipping acted, as a sentence.
  var finding: String {
    guard clipNorm != nil else { return "This training didn’t clip by norm." }
    let acted = logged.filter { $0.clipped == true }.count
    let share = training.clippedShares.map {
      ", \(($0.byNorm * 100).text(1)) % of all steps by norm"
    }
    return "Clipping acted in \(acted) of the \(logged.count) steps that were logged\(share ?? "")."
  }

  private enum CodingKeys: CodingKey {
    case clipNorm, finding, steps, norms, clipped
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(clipNorm, forKey: .clipNorm)
    try container.encode(finding, forKey: .finding)
    try container.encode(logged.map(\.step), forKey: .steps)
    try container.encode(logged.compactMap(\.gradientNorm), forKey: .norms)
    try container.encode(logged.map { $0.clipped ?? false }, forKey: .clipped)
  }
}
