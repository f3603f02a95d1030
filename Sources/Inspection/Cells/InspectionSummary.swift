import Language

/// What an inspection found, as data: one JSON object.
public struct InspectionSummary: Sendable, Encodable {
  struct Layer: Sendable, Encodable {
    let layer, units: Int
    /// What was recorded of its units: c, h.
    let signal: String
    let gates: [GateSaturation]
  }

  let model, text, syntax: String
  let tokens, bytes, bytesRead, outOfVocabulary: Int
  let natsPerToken, perplexity: Double
  let layers: [Layer]
  let probes: [CellInspection.ProbeResult]

  public init(_ report: InspectionReport) {
    model = report.model
    text = report.text.name
    syntax = report.text.syntax.rawValue
    tokens = report.text.tokens.count
    (bytes, bytesRead) = report.text.bytes
    outOfVocabulary = report.text.outOfVocabulary
    natsPerToken = report.recording.crossEntropy.nats
    perplexity = report.recording.crossEntropy.perplexity
    layers = report.recording.units.layers.enumerated().map { index, layer in
      Layer(layer: index, units: layer.size, signal: layer.signal, gates: layer.saturation)
    }
    probes = report.results
  }
}
