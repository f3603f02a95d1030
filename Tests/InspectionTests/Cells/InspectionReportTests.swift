import Foundation
import Inspection
import Language
import Learning
import Tensors
import Testing

@Suite struct InspectionReportTests {
  /// Sentences with quotations, and what must not end a script.
  private static let string = (0..<120).map {
    "Line \($0) is \"a saying</script> of \($0 % 7)\", no more.\r\nAnd (so it) goes on.\n\n"
  }.joined()

  private func model(_ cell: CellKind = .lstm) -> any RecurrentModel {
    ModelConfiguration(cell: cell, layers: 2, hiddenSize: 8).model(vocabularySize: 256, seed: 1)
  }

  private func text(_ string: String = Self.string) throws -> InspectedText {
    try InspectedText(SourceText(string, name: "t"), vocabulary: .bytes, limit: 1 << 20)
  }

  private func report(_ model: any RecurrentModel) throws -> InspectionReport {
    try InspectionReport(
      of: model, named: "m", vocabulary: .bytes, reading: text(), excerptLength: 600)
  }

  @Test func oneStreamIsExact() throws {
    let (model, text) = (model(), try text())
    let recording = try ModelRecording.record(
      model, reading: text, excerpt: 10..<12, streams: 1)
    let expected = model.crossEntropy(of: TokenSequence(text.tokens), streams: 1) { _ in }
    #expect(recording.crossEntropy.tokens == text.tokens.count - 1)
    #expect(abs(recording.crossEntropy.nats - expected.nats) < 1e-5)
    var predictor = model.predictor()
    var logits: [Float] = []
    for token in text.tokens[...11] { logits = predictor.logits(after: token) }
    let likeliest = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(5)
    let guesses = recording.predictions[1]
    #expect(guesses.map { Int($0.token) } == Array(likeliest))
    let sum = logits.reduce(0) { $0 + exp(Double($1)) }
    for guess in guesses {
      #expect(abs(Double(guess.probability) - exp(Double(logits[Int(guess.token)])) / sum) < 1e-5)
    }
  }

  @Test func severalStreamsReadTheSame() throws {
    let (model, text) = (model(), try text())
    let one = try ModelRecording.record(model, reading: text, excerpt: 0..<1, streams: 1)
    let many = try ModelRecording.record(model, reading: text, excerpt: 0..<1, streams: 7)
    #expect(many.crossEntropy.tokens == one.crossEntropy.tokens)
    #expect(abs(many.crossEntropy.nats - one.crossEntropy.nats) < 1e-3)
    for unit in [UnitName(layer: 0, unit: 3), UnitName(layer: 1, unit: 0)] {
      let (a, b) = [one, many].map { $0.units.values(of: unit, at: 0..<text.tokens.count) }
        .pair
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 2e-3 })
    }
  }

  @Test(arguments: [CellKind.lstm, .gru, .elman, .elmanReLU])
  func thePageHoldsAll(cell: CellKind) throws {
    let report = try report(model(cell))
    let html = try report.page().html
    #expect(html.components(separatedBy: "<i class=").count > 600)
    // Two script elements: the data, and the script.
    #expect(html.components(separatedBy: "</script>").count == 3)
    #expect(!html.contains("http://") || !html.contains("src=\"http"))
    let gates: Int
    switch cell {
    case .lstm: gates = 3
    case .gru: gates = 2
    case .elman, .elmanReLU: gates = 0
    }
    #expect(report.recording.units.layers[0].saturation.count == gates)
    #expect(html.contains("Forget gate") == (cell == .lstm))
  }

  /// Labels that are all equal where the page shows them, and labels as far apart as can be.
  @Test(arguments: ["0 999999 40", "0 999999 1e15\n6000 999999 -1e15\n7000 7001 1e15"])
  func anyGradedLabelsCanBeShown(labels: String) throws {
    let text = try text(Self.string + Self.string)
    let lines = labels.replacing("999999", with: "\(text.characters.count)")
    let file = try LabelFile(lines + "\n0 10 1\n", name: "mine", source: "f")
    #expect(file.kind == .graded)
    let report = try InspectionReport(
      of: model(), named: "m", vocabulary: .bytes, reading: text, labels: [file],
      excerptLength: 600)
    #expect(try report.page().html.contains("mine"))
  }

  @Test func theDataAreWhatTheScriptReads() throws {
    let report = try report(model())
    let html = try report.page().html
    let begin = try #require(html.range(of: "id=\"data\">"))
    let end = try #require(html.range(of: "</script>", range: begin.upperBound..<html.endIndex))
    let json = Data(html[begin.upperBound..<end.lowerBound].utf8)
    let data = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    let values = try #require((data["values"] as? String).flatMap { Data(base64Encoded: $0) })
    let scales = try #require(data["scales"] as? [Double])
    let count = report.excerpt.tokens.count  // One token a character here.
    #expect(values.count == 16 * count && scales.count == 16)
    let recorded = report.recording.units.values(
      of: UnitName(layer: 1, unit: 2), at: report.excerpt.tokens)
    for index in 0..<count {
      let shown = sinh((Double(values[10 * count + index]) - 127) / 127 * scales[10])
      #expect(abs(shown - Double(recorded[index])) < 0.01)
    }
    let next = try #require((data["next"] as? String).flatMap { Data(base64Encoded: $0) })
    let tokens = try #require(data["tokens"] as? [String])
    let places = stride(from: 0, to: next.count, by: 2).map {
      Int(next[$0]) + Int(next[$0 + 1]) << 8
    }
    #expect(places.count == 5 * count && places.allSatisfy(tokens.indices.contains))
  }

  @Test func theSameTextAndModelGiveTheSameBytes() throws {
    #expect(try report(model()).page().html == report(model()).page().html)
  }

  @Test func oneUnitInEveryFormat() throws {
    let (model, text) = (model(), try text())
    let excerpt = Excerpt(of: text, from: 0, length: 300)
    let unit = UnitName(layer: 1, unit: 2)
    let trace = try UnitTrace(of: unit, model, reading: text, excerpt: excerpt)
    #expect(trace.states.map(\.name) == ["h", "c"])
    #expect(trace.gates.map(\.name) == ["input", "forget", "output"])
    let recording = try ModelRecording.record(model, reading: text, excerpt: 0..<1, streams: 1)
    let c = recording.units.values(of: unit, at: 0..<300)
    #expect(zip(trace.states[1].values, c).allSatisfy { abs($0 - $1) < 1e-3 })
    let coloured = trace.terminalText(isColoured: true)
    #expect(coloured.contains("\u{1B}[38;5;16;48;5;") && coloured.hasSuffix("\n"))
    let plain = trace.terminalText(isColoured: false)
    #expect(plain.hasPrefix("Line 0 is \"a saying</script> of 0\", no more.\n"))
    #expect(!plain.contains("\u{1B}"))
    #expect(trace.svg.hasPrefix("<svg") && !trace.svg.contains("</script>"))
    #expect(trace.page.html.contains("Gates"))
  }

  @Test func anySignalCanBeAskedAbout() throws {
    let (model, text) = (model(), try text())
    let unit = UnitName(layer: 1, unit: 5)
    let trace = try UnitTrace(
      of: unit, model, reading: text, excerpt: Excerpt(of: text, from: 0, length: 300))
    for (name, values) in trace.states + trace.gates {
      let recording = try ModelRecording.record(
        model, reading: text, excerpt: 0..<1, streams: 1, signal: name)
      #expect(recording.units.layers.map(\.signal) == [name, name])
      let recorded = recording.units.values(of: unit, at: 0..<300)
      #expect(zip(values, recorded).allSatisfy { abs($0 - $1) < 1e-3 })
    }
    #expect(throws: RecordingError.noSignal("z", known: ["h", "c", "input", "forget", "output"])) {
      try ModelRecording.record(model, reading: text, excerpt: 0..<1, signal: "z")
    }
  }

  @Test func brokenWeightsAreRefused() throws {
    for (name, error) in [
      ("decoder.bias", RecordingError.noPredictions), ("lstm.bias_hh_l1", .notNumbers(layer: 1)),
    ] {
      let model = model()
      let parameter = try #require(model.parameters.first { $0.name == name }?.parameter)
      parameter.value = parameter.value * Float.nan
      #expect(throws: error) { try report(model) }
      guard case .notNumbers = error else { continue }
      let text = try text()
      let unit = UnitName(layer: 1, unit: 3)
      #expect(throws: UnitError.notNumbers(unit)) {
        try UnitTrace(
          of: unit, model, reading: text, excerpt: Excerpt(of: text, from: 0, length: 300))
      }
    }
  }

  @Test func labelsBeyondTheTextAreRefused() throws {
    let text = try text()
    let last = text.characters.count
    #expect(try text.labels(of: LabelFile("5 \(last)", name: "n", source: "f")).last == 1)
    #expect(throws: ProbeError.self) {
      try text.labels(of: LabelFile("5 \(last + 1)", name: "n", source: "f"))
    }
  }

  @Test func aUnitThatThereIsNotIsRefused() throws {
    let (model, text) = (model(), try text())
    let excerpt = Excerpt(of: text, from: 0, length: 300)
    for unit in [UnitName(layer: 2, unit: 0), UnitName(layer: 0, unit: 8)] {
      #expect(throws: UnitError.self) {
        try UnitTrace(of: unit, model, reading: text, excerpt: excerpt)
      }
    }
  }
}

extension [[Float]] {
  fileprivate var pair: ([Float], [Float]) { (self[0], self[1]) }
}
