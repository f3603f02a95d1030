import Foundation
import Interchange

/// N-gram models as ARPA files, which KenLM, SRILM and others read and write too.
///
///     # tokens: words
///
///     \data\
///     ngram 1=37
///     ngram 2=47
///
///     \1-grams:
///     -1.383514<TAB>the<TAB>-0.30103
///
///     \2-grams:
///     -0.5458868<TAB>the hunter
///
///     \end\
///
/// Logarithms are to the base of 10; −99 stands for the logarithm of 0. The comment is ours: it
/// says what tokens are, words where it is missing. Others say how words are split, if not by white
/// space alone, and hold the `tokenizer.json` of byte pairs.
public enum ARPAFile {
  /// Writes a model, numbers with the digits that single precision needs.
  ///
  /// `<s>` gets the log-probability 0, and each n-gram below the highest order a backoff, as KenLM
  /// has it. Models of characters, bytes and byte pairs get `<unk>`, `<s>` and `</s>` at −99, since other
  /// readers ask for them.
  ///
  /// - Throws: ``NGramError/zeroByte(source:line:)``, `FileError`.
  public static func write(_ model: NGramModel, to url: URL) throws {
    try model.contents(Scratch(memory: .max)).writeARPA(to: url) { _ in }
  }

  /// Reads a model.
  ///
  /// The vocabulary is `<unk>` and `</s>`, then the other words in the order of the file. `<UNK>`
  /// is read as `<unk>` where that is missing; where the file has neither, `<unk>` gets the
  /// log-probability −100, as in KenLM. Lines may end with a carriage return.
  ///
  /// - Throws: ``ARPAError`` for the first broken rule, with its line; `FileError`.
  /// - Complexity: O(n-grams · order · log V).
  public static func read(contentsOf url: URL) throws -> NGramModel {
    let file = try MappedFile(contentsOf: url)
    return try file.withBytes { try read($0, name: url.relativePath, map: file) }
  }

  /// - Parameters:
  ///   - name: what messages call the file.
  ///   - map: where the bytes lie, if they needn't stay in memory.
  package static func read(
    _ bytes: UnsafeRawBufferPointer, name: String, map: MappedFile? = nil
  ) throws -> NGramModel {
    var reader = ARPAReader(lines: ARPALines(bytes, file: name, map: map))
    return try reader.model()
  }
}
