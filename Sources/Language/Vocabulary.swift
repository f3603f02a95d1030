import Foundation
import Learning
import Tensors

/// What a token stands for.
public enum TokenUnit: String, Codable, Sendable, CaseIterable {
  /// Any of 256 bytes; takes every file.
  case bytes
  /// A Unicode scalar, not a grapheme: CRLF and byte-order marks come back exactly as they were,
  /// and there are far fewer of them.
  case characters
  /// What a ``WordSplitting`` makes of a text, and one `</s>` for each end of a line.
  case words
  /// Sequences of bytes that are frequent in a text, learned by byte-pair encoding, and all 256
  /// bytes; takes every file.
  case bpe
}

/// Which token has which number.
///
/// The numbers follow from the text alone. Bytes number themselves. Characters are those that
/// occur, in the order of their scalars. Words begin with `<unk>` and `</s>`; the others follow by
/// descending count, equal counts in the order of their bytes. Byte pairs come after the bytes, in
/// the order in which they were merged.
public struct Vocabulary: Sendable, Equatable {
  public let unit: TokenUnit
  /// The UTF-8 bytes that each token stands for, by number.
  let spellings: [[UInt8]]
  let lookup: Lookup
  /// What a word is; of no meaning to other units.
  public let splitting: WordSplitting

  enum Lookup: Sendable {
    case bytes
    /// By scalar: its number, or −1.
    case characters([Int32])
    case words(WordTable)
    case bytePairs(BytePairEncoding)
  }

  /// Stands in for words that the vocabulary lacks; literally `<unk>`, as in the Penn Treebank.
  public static let unknownWord: Int32 = 0
  /// The end of a line among words, `</s>`.
  public static let lineEndWord: Int32 = 1
  /// As many tokens as a vocabulary may have.
  public static let largestCount = 2_000_000
  /// As many tokens as byte pairs are learned for, if nobody says otherwise.
  public static let defaultBytePairCount = 4096
  /// As many bytes as a word may have; a file of such words isn't a text of words.
  static let longestWord = 1 << 20
  static let unknownSpelling = Array("<unk>".utf8)
  static let lineEndSpelling = Array("</s>".utf8)
  static let specialWords = [unknownSpelling, lineEndSpelling]

  /// The vocabulary of 256 bytes.
  public static let bytes = Vocabulary(unit: .bytes, spellings: (0...255).map { [$0] })

  /// How many tokens there are, V.
  public var count: Int { spellings.count }

  /// The token that ends a line: `</s>`, or the line feed; nil if there is none. Among byte pairs
  /// a line feed may also be part of others, but isn't where words stand on both sides of it.
  public var lineEnd: Int32? {
    unit == .words ? Self.lineEndWord : spellings.firstIndex(of: [0x0A]).map(Int32.init)
  }

  /// The number of a word; nil if the vocabulary lacks it, or isn't one of words.
  func index(ofWord word: UnsafeRawBufferPointer) -> Int32? {
    if case .words(let table) = lookup { table.index(of: word) } else { nil }
  }

  /// The encoding of byte pairs; nil for another unit.
  var bytePairs: BytePairEncoding? {
    if case .bytePairs(let encoding) = lookup { encoding } else { nil }
  }

  /// The vocabulary of an encoding.
  ///
  /// - Precondition: each merge is one of tokens that there are.
  init(_ encoding: BytePairEncoding, spellings: [[UInt8]]) {
    unit = .bpe
    self.spellings = spellings
    lookup = .bytePairs(encoding)
    splitting = .whitespace
  }

  /// - Precondition: `spellings` are distinct, and what `unit`, which isn't ``TokenUnit/bpe``, asks
  ///   for.
  init(unit: TokenUnit, spellings: [[UInt8]], splitting: WordSplitting = .whitespace) {
    self.unit = unit
    self.spellings = spellings
    self.splitting = splitting
    require(unit != .bpe, "a vocabulary of byte pairs without their encoding")
    switch unit {
    case .bytes, .bpe:
      lookup = .bytes
    case .characters:
      let scalars = spellings.map { String(decoding: $0, as: UTF8.self).unicodeScalars.first }
      let size = scalars.reduce(0) { max($0, Int($1?.value ?? 0) + 1) }
      var ids = [Int32](repeating: -1, count: size)
      for (id, scalar) in scalars.enumerated() {
        if let scalar { ids[Int(scalar.value)] = Int32(id) }
      }
      lookup = .characters(ids)
    case .words:
      var table = WordTable()
      for spelling in spellings { _ = spelling.withUnsafeBytes { table.insert($0) } }
      lookup = .words(table)
    }
  }

  public static func == (a: Vocabulary, b: Vocabulary) -> Bool {
    a.unit == b.unit && a.splitting == b.splitting && a.spellings == b.spellings
      && a.bytePairs == b.bytePairs
  }

  /// The text that tokens stand for: words joined by a space where the splitting has one, `</s>` as
  /// the end of a line.
  ///
  /// - Precondition: every token is one of this vocabulary's.
  public func decode(_ tokens: some Sequence<Int32>) -> [UInt8] {
    var bytes: [UInt8] = []
    var previous: Int32?
    for token in tokens {
      append(token, after: previous, to: &bytes)
      previous = token
    }
    return bytes
  }

  /// Bytes of the decoded text; for all but words that is the text itself.
  ///
  /// - Precondition: every token is one of this vocabulary's.
  public func byteCount(of tokens: TokenSequence) -> Int {
    let lengths = spellings.map(\.count)
    guard unit == .words else { return tokens.reduce(0) { $0 + lengths[Int($1)] } }
    var (count, previous) = (0, Self.lineEndWord)
    for token in tokens {
      if token == Self.lineEndWord {
        count += 1
      } else {
        count += lengths[Int(token)] + (isSpace(between: previous, and: token) ? 1 : 0)
      }
      previous = token
    }
    return count
  }

  /// Appends what `token` adds to a text that so far ends in `previous`.
  package func append(_ token: Int32, after previous: Int32?, to bytes: inout [UInt8]) {
    guard unit == .words else {
      bytes += spellings[Int(token)]
      return
    }
    if token == Self.lineEndWord { return bytes.append(0x0A) }
    if let previous, isSpace(between: previous, and: token) { bytes.append(0x20) }
    bytes += spellings[Int(token)]
  }

  /// Whether a space stands before the second of two words, which isn't `</s>`.
  private func isSpace(between first: Int32, and second: Int32) -> Bool {
    first != Self.lineEndWord
      && splitting.isSpace(between: spellings[Int(first)], and: spellings[Int(second)])
  }

  /// How a token looks in a table or a picture: `⏎` for the line feed, `␣` for the space, an
  /// escape such as `\t`, `\u{FEFF}` or `\xE2` for what can't be seen, otherwise itself.
  public func label(of token: Int32) -> String {
    let spelling = spellings[Int(token)]
    if String(validating: spelling, as: UTF8.self) != nil { return Self.visible(spelling) }
    return spelling.map {
      $0 < 0x80 ? Self.visible([$0]) : "\\x" + String($0, radix: 16, uppercase: true)
    }.joined()
  }

  /// Text in which every character can be seen.
  static func visible(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
      switch scalar {
      case "\n": return "⏎"
      case "\t": return "\\t"
      case "\r": return "\\r"
      case " ": return "␣"
      default: break
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator,
        .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark:
        return "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      default: return String(scalar)
      }
    }.joined()
  }
}
