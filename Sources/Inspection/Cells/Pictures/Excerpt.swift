import Foundation
import Language

/// The part of a text that pictures show, character by character as they are completed by tokens.
public struct Excerpt: Sendable {
  /// A token that completes something to show.
  struct Piece: Sendable {
    /// Its place among the tokens of the whole sample.
    let token: Int
    let text: String
  }

  /// The tokens that it covers.
  public let tokens: Range<Int>
  let pieces: [Piece]

  /// - Parameters:
  ///   - start: the first token, moved on to the next line's first if one begins soon.
  ///   - length: how many tokens at most.
  public init(of text: InspectedText, from start: Int, length: Int) {
    let begin = Self.lineStart(text, from: start)
    tokens = begin..<min(begin + max(length, 1), text.tokens.count)
    var next = tokens.lowerBound == 0 ? 0 : Self.end(text, before: tokens.lowerBound)
    var pieces: [Piece] = []
    for token in tokens where text.characterOfToken[token] >= 0 {
      let last = Int(text.characterOfToken[token])
      var piece = ""
      if next <= last { piece.unicodeScalars.append(contentsOf: text.characters[next...last]) }
      pieces.append(Piece(token: token, text: piece))
      next = last + 1
    }
    self.pieces = pieces
  }

  /// The character after those that the tokens before `token` complete.
  private static func end(_ text: InspectedText, before token: Int) -> Int {
    text.characterOfToken[..<token].last { $0 >= 0 }.map { Int($0) + 1 } ?? 0
  }

  private static func lineStart(_ text: InspectedText, from start: Int) -> Int {
    guard start > 0, start < text.tokens.count else { return 0 }
    let reach = start..<min(start + 500, text.tokens.count - 1)
    let end = reach.first { token in
      let character = text.characterOfToken[token]
      return character >= 0 && text.characters[Int(character)] == "\n"
    }
    return end.map { $0 + 1 } ?? start
  }
}

/// How far a unit is towards −1 or 1: tanh of a memory c, as in the paper; a state that stays
/// within ±1 by itself is shown as it is.
func squashed(_ values: [Float], signal: String) -> [Float] {
  let isBounded = signal != "c" && values.allSatisfy { abs($0) <= 1 }
  return isBounded ? values : values.map { ($0.isFinite ? tanhf($0) : 0) }
}

/// From −1 for the least of the values to 1 for the greatest.
func stretched(_ values: [Float]) -> [Float] {
  guard let least = values.min(), let greatest = values.max(), greatest > least else {
    return values.map { _ in 0 }
  }
  return values.map { 2 * ($0 - least) / (greatest - least) - 1 }
}
