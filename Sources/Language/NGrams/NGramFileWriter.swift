import Foundation
import Interchange

extension NGramContents {
  /// Writes a binary file; see ``NGramFile``.
  ///
  /// - Parameter progress: gets the fraction that is done.
  /// - Throws: ``NGramError/tooMuchText``, ``VocabularyError/tooManyTokens``, since nobody could
  ///   read the file, `FileError`, and what `progress` throws.
  package func writeBinary(to url: URL, progress: (Double) throws -> Void) throws {
    guard vocabulary.count <= Vocabulary.largestCount else { throw VocabularyError.tooManyTokens }
    let spellings = try spellings()
    let bytes = spellings.reduce(0) { $0 + $1.count }
    let flags =
      (isNormalised ? 0 : NGramFile.unnormalised)
      | (vocabulary.splitting == .punctuation ? NGramFile.withoutPunctuation : 0)
    guard
      let layout = NGramFile.Layout(
        unit: vocabulary.unit, vocabulary: vocabulary.count, spellingBytes: bytes, counts: counts)
    else { throw NGramError.tooMuchText }
    try AtomicFile.write(to: url) { writer in
      try writer.write(NGramFile.magic)
      try writer.write([
        NGramFile.version, NGramFile.code(of: vocabulary.unit), flags, UInt32(order),
      ])
      try writer.write([layout.size, vocabulary.count, bytes] + counts)
      try pad(&writer, to: layout.ends)
      var end = 0
      for spelling in spellings where vocabulary.unit != .bpe {
        end += spelling.count
        try writer.write([end])
      }
      try pad(&writer, to: layout.spellings)
      for spelling in spellings { try writer.write(spelling) }
      try writeNodes(&writer, layout, progress)
    }
  }

  /// What is to be read as the vocabulary.
  private func spellings() throws -> [[UInt8]] {
    switch vocabulary.unit {
    case .bytes: []
    case .characters, .words: vocabulary.spellings
    case .bpe: [Array(try vocabulary.json())]
    }
  }

  private func writeNodes(
    _ writer: inout AtomicFile.Writer, _ layout: NGramFile.Layout,
    _ progress: (Double) throws -> Void
  ) throws {
    try pad(&writer, to: layout.words)
    try writer.write([Int32(-1)])
    for nodes in tables.nodes {
      try writeBatches(&writer, nodes) { $0.word }
      try progress(Double(writer.byteCount) / Double(layout.size))
    }
    try pad(&writer, to: layout.inner)
    for order in 0..<tables.order {
      let nodes = order == 0 ? nil : tables.nodes[order - 1].reader()
      try writeBatches(&writer, tables.tails[order]) { tail in
        let node = try nodes?.next()
        return NGramNodes.Inner(
          logProbability: node?.logProbability ?? 0, backoff: tail.backoff,
          suffix: node?.suffix ?? UInt32(NGramTree.root), firstChild: tail.firstChild)
      }
      try progress(Double(writer.byteCount) / Double(layout.size))
    }
    let end = UInt32(tables.start(order: tables.order + 1))
    try writer.write([
      NGramNodes.Inner(logProbability: 0, backoff: 0, suffix: 0, firstChild: end)
    ])
    try pad(&writer, to: layout.leaves)
    try writeBatches(&writer, tables.nodes[tables.order - 1]) {
      NGramNodes.Leaf(logProbability: $0.logProbability, suffix: $0.suffix)
    }
    try progress(1)
  }

  private func writeBatches<Element, Value: BitwiseCopyable>(
    _ writer: inout AtomicFile.Writer, _ elements: Spool<Element>,
    _ value: (Element) throws -> Value
  ) throws {
    var batch: [Value] = []
    batch.reserveCapacity(4096)
    let reader = elements.reader()
    while let element = try reader.next() {
      batch.append(try value(element))
      if batch.count == 4096 {
        try writer.write(batch)
        batch.removeAll(keepingCapacity: true)
      }
    }
    try writer.write(batch)
  }

  private func pad(_ writer: inout AtomicFile.Writer, to position: Int) throws {
    try writer.write([UInt8](repeating: 0, count: position - writer.byteCount))
  }
}
