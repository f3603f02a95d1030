import Foundation
import Language
import Learning
import Recurrence
import Tensors

/// What truncated BPTT does to the gradient: its bias and its variance as the window k grows.
///
/// A sample is a stretch of T steps of B streams. Its full gradient g flows back over all T steps;
/// g_k is cut every k steps. With r = √E‖g‖², over all samples:
///
///     cosine         E[g_k·g / (‖g_k‖·‖g‖)]
///     relative norm  E[‖g_k‖ / ‖g‖]
///     bias           ‖E[g_k − g]‖ / r
///     deviation      √E‖g_k − E g_k‖² / r
///
/// Bias and variance are estimated without bias themselves: the share that the finite number of
/// samples adds is taken off.
public struct TruncationStudy: Sendable, Equatable, Encodable {
  public struct Point: Sendable, Equatable, Encodable {
    /// k, over how many steps gradients flow back at most.
    public let window: Int
    public let cosine, relativeNorm, bias, deviation: Double

    package init(
      window: Int, cosine: Double, relativeNorm: Double, bias: Double, deviation: Double
    ) {
      (self.window, self.cosine, self.relativeNorm) = (window, cosine, relativeNorm)
      (self.bias, self.deviation) = (bias, deviation)
    }
  }

  /// T; at k = T nothing is cut.
  public let steps: Int
  public let batch: Int
  public let samples: Int
  public let points: [Point]

  package init(steps: Int, batch: Int, samples: Int, points: [Point]) {
    (self.steps, self.batch, self.samples, self.points) = (steps, batch, samples, points)
  }

  /// Where the cosine first reaches a value, or nil.
  public func window(reachingCosine cosine: Double) -> Int? {
    points.first { $0.cosine >= cosine }?.window
  }
}

/// The sizes of such a study.
public struct TruncationSettings: Sendable, Equatable {
  public var steps = 128
  public var batch = 8
  public var samples = 8

  public init() {}
}

extension RecurrentLanguageModel {
  /// Measures truncation on a text, with the state carried from sample to sample.
  ///
  /// A text that is too short for the settings gives fewer samples, of fewer streams.
  ///
  /// - Parameter progress: gets the fraction that is done.
  /// - Throws: `CorpusError.tooShort` for a text without two samples of 16 steps.
  /// - Complexity: about log₂ T + 2 forward and backward passes a sample, and memory for as many
  ///   gradients.
  public func truncationStudy(
    on tokens: TokenSequence, _ settings: TruncationSettings, progress: (Double) -> Void = { _ in }
  ) throws -> TruncationStudy {
    let available = tokens.count - 1
    var settings = settings
    while settings.batch > 1, available < 2 * settings.batch * settings.steps {
      settings.batch /= 2
    }
    while settings.steps > 16, available < 2 * settings.steps { settings.steps /= 2 }
    settings.samples = min(settings.samples, available / (settings.batch * settings.steps))
    guard settings.samples >= 2 else {
      throw CorpusError.tooShort("the text", tokens: tokens.count, needed: 33)
    }
    let streams = Streams(tokens, batch: settings.batch)
    var windows = [1]
    while let last = windows.last, 2 * last <= settings.steps { windows.append(2 * last) }
    var statistics = windows.map { _ in TruncationStatistics(parameters) }
    var state: Core.State?
    for sample in 0..<settings.samples {
      let window = streams.window(sample * settings.steps..<(sample + 1) * settings.steps)
      let full = gradients(window, from: state, truncatedEvery: settings.steps)
      for (index, length) in windows.enumerated() {
        let cut =
          length == settings.steps
          ? full : gradients(window, from: state, truncatedEvery: length)
        statistics[index].add(cut, full: full)
        progress(
          Double(sample * windows.count + index + 1) / Double(settings.samples * windows.count))
      }
      state = withoutGradients { hidden(window, from: state, mode: .inference).state }
    }
    return TruncationStudy(
      steps: settings.steps, batch: settings.batch, samples: settings.samples,
      points: zip(windows, statistics).map { $1.point(window: $0) })
  }

  /// The gradients of the mean cross-entropy of a window, cut every so many steps.
  private func gradients(_ window: Window, from state: Core.State?, truncatedEvery length: Int)
    -> Gradients
  {
    let inputs = embedding.tensor.gathering(window.inputs, leading: [window.steps, window.batch])
    let (hidden, _) = unfold(core, over: inputs, from: state, truncatedEvery: length)
    return readout.crossEntropies(hidden, targets: window.targets).mean.backward()
  }
}

/// Sums over the samples for one window.
private struct TruncationStatistics {
  private let parameters: [(name: String, parameter: Parameter)]
  /// Σ g_k and Σ (g_k − g), for each parameter.
  private var sums: [Tensor]
  private var differences: [Tensor]
  private var samples = 0.0
  private var cosines = 0.0
  private var ratios = 0.0
  /// Σ‖g_k‖², Σ‖g_k − g‖², Σ‖g‖².
  private var squares = (cut: 0.0, difference: 0.0, full: 0.0)

  init(_ parameters: [(name: String, parameter: Parameter)]) {
    self.parameters = parameters
    sums = parameters.map { Tensor(zeros: $0.parameter.shape) }
    differences = sums
  }

  mutating func add(_ cut: Gradients, full: Gradients) {
    var (ofCut, ofFull, ofDifference) = (0.0, 0.0, 0.0)
    for (index, entry) in parameters.enumerated() {
      guard let g = full[entry.parameter], let gk = cut[entry.parameter] else { continue }
      let difference = (gk - g).detached
      ofCut += gk.sumOfSquares
      ofFull += g.sumOfSquares
      ofDifference += difference.sumOfSquares
      sums[index] = (sums[index] + gk).detached
      differences[index] = (differences[index] + difference).detached
    }
    samples += 1
    // g_k·g = (‖g_k‖² + ‖g‖² − ‖g_k − g‖²) / 2
    let product = (ofCut + ofFull - ofDifference) / 2
    cosines += product / max((ofCut * ofFull).squareRoot(), 1e-300)
    ratios += (ofCut / max(ofFull, 1e-300)).squareRoot()
    squares.cut += ofCut
    squares.full += ofFull
    squares.difference += ofDifference
  }

  func point(window: Int) -> TruncationStudy.Point {
    let ofSum = sums.reduce(0) { $0 + $1.sumOfSquares }
    let ofDifferences = differences.reduce(0) { $0 + $1.sumOfSquares }
    let scale = max(squares.full / samples, 1e-300)
    let bias = (ofDifferences - squares.difference) / (samples * (samples - 1))
    let variance = (squares.cut - ofSum / samples) / (samples - 1)
    return TruncationStudy.Point(
      window: window, cosine: cosines / samples, relativeNorm: ratios / samples,
      bias: (max(bias, 0) / scale).squareRoot(), deviation: (max(variance, 0) / scale).squareRoot())
  }
}
