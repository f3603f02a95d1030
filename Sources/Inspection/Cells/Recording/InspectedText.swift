import Foundation
import Language
import Tensors

/// The text that an inspection reads, as the model sees it: tokens, and the characters that they
/// complete.
///
/// A long text is sampled: passages, evenly spaced, each from the beginning of a paragraph (in
/// source code, from a line after a blank one that isn't indented).
public struct InspectedText: Sendable {
  /// A contiguous part of the text.
  struct Passage: Sendable {
    /// Its tokens among those of the whole sample.
    let tokens: Range<Int>
    /// Its characters among those of the whole sample.
    let characters: Range<Int>
    /// Bytes of the whole text before it.
    let byteOffset: Int
  }

  public let name: String
  public let tokens: [Int32]
  /// As the text has them, those among them that the vocabulary lacks too.
  public let characters: [Unicode.Scalar]
  public let syntax: TextSyntax
  /// Characters left out, or words read as `<unk>`, because the vocabulary lacks them.
  public let outOfVocabulary: Int
  /// Bytes of the whole text, and of the passages that are read.
  public let bytes: (whole: Int, read: Int)
  /// The character that each token completes; −1 for a byte within a character, and for the end of a
  /// last line that has no line feed.
  let characterOfToken: [Int32]
  let passages: [Passage]
  private let source: SourceText

  /// - Parameters:
  ///   - limit: how many bytes are read at most.
  ///   - syntax: nil to guess it from the text.
  /// - Throws: `CorpusError`, `VocabularyError`.
  public init(
    _ text: SourceText, vocabulary: Vocabulary, limit: Int, syntax: TextSyntax? = nil
  ) throws {
    let parts = Self.passages(of: text.bytes, limit: limit)
    var builder = Builder(vocabulary: vocabulary)
    for part in parts { try builder.append(part, of: text) }
    guard builder.tokens.count >= 16 else {
      throw CorpusError.tooShort(text.name, tokens: builder.tokens.count, needed: 16)
    }
    name = text.name
    source = text
    tokens = builder.tokens
    characters = builder.characters
    characterOfToken = builder.characterOfToken
    passages = builder.passages
    outOfVocabulary = builder.outOfVocabulary
    bytes = (text.bytes.count, parts.reduce(0) { $0 + $1.count })
    self.syntax = syntax ?? TextSyntax(guessing: builder.characters.prefix(1 << 18))
  }

  /// A probe's label for each token: that of the character which it completes; NaN where the
  /// question doesn't apply, and for a token that completes none.
  package func labels(of probe: Probe) -> [Float] {
    tokenLabels { passage in
      probe.labels(ProbedText(Array(characters[passage.characters]), syntax: syntax))
    }
  }

  /// As above, for labels from a file.
  ///
  /// - Throws: ``ProbeError/uncountable(file:reason:)``.
  package func labels(of file: LabelFile) throws(ProbeError) -> [Float] {
    if passages.count > 1, !source.bytes.isUTF8 {
      throw .uncountable(
        file: file.name,
        reason: "the text is sampled and isn't UTF-8, so that its characters can't be counted; "
          + "read all of it, with a larger --limit")
    }
    let last = file.ranges.map(\.range.upperBound).max() ?? 0
    if bytes.read == bytes.whole, last > characters.count {
      throw .uncountable(
        file: file.name,
        reason: "they reach to character \(last), and the text has \(characters.count)")
    }
    // Passages come in the order of the text.
    var (byte, start) = (source.bytes.startIndex, 0)
    return tokenLabels { passage in
      let next = source.bytes.startIndex + passage.byteOffset
      // A character's later bytes are 10xxxxxx.
      start += source.bytes[byte..<next].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
      byte = next
      return file.labels(of: start..<start + passage.characters.count)
    }
  }

  private func tokenLabels(_ labels: (Passage) -> [Float?]) -> [Float] {
    var result = [Float](repeating: .nan, count: tokens.count)
    for passage in passages {
      let labels = labels(passage)
      for token in passage.tokens where characterOfToken[token] >= 0 {
        let index = Int(characterOfToken[token]) - passage.characters.lowerBound
        if let label = labels[index] { result[token] = label }
      }
    }
    return result
  }
}

extension InspectedText {
  /// Byte ranges of the passages: all of the text if it is short enough.
  package static func passages(of bytes: Data, limit: Int) -> [Range<Data.Index>] {
    let whole = bytes.startIndex..<bytes.endIndex
    guard bytes.count > limit else { return [whole] }
    let count = max(1, min(16, limit / 4096))
    let length = limit / count
    return (0..<count).map { index in
      let from = whole.lowerBound + bytes.count / count * index
      let start = index == 0 ? from : paragraph(in: bytes, from: from, atMost: length / 4)
      var end = min(start + length, whole.upperBound)
      // Not within a character: its later bytes are 10xxxxxx.
      while end > start, end < whole.upperBound, bytes[end] & 0xC0 == 0x80 { end -= 1 }
      return start..<end
    }
  }

  /// The first line at or after `from` that isn't indented and follows a blank one; else the first
  /// line; else the first whole character.
  private static func paragraph(in bytes: Data, from: Int, atMost reach: Int) -> Int {
    let end = min(from + reach, bytes.endIndex)
    let newline = UInt8(ascii: "\n")
    var firstLine: Int?
    var index = from
    while index < end {
      defer { index += 1 }
      guard bytes[index] == newline, index + 1 < end else { continue }
      let next = index + 1
      firstLine = firstLine ?? next
      let before = index > 0 && bytes[index - 1] == UInt8(ascii: "\r") ? index - 2 : index - 1
      let followsBlank = before >= bytes.startIndex && bytes[before] == newline
      let isIndented = [UInt8(ascii: " "), UInt8(ascii: "\t"), newline, UInt8(ascii: "\r")]
        .contains(bytes[next])
      if followsBlank, !isIndented { return next }
    }
    if let firstLine { return firstLine }
    var start = from
    while start < bytes.endIndex, bytes[start] & 0xC0 == 0x80 { start += 1 }
    return start
  }
}

extension Data {
  fileprivate var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }
}

/// Collects passages.
private struct Builder {
  let vocabulary: Vocabulary
  var tokens: [Int32] = []
  var characters: [Unicode.Scalar] = []
  var characterOfToken: [Int32] = []
  var passages: [InspectedText.Passage] = []
  var outOfVocabulary = 0

  mutating func append(_ part: Range<Data.Index>, of text: SourceText) throws {
    let bytes = text.bytes[part]
    let encoded = try vocabulary.encode(bytes, source: text.name)
    let (firstToken, firstCharacter) = (tokens.count, characters.count)
    switch vocabulary.unit {
    case .bytes, .bpe: appendSpelled(encoded.tokens)
    case .characters: appendCharacters(of: bytes, encoded.tokens)
    case .words: try appendWords(of: bytes)
    }
    tokens += encoded.tokens
    outOfVocabulary += encoded.outOfVocabulary
    passages.append(
      InspectedText.Passage(
        tokens: firstToken..<tokens.count, characters: firstCharacter..<characters.count,
        byteOffset: part.lowerBound - text.bytes.startIndex))
  }

  /// Of tokens that spell the text byte for byte.
  private mutating func appendSpelled(_ tokens: [Int32]) {
    var assembler = UTF8Assembler()
    var previous: Int32?
    for token in tokens {
      var spelling: [UInt8] = []
      vocabulary.append(token, after: previous, to: &spelling)
      previous = token
      let completed = assembler.append(spelling).unicodeScalars
      characters.append(contentsOf: completed)
      characterOfToken.append(completed.isEmpty ? -1 : Int32(characters.count - 1))
    }
  }

  /// A character without a token is one that the vocabulary lacks: it equals none that a token stands
  /// for.
  private mutating func appendCharacters(of bytes: Data, _ tokens: [Int32]) {
    var spellings: [Int32: Unicode.Scalar] = [:]
    var rest = tokens[...]
    for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      characters.append(character)
      guard let token = rest.first else { continue }
      let spelling =
        spellings[token]
        ?? String(decoding: vocabulary.decode([token]), as: UTF8.self).unicodeScalars.first
      spellings[token] = spelling
      guard spelling == character else { continue }
      characterOfToken.append(Int32(characters.count - 1))
      rest.removeFirst()
    }
  }

  private mutating func appendWords(of bytes: Data) throws {
    var ends = try vocabulary.wordEnds(in: bytes)[...]
    var byte = 0
    for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      characters.append(character)
      byte += UTF8.width(character)
      while let end = ends.first, end <= byte {
        characterOfToken.append(Int32(characters.count - 1))
        ends.removeFirst()
      }
    }
    characterOfToken += ends.map { _ in -1 }
  }
}
