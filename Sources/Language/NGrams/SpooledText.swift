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
  /// - Throws: ``CorpusError``, ``VocabularyError``, `FileError`, what `progress` throws, and of
  ///   words ``NGramError/reservedWord(_:source:line:)`` for `<s>` and
  ///   ``NGramError/zeroByte(source:line:)``.
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
    var read = 0
    var names: [String] = []
    for path in paths {
      var blocks = try path == "-" ? .standardInput() : TextBlocks(contentsOf: URL(filePath: path))
      reader.beginText(blocks.name)
      var seam = BlockSeam(text: blocks.name, unit: settings.unit)
      while let block = try blocks.next() {
        try block.withUnsafeBytes { try seam.join($0) { try reader.read($0) } }
        read += block.count
        try progress(read)
      }
      try seam.join(nil) { try reader.read($0) }
      try reader.endText()
      names.append(blocks.name)
    }
    let name = names.count == 1 ? names[0] : "the text of \(names.count) files"
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
  init(_ tokens: some Sequence<Int32>, vocabulary: Vocabulary, _ scratch: Scratch) throws(FileError)
  {
    self.vocabulary = vocabulary
    self.tokens = Spool(scratch)
    for token in tokens { try self.tokens.append(token) }
  }
}
