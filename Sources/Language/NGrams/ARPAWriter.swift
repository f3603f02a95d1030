import Foundation
import Interchange
import Tensors

extension NGramContents {
  /// Writes an ARPA file; see ``ARPAFile``.
  ///
  /// - Parameter progress: gets the fraction that is done.
  /// - Throws: ``NGramError/zeroByte(source:line:)`` for words that nobody could read, `FileError`, and
  ///   what `progress` throws.
  package func writeARPA(to url: URL, progress: (Double) throws -> Void) throws {
    let unit = vocabulary.unit
    // A binary file that was made elsewhere may hold such words.
    if unit == .words, vocabulary.hasZeroByte { throw NGramError.zeroByte(source: "The model") }
    var spellings = ARPASpelling.spellings(of: vocabulary)
    spellings.append(ARPASpelling.begin)
    let marks = unit == .words ? [] : [ARPASpelling.unknown, ARPASpelling.end]
    let counts = tables.counts
    let total = Double(counts.reduce(1, +))
    try AtomicFile.write(to: url) { writer in
      try writer.write(ARPASpelling.unitComment + unit.rawValue + "\n")
      if vocabulary.splitting != .whitespace {
        try writer.write(ARPASpelling.splittingComment + vocabulary.splitting.rawValue + "\n")
      }
      if unit == .bpe {
        let tokenizer = String(decoding: try vocabulary.json(), as: UTF8.self)
        try writer.write(ARPASpelling.tokenizerComment + tokenizer + "\n")
      }
      if !isNormalised { try writer.write(ARPASpelling.scoresComment + "\n") }
      try writer.write("\n\\data\\\n")
      for (index, count) in counts.enumerated() {
        try writer.write("ngram \(index + 1)=\(count + (index == 0 ? marks.count : 0))\n")
      }
      var done = 0
      for order in 1...tables.order {
        try writer.write("\n\\\(order)-grams:\n")
        if order == 1 {
          for mark in marks { try writer.write("-99\t\(String(decoding: mark, as: UTF8.self))\n") }
        }
        let lines = ARPALineBatches(tables, order: order, spellings, hidesBegin: unit != .words)
        while let texts = try lines.next() {
          for text in texts { try writer.write(text) }
          done += lines.count
          try progress(Double(done) / total)
        }
      }
      try writer.write("\n\\end\\\n")
    }
  }
}

extension Vocabulary {
  /// Whether a token's spelling holds a byte that is zero, at which other programs end a word.
  var hasZeroByte: Bool { spellings.contains { $0.contains(0) } }
}

/// The lines of one order's section, many at a time, so that threads can share the work.
private final class ARPALineBatches {
  private let order: Int
  private let spellings: [[UInt8]]
  private let hidesBegin: Bool
  private var ngrams: NGramSequence
  private let backoffs: Spool<NGramTables.Tail>.Reader?
  /// How many lines the last batch had.
  private(set) var count = 0

  private static let size = 1 << 14

  /// - Parameter hidesBegin: whether nobody may meet `<s>`, as where text has no sentences.
  init(_ tables: NGramTables, order: Int, _ spellings: [[UInt8]], hidesBegin: Bool) {
    self.order = order
    self.spellings = spellings
    self.hidesBegin = hidesBegin && order == 1
    ngrams = NGramSequence(tables, order: order)
    backoffs = order < tables.order ? tables.tails[order].reader() : nil
  }

  /// - Returns: the next lines, in pieces that follow one another; nil at the end.
  func next() throws -> [[UInt8]]? {
    var (words, numbers): ([Int32], [(logProbability: Float, backoff: Float?)]) = ([], [])
    words.reserveCapacity(Self.size * order)
    numbers.reserveCapacity(Self.size)
    while numbers.count < Self.size, let node = try ngrams.next() {
      words.append(contentsOf: ngrams.words)
      let isHidden = hidesBegin && Int(node.word) == spellings.count - 1
      numbers.append((isHidden ? -99 : node.logProbability, try backoffs?.next()?.backoff))
    }
    count = numbers.count
    if numbers.isEmpty { return nil }
    let parts = Compute.threads
    nonisolated(unsafe) var texts = [[UInt8]](repeating: [], count: parts)
    texts.withUnsafeMutableBufferPointer { texts in
      Compute.forEach(parts, work: numbers.count * 1000) { part in
        let range = numbers.count * part / parts..<numbers.count * (part + 1) / parts
        texts[part] = text(range, words, numbers)
      }
    }
    return texts
  }

  private func text(
    _ range: Range<Int>, _ words: [Int32], _ numbers: [(logProbability: Float, backoff: Float?)]
  ) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(range.count * (24 + 8 * order))
    for line in range {
      Self.append(numbers[line].logProbability, to: &text)
      var separator = UInt8(ascii: "\t")
      for index in line * order..<(line + 1) * order {
        text.append(separator)
        text.append(contentsOf: spellings[Int(words[index])])
        separator = UInt8(ascii: " ")
      }
      if let backoff = numbers[line].backoff {
        text.append(UInt8(ascii: "\t"))
        Self.append(backoff, to: &text)
      }
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  /// Whole numbers without a point, as others write them.
  private static func append(_ number: Float, to text: inout [UInt8]) {
    if number == 0 { return text.append(UInt8(ascii: "0")) }
    var description = number.description
    description.withUTF8 { digits in
      let isWhole =
        digits.count > 2 && digits[digits.count - 2] == UInt8(ascii: ".")
        && digits[digits.count - 1] == UInt8(ascii: "0")
      text.append(contentsOf: isWhole ? digits[..<(digits.count - 2)] : digits[...])
    }
  }
}
