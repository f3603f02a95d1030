import Foundation
import Interchange

/// N-gram models as binary files, which are mapped into memory and so ready at once.
///
/// Little-endian; each part begins at a multiple of 64 bytes:
///
///     bytes   0   "unfoldNG", the version (u32), the unit of tokens (u32: 0 bytes, 1 characters,
///                 2 words, 3 byte pairs), flags (u32: 1 unnormalised scores, 2 words without
///                 punctuation), the order N (u32)
///            24   the size of the file (u64), V (u64), bytes of all spellings (u64)
///            48   how many n-grams there are of each order from 1 (N × u64), `<s>` among them
///     part 1      where each token's spelling ends in part 2 (V × u64); absent for bytes and byte
///                 pairs
///     part 2      the spellings, one after the other; the tokenizer.json of byte pairs
///     part 3      of each node its last token (i32), the root's being −1
///     part 4      of each node below the highest order, and of one more: log₁₀ p (f32), log₁₀ of
///                 the backoff (f32), the suffix (u32), the first child (u32)
///     part 5      of each node of the highest order: log₁₀ p (f32), the suffix (u32)
///
/// Nodes are numbered as in ``NGramTables``. 12 bytes an n-gram of the highest order, 20 otherwise.
public enum NGramFile {
  /// What such a file begins with.
  static let magic = Array("unfoldNG".utf8)
  static let version: UInt32 = 1
  /// The file name's extension.
  public static let pathExtension = "ngram"

  /// Where the parts lie in a file.
  struct Layout {
    let ends, spellings, words, inner, leaves, size: Int

    /// - Returns: nil if a file can't be so large.
    init?(unit: TokenUnit, vocabulary: Int, spellingBytes: Int, counts: [Int]) {
      var position = 48 + 8 * counts.count
      func part(_ count: Int, _ stride: Int) -> Int? {
        let begin = (position + 63) & ~63
        let (bytes, overflows) = count.multipliedReportingOverflow(by: stride)
        let (end, exceeds) = begin.addingReportingOverflow(bytes)
        guard !overflows, !exceeds, count >= 0, end < Int.max / 2 else { return nil }
        position = end
        return begin
      }
      var sum = 1
      for count in counts {
        guard count >= 0, count < Int32.max, sum < Int32.max else { return nil }
        sum += count
      }
      guard sum < Int32.max, let last = counts.last,
        let ends = part(unit == .bytes || unit == .bpe ? 0 : vocabulary, 8),
        let spellings = part(spellingBytes, 1),
        let words = part(sum, MemoryLayout<Int32>.stride),
        let inner = part(sum - last + 1, MemoryLayout<NGramNodes.Inner>.stride),
        let leaves = part(last, MemoryLayout<NGramNodes.Leaf>.stride)
      else { return nil }
      (self.ends, self.spellings, self.words) = (ends, spellings, words)
      (self.inner, self.leaves, size) = (inner, leaves, position)
    }
  }

  /// Reads a model; its nodes stay in the file.
  ///
  /// What is checked is the header, the size, the vocabulary, and where the orders meet. Nodes that
  /// were damaged elsewhere give wrong probabilities, but no question leaves the file.
  ///
  /// - Throws: ``NGramFileError``, `FileError`.
  public static func read(contentsOf url: URL) throws -> NGramModel {
    let file = try MappedFile(contentsOf: url)
    return try file.withBytes { bytes in
      var reader = NGramFileReader(bytes, name: url.relativePath)
      return try reader.model(in: file)
    }
  }

  static func code(of unit: TokenUnit) -> UInt32 {
    switch unit {
    case .bytes: 0
    case .characters: 1
    case .words: 2
    case .bpe: 3
    }
  }

  /// The bits of the flags.
  static let (unnormalised, withoutPunctuation) = (UInt32(1), UInt32(2))
}

/// Why a file isn't a binary n-gram model.
public enum NGramFileError: Error, Equatable, Sendable, CustomStringConvertible {
  case otherVersion(file: String, version: UInt32)
  case wrongSize(file: String, expected: Int, found: Int)
  case damaged(file: String, reason: String)

  public var description: String {
    switch self {
    case .otherVersion(let file, let version):
      "\(file) is an n-gram model of version \(version), and only version \(NGramFile.version) can "
        + "be read; make it again from its text or its ARPA file."
    case .wrongSize(let file, let expected, let found):
      "\(file) should have \(expected) bytes, but has \(found), so a part of it is missing or "
        + "changed; make it again."
    case .damaged(let file, let reason):
      "\(file) is damaged: \(reason); make it again."
    }
  }
}

/// Reads what a file says before its nodes.
private struct NGramFileReader {
  private let bytes: UnsafeRawBufferPointer
  private let name: String

  init(_ bytes: UnsafeRawBufferPointer, name: String) {
    self.bytes = bytes
    self.name = name
  }

  mutating func model(in file: MappedFile) throws -> NGramModel {
    guard bytes.starts(with: NGramFile.magic) else {
      throw damaged("it doesn't begin as an n-gram model does")
    }
    guard bytes.count >= 48 else { throw damaged("it ends within its header") }
    let version = number(8, UInt32.self)
    guard version == NGramFile.version else {
      throw NGramFileError.otherVersion(file: name, version: UInt32(version))
    }
    guard
      let unit = TokenUnit.allCases.first(where: {
        NGramFile.code(of: $0) == number(12, UInt32.self)
      })
    else { throw damaged("its header names no unit of tokens") }
    let (order, size) = (number(20, UInt32.self), number(24, UInt64.self))
    guard size == bytes.count else {
      throw NGramFileError.wrongSize(file: name, expected: size, found: bytes.count)
    }
    guard order > 0, order <= NGramModel.largestOrder, bytes.count >= 48 + 8 * order else {
      throw damaged("its header names no order")
    }
    let counts = (0..<order).map { number(48 + 8 * $0, UInt64.self) }
    let (count, spellingBytes) = (number(32, UInt64.self), number(40, UInt64.self))
    guard count >= 2, count <= Vocabulary.largestCount, counts[0] == count + 1,
      let layout = NGramFile.Layout(
        unit: unit, vocabulary: count, spellingBytes: spellingBytes, counts: counts),
      layout.size == bytes.count
    else { throw damaged("its header contradicts itself") }
    let vocabulary = try vocabulary(unit, count: count, layout)
    guard vocabulary.count == count, let base = bytes.baseAddress else {
      throw damaged("its header contradicts its vocabulary")
    }
    let nodes = NGramNodes(
      counts: counts, file: file, words: base + layout.words, inner: base + layout.inner,
      leaves: base + layout.leaves)
    guard nodes.seemsWhole else {
      throw damaged("its n-grams are missing or out of order, as after an interrupted copy")
    }
    return NGramModel(
      vocabulary: vocabulary, tree: NGramTree(nodes),
      isNormalised: number(16, UInt32.self) & Int(NGramFile.unnormalised) == 0)
  }

  private func vocabulary(
    _ unit: TokenUnit, count: Int, _ layout: NGramFile.Layout
  ) throws -> Vocabulary {
    if unit == .bytes { return .bytes }
    let text = UnsafeRawBufferPointer(rebasing: bytes[layout.spellings..<layout.words])
    if unit == .bpe { return try tokenizer(text) }
    var spellings: [[UInt8]] = []
    spellings.reserveCapacity(count)
    var begin = 0
    for token in 0..<count {
      let end = number(layout.ends + 8 * token, UInt64.self)
      guard end >= begin, end <= text.count else {
        throw damaged("token \(token) of its vocabulary has no end")
      }
      spellings.append(Array(text[begin..<end]))
      begin = end
    }
    do {
      var seam = BlockSeam(text: "its vocabulary", unit: .characters)
      try seam.join(UnsafeRawBufferPointer(rebasing: text[..<begin]), UTF8Scanner.check)
      try seam.join(nil, UTF8Scanner.check)
      let isSplit = number(16, UInt32.self) & Int(NGramFile.withoutPunctuation) != 0
      return try Vocabulary(
        unit: unit, checking: spellings, splitting: isSplit ? .punctuation : .whitespace)
    } catch let error as VocabularyError {
      let reason = "\(error)".split(separator: ":").dropFirst().joined(separator: ":")
      throw damaged(
        "its vocabulary can't be read:\(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)"
      )
    }
  }

  /// - Parameter text: the JSON, and what fills it up to the next part.
  private func tokenizer(_ text: UnsafeRawBufferPointer) throws -> Vocabulary {
    let length = number(40, UInt64.self)
    guard length <= text.count else { throw damaged("its header contradicts itself") }
    do {
      return try Vocabulary(tokenizer: Data(text[..<length]))
    } catch VocabularyError.malformedFile(let reason) {
      throw damaged("its tokenizer can't be used: \(reason)")
    }
  }

  private func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Int {
    Int(
      clamping: Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)))
  }

  private func damaged(_ reason: String) -> NGramFileError {
    .damaged(file: name, reason: reason)
  }
}
