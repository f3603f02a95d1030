import Foundation
import Testing

/// Text and settings for trainings that take a fraction of a second.
enum Small {
  /// Lines of words in a pseudo-random order, with characters of one to four bytes.
  static func text(lines: Int = 300, seed: UInt64 = 1) -> String {
    let words = ["the", "fox", "hunter", "sees", "naïve", "über", "日本", "🦊", "runs", "."]
    var state = seed
    return (0..<lines).map { _ in
      (0..<8).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return words[Int(state >> 33) % words.count]
      }.joined(separator: " ")
    }.joined(separator: "\n")
  }

  static let settings = [
    "--hidden", "8", "--layers", "1", "--batch", "4", "--window", "16", "--epochs", "1",
    "--threads", "1",
  ]
}

extension Workplace {
  /// A workplace with a text, and with a model `run` that was trained on it.
  static func withModel(tokens: String = "characters") throws -> Workplace {
    let place = try Workplace()
    try place.write(Small.text(), to: "text")
    let result = try place.unfold(
      ["train", "text", "--out", "run", "--tokens", tokens] + Small.settings)
    try #require(result.code == 0, "\(result.error)")
    return place
  }
}

/// Expects that a command refused in one sentence: the right code, and nothing but that on standard
/// error, and nothing on standard output.
func expectRefusal(
  _ result: Workplace.Result, _ code: Int32, _ parts: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.code == code, "\(result.error)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, sourceLocation: sourceLocation)
  expectSentence(result.errorLines.dropLast(), parts, sourceLocation)
}

/// As `expectRefusal`, for a command that had work to report before it failed.
func expectFailure(
  _ result: Workplace.Result, _ code: Int32, _ parts: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.code == code, "\(result.error)", sourceLocation: sourceLocation)
  expectSentence(result.errorLines.dropLast().suffix(1), parts, sourceLocation)
}

private func expectSentence(
  _ lines: ArraySlice<Substring>, _ parts: [String], _ location: SourceLocation
) {
  #expect(lines.count == 1, "\(lines.joined(separator: "\n"))", sourceLocation: location)
  let sentence = lines.first ?? ""
  let isSentence = sentence.hasPrefix("unfold: ") && (sentence.last == "." || sentence.last == "?")
  #expect(isSentence, "\(sentence)", sourceLocation: location)
  #expect(!sentence.contains("Fatal error"), sourceLocation: location)
  for part in parts {
    #expect(sentence.contains(part), "\(sentence)", sourceLocation: location)
  }
}
