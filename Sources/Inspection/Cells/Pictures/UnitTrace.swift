import Foundation
import Language
import Learning
import Plots
import Recurrence
import Tensors

/// Everything that one unit did in an excerpt: its states and its gates, token by token.
public struct UnitTrace: Sendable {
  public let unit: UnitName
  public let excerpt: Excerpt
  /// What colours the text: the name of one of `states`.
  public let signal: String
  /// By name, one number for each token of the excerpt.
  public let states: [(name: String, values: [Float])]
  public let gates: [(name: String, values: [Float])]
  public let colours: Colours

  /// What is blue, and what is red.
  public enum Colours: String, Sendable, CaseIterable {
    /// −1 and 1, of tanh(c) as in the paper, or of a state that stays within them.
    case squashed
    /// The least and the greatest number of the excerpt: for a unit that counts.
    case range
  }

  /// Reads an excerpt, beginning some tokens earlier.
  ///
  /// - Throws: ``UnitError`` if the model has no such unit, or a broken one.
  public init<Model: RecurrentModel>(
    of unit: UnitName, _ model: Model, reading text: InspectedText, excerpt: Excerpt,
    colours: Colours = .squashed
  ) throws(UnitError) {
    self.unit = unit
    self.colours = colours
    self.excerpt = excerpt
    let reading = StreamedReading(
      text.tokens, recording: excerpt.tokens, streams: 32, warmUp: ModelRecording.warmUp)
    var states: [(name: String, values: [Float])] = []
    var gates: [(name: String, values: [Float])] = []
    var signal = ""
    var problem: UnitError?
    reading.read(model) { step in
      guard problem == nil else { return }
      guard step.layers.indices.contains(unit.layer) else {
        problem = .noLayer(unit, layers: step.layers.count)
        return
      }
      let layer = step.layers[unit.layer]
      let units = layer.states.first?.values.shape[-1] ?? 0
      guard unit.unit < units else {
        problem = .noUnit(unit, units: units)
        return
      }
      signal = UnitRecorder.signal(of: layer)?.name ?? ""
      Self.collect(layer.states, unit.unit, step, reading, excerpt.tokens, into: &states)
      Self.collect(layer.gates, unit.unit, step, reading, excerpt.tokens, into: &gates)
    }
    if let problem { throw problem }
    guard (states + gates).allSatisfy({ $0.values.allSatisfy(\.isFinite) }) else {
      throw .notNumbers(unit)
    }
    (self.states, self.gates, self.signal) = (states, gates, signal)
  }

  private static func collect(
    _ tensors: [TracedTensor], _ unit: Int, _ step: StreamedReading.Step,
    _ reading: StreamedReading, _ tokens: Range<Int>,
    into all: inout [(name: String, values: [Float])]
  ) {
    if all.isEmpty {
      all = tensors.map { ($0.name, [Float](repeating: 0, count: tokens.count)) }
    }
    for (index, tensor) in tensors.enumerated() {
      let width = tensor.values.shape[-1]
      guard unit < width else { continue }
      tensor.values.withValues { values in
        step.forEachRecorded(in: reading) { row, position in
          all[index].values[position - tokens.lowerBound] = values[row * width + unit]
        }
      }
    }
  }

  /// From −1 to 1, for each token of the excerpt.
  var activations: [Float] {
    let values = states.first { $0.name == signal }?.values ?? []
    switch colours {
    case .squashed: return squashed(values, signal: signal)
    case .range: return stretched(values)
    }
  }

  /// The pieces of text that are shown, each with its activation.
  var colouredPieces: [(text: String, activation: Float)] {
    let activations = activations
    return excerpt.pieces.map { ($0.text, activations[$0.token - excerpt.tokens.lowerBound]) }
  }
}

/// A unit that there isn't, or that can't be shown.
public enum UnitError: Error, Equatable, Sendable, CustomStringConvertible {
  case noLayer(UnitName, layers: Int)
  case noUnit(UnitName, units: Int)
  case notNumbers(UnitName)

  public var description: String {
    switch self {
    case .noLayer(let unit, let layers):
      "There is no unit \(unit): the model's layers are 0 to \(layers - 1)."
    case .noUnit(let unit, let units):
      "There is no unit \(unit): the units of layer \(unit.layer) are 0 to \(units - 1)."
    case .notNumbers(let unit):
      "What unit \(unit) does aren't numbers, so the model's weights can't be whole; train it again."
    }
  }
}
