import Tensors

/// Writes text with a language model, token by token.
public struct TextGenerator {
  private let vocabulary: Vocabulary
  private var batch: TextBatch
  /// How many tokens have been written.
  public private(set) var count = 0

  /// Reads the prompt, as ``TextBatch`` does.
  ///
  /// - Throws: `VocabularyError` for a prompt with tokens that the model doesn't know.
  public init(
    _ model: any LanguageModel, vocabulary: Vocabulary, prompt: String = "",
    sampling: Sampling = Sampling(), seed: UInt64 = 0
  ) throws {
    self.vocabulary = vocabulary
    batch = try TextBatch(
      model, vocabulary: vocabulary, prompt: prompt, sampling: sampling, seeds: [seed])
  }

  /// Draws the next token.
  public mutating func next() -> Int32 {
    count += 1
    return batch.next()[0]
  }

  /// Writes `length` tokens, or until the text holds `stop`.
  ///
  /// - Parameter write: gets the text piece by piece, never part of a character.
  public mutating func write(
    length: Int, until stop: String? = nil, after prompt: [Int32] = [],
    to write: (String) throws -> Void
  ) rethrows {
    var text = TextStream(vocabulary, after: prompt)
    var guardian = StopString(stop)
    for _ in 0..<length {
      let (piece, stopped) = guardian.pass(text.append(next()))
      if !piece.isEmpty { try write(piece) }
      if stopped { return }
    }
    let rest = guardian.pass(text.finish()).text + guardian.finish()
    if !rest.isEmpty { try write(rest) }
  }
}

extension Vocabulary {
  /// What is read before a text is written: the prompt, and what it begins after.
  ///
  /// - Throws: `VocabularyError` for a prompt with unknown tokens.
  func context(prompt: String) throws -> [Int32] {
    let tokens = try encode(prompt: prompt)
    // A line of words begins after the end of another; characters begin with themselves.
    return unit == .words || tokens.isEmpty ? [lineEnd ?? 0] + tokens : tokens
  }

  /// What isn't written: the mark for unknown words, unless there is nothing else.
  var undrawn: Int32? { unit == .words && count > 2 ? Self.unknownWord : nil }
}

/// Holds text back as long as it may be the beginning of a stop string, which isn't written.
///
/// By scalars, not by characters: where these end isn't known before the next piece of text.
package struct StopString {
  private let stop: [Unicode.Scalar]
  private var held: [Unicode.Scalar] = []

  /// - Parameter stop: nil or empty for none.
  package init(_ stop: String?) { self.stop = Array((stop ?? "").unicodeScalars) }

  /// What of the text so far can be written now, and whether the stop string has come.
  package mutating func pass(_ text: String) -> (text: String, stopped: Bool) {
    guard !stop.isEmpty else { return (text, false) }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      held.append(scalar)
      if held == stop {
        held = []
        return (String(out), true)
      }
      // What is held is the longest end of the text that begins the stop string.
      while !stop.starts(with: held) { out.append(held.removeFirst()) }
    }
    return (String(out), false)
  }

  /// What was held back, now that no more text comes.
  package mutating func finish() -> String {
    defer { held = [] }
    var out = String.UnicodeScalarView()
    out.append(contentsOf: held)
    return String(out)
  }
}
