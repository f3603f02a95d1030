import Foundation
import Interchange

/// A vocabulary as JSON: `{"unit":"characters","tokens":["\n"," ","a"]}`; bytes need no list. One of
/// words says how they are split, unless by white space: `{"unit":"words","splitting":…`. One of byte
/// pairs is a `tokenizer.json`.
extension Vocabulary {
  /// The file's content; the same vocabulary always gives the same bytes.
  public func json() throws -> Data {
    if let bytePairs { return tokenizerJSON(bytePairs) }
    guard unit != .bytes else { return Data(#"{"unit":"bytes"}"#.utf8) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let tokens = try encoder.encode(spellings.map { String(decoding: $0, as: UTF8.self) })
    let split = splitting == .whitespace ? "" : #""splitting":"\#(splitting.rawValue)","#
    return Data(#"{"unit":"\#(unit.rawValue)",\#(split)"tokens":"#.utf8) + tokens + Data("}".utf8)
  }

  /// Writes the file.
  ///
  /// - Throws: `FileError`.
  func write(to url: URL) throws {
    let content = try json()
    try AtomicFile.write(to: url) { writer in
      try content.withUnsafeBytes { try writer.write($0) }
    }
  }

  /// Reads the file's content.
  ///
  /// - Throws: ``VocabularyError/malformedFile(reason:)`` unless it is a vocabulary that could
  ///   have been written: a known unit, distinct tokens, none of them empty or too long.
  public init(json: Data) throws {
    let content: Content
    do {
      content = try JSONDecoder().decode(Content.self, from: json)
    } catch {
      throw Self.malformed(#"it isn't JSON with a "unit" and a list of "tokens""#)
    }
    guard let name = content.unit else {
      guard content.model != nil else {
        throw Self.malformed(#"it isn't JSON with a "unit" and a list of "tokens""#)
      }
      try self.init(tokenizer: json)
      return
    }
    guard let unit = TokenUnit(rawValue: name), unit != .bpe else {
      let known = TokenUnit.allCases.filter { $0 != .bpe }.map(\.rawValue).joined(separator: ", ")
      throw Self.malformed("its unit is “\(name)”, not one of \(known)")
    }
    guard unit != .bytes else {
      guard content.tokens == nil else { throw Self.malformed("bytes have no list of tokens") }
      self = .bytes
      return
    }
    guard let tokens = content.tokens else {
      throw Self.malformed("\(unit) need a list of tokens")
    }
    let splitting = content.splitting ?? WordSplitting.whitespace.rawValue
    guard let splitting = WordSplitting(rawValue: splitting) else {
      throw Self.malformed("its words are split by “\(splitting)”, which isn't known")
    }
    try self.init(unit: unit, checking: tokens.map { Array($0.utf8) }, splitting: splitting)
  }

  /// - Throws: ``VocabularyError/malformedFile(reason:)`` unless the spellings, which must be UTF-8,
  ///   are such as a vocabulary has.
  init(
    unit: TokenUnit, checking spellings: [[UInt8]], splitting: WordSplitting = .whitespace
  ) throws {
    try Self.check(spellings, unit: unit)
    self.init(unit: unit, spellings: spellings, splitting: splitting)
  }

  private struct Content: Decodable {
    let unit, splitting: String?
    let tokens: [String]?
    let model: Model?

    /// Of a `tokenizer.json`, which is read elsewhere.
    struct Model: Decodable { init(from decoder: any Decoder) {} }
  }

  static func malformed(_ reason: String) -> VocabularyError {
    .malformedFile(reason: reason)
  }

  private static func check(_ tokens: [[UInt8]], unit: TokenUnit) throws {
    guard tokens.count >= 2 else {
      throw malformed("it holds \(tokens.count) \(unit), and at least 2 are needed")
    }
    guard tokens.count <= largestCount else {
      throw malformed("it holds \(tokens.count) \(unit), and at most \(largestCount) are allowed")
    }
    if unit == .words, !tokens.prefix(2).elementsEqual(specialWords) {
      throw malformed("its first two words aren't <unk> and </s>")
    }
    var seen = WordTable()
    for (id, token) in tokens.enumerated() {
      if token.isEmpty { throw malformed("token \(id) is empty") }
      if token.count > longestWord { throw malformed("token \(id) is longer than a megabyte") }
      if unit == .characters, token.count(where: { $0 & 0xC0 != 0x80 }) > 1 {
        throw malformed("token \(id), “\(visible(token))”, is longer than one character")
      }
      if unit == .words, token.contains(where: WordScanner.isWhiteSpace) {
        throw malformed("token \(id), “\(visible(token))”, holds white space")
      }
      let first = token.withUnsafeBytes { seen.insert($0) }
      if first != id {
        throw malformed("tokens \(first) and \(id) are both “\(visible(token))”")
      }
    }
  }
}
