import Foundation
import Interchange

/// Texts as tokens of their own vocabulary, read block by block: neither needs to fit into memory.
///
/// The vocabulary and the tokens are those that ``Vocabulary`` and ``Corpus`` make of the same
/// texts.
package struct SpooledText {
  package let vocabulary: Vocabulary
  let tokens: Spool<Int32>

  package var count: Int { tokens.count }

  /// Reads files, or standard input for `-`.
  ///
  /// - Parameter settings: which tokens they become.
  /// - Parameter progress: gets how many bytes have been read, from time to time.
  /// - Throws: ``CorpusError``, ``VocabularyError``, ``NGramError/longWord(file:line:)``,
  ///   `FileError`, and what `progress` throws.
  package init(
    reading paths: [String], _ settings: VocabularySettings, scratch: Scratch,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    var reader: any BlockTokenizer =
      switch settings.unit {
      case .words: WordBlocks(settings, scratch)
      case .bpe: try BytePairBlocks(settings, scratch)
      case .characters: CharacterBlocks(scratch)
      case .bytes: ByteBlocks(scratch)
      }
    let end = type(of: reader).endOfTokens
    var read = 0
    for path in paths {
      var blocks = try TextBlocks(path: path)
      var seam = BlockSeam(text: blocks.name)
      while let block = try blocks.next() {
        try seam.join(block, endOf: end) { try reader.read($0, isLast: false) }
        read += block.count
        try progress(read)
      }
      try seam.finish { try reader.read($0, isLast: true) }
    }
    let name = paths.count == 1 ? TextBlocks.name(of: paths[0]) : "the text of \(paths.count) files"
    (vocabulary, tokens) = try reader.result(scratch, name: name)
  }

  /// The tokens in memory.
  ///
  /// - Throws: `FileError`.
  package func allTokens() throws -> [Int32] {
    var all: [Int32] = []
    all.reserveCapacity(count)
    try tokens.visit { all.append($0) }
    return all
  }

  /// Tokens that are in memory.
  init(_ tokens: [Int32], vocabulary: Vocabulary, _ scratch: Scratch) throws(FileError) {
    self.vocabulary = vocabulary
    self.tokens = Spool(scratch)
    for token in tokens { try self.tokens.append(token) }
  }
}

/// The blocks of a text.
private struct TextBlocks {
  let name: String
  private let handle: FileHandle
  private var isEmpty = true

  init(path: String) throws {
    name = Self.name(of: path)
    if path == "-" {
      handle = .standardInput
    } else {
      let url = URL(filePath: path)
      try SourceText.checkIsFile(url)
      guard let handle = try? FileHandle(forReadingFrom: url) else {
        throw CorpusError.unreadable(file: name)
      }
      self.handle = handle
    }
  }

  static func name(of path: String) -> String {
    path == "-" ? "standard input" : URL(filePath: path).relativePath
  }

  mutating func next() throws -> Data? {
    guard let block = try? handle.read(upToCount: 1 << 20) ?? Data() else {
      throw CorpusError.unreadable(file: name)
    }
    if block.isEmpty, isEmpty { throw CorpusError.empty(file: name) }
    isEmpty = false
    return block.isEmpty ? nil : block
  }
}
