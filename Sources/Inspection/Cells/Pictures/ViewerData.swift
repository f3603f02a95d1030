import Foundation
import Language
import Plots

/// What the page's script needs: activations of all units in the excerpt in 8 bits each, predictions,
/// and labels. As JSON with binary parts in base64.
struct ViewerData: Encodable {
  /// Activations that a page holds at most; in base64 they take 8 MB.
  static let largestCount = 6_000_000

  struct Layer: Encodable {
    let size: Int
    /// The name of what was recorded, and whether tanh brings it within ±1.
    let signal: String
    let isSquashed: Bool
    let gates: [Gate]
  }

  /// How often a gate of each unit is nearly shut and nearly open, in percent.
  struct Gate: Encodable {
    let name: String
    let shut, open: [Int]

    init(_ saturation: GateSaturation) {
      name = saturation.gate
      shut = saturation.left.map { Int(($0 * 100).rounded()) }
      open = saturation.right.map { Int(($0 * 100).rounded()) }
    }
  }

  struct Mark: Encodable {
    let name: String
    let kind: Probe.Kind
    /// What the labels 0 and 254 stand for; 255 is none.
    let low, high: Double
    /// Whether all labels are whole numbers.
    let isWhole: Bool
    let labels: Data
  }

  let layers: [Layer]
  /// `[units of all layers, characters]`, one byte q each: the number is
  /// sinh((q − 127) / 127 · scale), so that small numbers and large ones keep their digits.
  let values: Data
  /// By unit, of all layers.
  let scales: [Float]
  /// How the predicted tokens look.
  let tokens: [String]
  /// `[characters, 5]`: places in `tokens`, and probabilities in hundredths of a percent.
  let next, chances: Data
  let marks: [Mark]

  init(_ recording: ModelRecording, _ excerpt: Excerpt, _ vocabulary: Vocabulary, marks: [Mark]) {
    let places = excerpt.pieces.map { $0.token - excerpt.tokens.lowerBound }
    var values = Data(capacity: recording.units.unitCount * places.count)
    var layers: [Layer] = []
    var scales: [Float] = []
    for (index, layer) in recording.units.layers.enumerated() {
      var isBounded = layer.signal != "c"
      for unit in 0..<layer.size {
        let numbers = recording.units.values(
          of: UnitName(layer: index, unit: unit), at: excerpt.tokens)
        let bent = places.map { asinhf(numbers[$0]) }
        let scale = max(bent.reduce(0) { max($0, abs($1)) }, 1e-6)
        values.append(contentsOf: bent.map { UInt8(127 + ($0 / scale * 127).rounded()) })
        scales.append(scale)
        if scale > asinhf(1) { isBounded = false }
      }
      layers.append(
        Layer(
          size: layer.size, signal: layer.signal, isSquashed: !isBounded,
          gates: layer.saturation.map(Gate.init)))
    }
    (self.layers, self.values, self.scales) = (layers, values, scales)
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
    let low = kind == .yesNo ? 0 : Double(known.min() ?? 0)
    let high = kind == .yesNo ? 1 : Double(known.max() ?? 1)
    // Labels that are all equal are the low end of a scale; any other end will do.
    let span = high > low ? high - low : 1
    self.init(
      name: name, kind: kind, low: low, high: low + span,
      isWhole: known.allSatisfy { $0 == $0.rounded() } && span <= 254,
      labels: Data(
        labels.map { $0.isNaN ? 255 : UInt8(((Double($0) - low) / span * 254).rounded()) }))
  }
}
