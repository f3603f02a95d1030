import Foundation
import Language
import Plots

/// What the page's script needs: activations of all units in the excerpt in 8 bits each, predictions,
/// and labels. As JSON with binary parts in base64.
struct ViewerData: Encodable {
  /// Activations that a page holds at most; in base64 they take 8 MB.
  static let largestCount = 6_000_000

  struct Layer: Encodable { let size: Int }

  struct Mark: Encodable {
    let name: String
    let kind: Probe.Kind
    /// What the labels 0 and 254 stand for; 255 is none.
    let low, high: Float
    let labels: Data
  }

  let layers: [Layer]
  /// `[units of all layers, characters]`: −1 is 0, 0 is 127, 1 is 254.
  let values: Data
  /// How the predicted tokens look.
  let tokens: [String]
  /// `[characters, 5]`: places in `tokens`, and probabilities in hundredths of a percent.
  let next, chances: Data
  let marks: [Mark]

  init(_ recording: ModelRecording, _ excerpt: Excerpt, _ vocabulary: Vocabulary, marks: [Mark]) {
    layers = recording.units.layers.map { Layer(size: $0.size) }
    let places = excerpt.pieces.map { $0.token - excerpt.tokens.lowerBound }
    var values = Data(capacity: recording.units.unitCount * places.count)
    for (index, layer) in recording.units.layers.enumerated() {
      for unit in 0..<layer.size {
        let numbers = recording.units.values(
          of: UnitName(layer: index, unit: unit), at: excerpt.tokens)
        let activations = squashed(numbers, signal: layer.signal)
        values.append(
          contentsOf: places.map { UInt8(127 + (activations[$0] * 127).rounded()) })
      }
    }
    self.values = values
    var (next, chances) = (Data(), Data())
    var places16: [Int32: UInt16] = [:]
    var labels: [String] = []
    for place in places {
      let guesses = recording.predictions[place]
      for rank in 0..<5 {
        let guess = guesses.indices.contains(rank) ? guesses[rank] : nil
        var token: UInt16 = 0
        if let guess {
          token = places16[guess.token] ?? UInt16(clamping: labels.count)
          if places16.updateValue(token, forKey: guess.token) == nil {
            labels.append(vocabulary.label(of: guess.token))
          }
        }
        Self.append(token, to: &next)
        Self.append(UInt16((guess?.probability ?? 0) * 10_000), to: &chances)
      }
    }
    (self.next, self.chances, tokens) = (next, chances, labels)
    self.marks = marks
  }

  private static func append(_ number: UInt16, to data: inout Data) {
    data.append(UInt8(number & 0xFF))
    data.append(UInt8(number >> 8))
  }

  /// A script element that holds the data; nothing in it can end the element.
  func html() throws -> HTML {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(self), as: UTF8.self)
    let safe = json.split(separator: "<", omittingEmptySubsequences: false)
      .joined(separator: "\\u003c")
    return HTML(raw: "<script type=\"application/json\" id=\"data\">\(safe)</script>\n")
  }
}

extension ViewerData.Mark {
  /// - Parameter labels: of the excerpt's characters, NaN where the question doesn't apply.
  init(_ name: String, _ kind: Probe.Kind, labels: [Float]) {
    let known = labels.filter { !$0.isNaN }
    let low = kind == .yesNo ? 0 : known.min() ?? 0
    let high = kind == .yesNo ? 1 : max(known.max() ?? 1, low + 1e-6)
    self.init(
      name: name, kind: kind, low: low, high: high,
      labels: Data(
        labels.map { $0.isNaN ? 255 : UInt8(((($0 - low) / (high - low)) * 254).rounded()) }))
  }
}
