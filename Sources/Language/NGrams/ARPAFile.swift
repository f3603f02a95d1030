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
/// says what tokens are, words where it is missing.
public enum ARPAFile {
  /// Writes a model, numbers with the digits that single precision needs.
  ///
  /// `<s>` gets the log-probability 0, and each n-gram below the highest order a backoff, as KenLM
  /// has it. Models of characters and bytes get `<unk>`, `<s>` and `</s>` at −99, since other
  /// readers ask for them.
  ///
  /// - Throws: `FileError`.
  public static func write(_ model: NGramModel, to url: URL) throws {
    let tree = model.tree
    let unit = model.vocabulary.unit
    var spellings = ARPASpelling.spellings(of: model.vocabulary)
    spellings.append(ARPASpelling.begin)
    let marks = unit == .words ? [] : [ARPASpelling.unknown, ARPASpelling.end]
    try AtomicFile.write(to: url) { writer in
      try writer.write(ARPASpelling.unitComment + unit.rawValue + "\n")
      if !model.isNormalised { try writer.write(ARPASpelling.scoresComment + "\n") }
      try writer.write("\n\\data\\\n")
      for (index, count) in model.counts.enumerated() {
        try writer.write("ngram \(index + 1)=\(count + (index == 0 ? marks.count : 0))\n")
      }
      let parents = tree.parents()
      for order in 1...tree.order {
        try writer.write("\n\\\(order)-grams:\n")
        if order == 1 {
          for mark in marks { try writer.write("-99\t\(String(decoding: mark, as: UTF8.self))\n") }
        }
        var line: [UInt8] = []
        for node in tree.nodes(order: order) {
          line.removeAll(keepingCapacity: true)
          let isMark = order == 1 && unit != .words && node == tree.nodes(order: 1).last
          append(isMark ? -99 : tree.logProbabilities[node], to: &line)
          var separator = UInt8(ascii: "\t")
          for word in tree.spelling(of: node, parents: parents) {
            line.append(separator)
            line += spellings[Int(word)]
            separator = UInt8(ascii: " ")
          }
          if order < tree.order {
            line.append(UInt8(ascii: "\t"))
            append(tree.backoffs[node], to: &line)
          }
          line.append(UInt8(ascii: "\n"))
          try writer.write(line)
        }
      }
      try writer.write("\n\\end\\\n")
    }
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
    return try file.withBytes { try read($0, name: url.relativePath) }
  }

  /// - Parameter name: what messages call the file.
  package static func read(_ bytes: UnsafeRawBufferPointer, name: String) throws -> NGramModel {
    var reader = ARPAReader(lines: ARPALines(bytes, file: name))
    return try reader.model()
  }

  /// Whole numbers without a point, as others write them.
  private static func append(_ number: Float, to line: inout [UInt8]) {
    var text = number.description
    if text.hasSuffix(".0") { text.removeLast(2) }
    line += text == "-0" ? Array("0".utf8) : Array(text.utf8)
  }
}
