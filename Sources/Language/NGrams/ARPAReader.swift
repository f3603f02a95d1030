import Foundation

/// Reads an ARPA file from top to bottom, and throws at the first rule that is broken.
struct ARPAReader {
  private var lines: ARPALines
  private var unit = TokenUnit.words
  private var splitting = WordSplitting.whitespace
  /// The vocabulary of byte pairs.
  private var tokenizer: Vocabulary?
  private var isNormalised = true
  /// How many n-grams there are said to be, by order from 1.
  private var declared: [Int] = []
  /// The words of the 1-grams, and what each of them is; see ``ARPAUnigrams``.
  private var table = WordTable()
  private var tokens: [Int32] = []

  init(lines: ARPALines) { self.lines = lines }

  mutating func model() throws -> NGramModel {
    try readCounts()
    let (vocabulary, unigrams) = try readUnigrams()
    var builder = NGramTreeBuilder(counts: [vocabulary.count + 1] + declared.dropFirst())
    builder.append(unigrams.logProbabilities.indices) { word in
      (NGramTree.root, Int32(word), unigrams.logProbabilities[word], unigrams.backoffs[word])
    }
    for order in 1...declared.count where order > 1 { try readNGrams(order: order, &builder) }
    try readEnd()
    return NGramModel(vocabulary: vocabulary, tree: builder.tree, isNormalised: isNormalised)
  }

  // MARK: Before and after the n-grams

  private mutating func readCounts() throws {
    try readHead()
    while let line = lines.next(), !ARPALines.isBlank(line) {
      let text = ARPALines.text(line)
      let parts = text.split(separator: "=").map { $0.split(separator: " ") }
      guard text.hasPrefix("ngram "), parts.count == 2, parts[0].count == 2, parts[1].count == 1,
        let order = Int(parts[0][1]), let count = Int(parts[1][0]), order > 0, count >= 0
      else { throw lines.error(.malformedCount(text)) }
      guard order == declared.count + 1 else {
        throw lines.error(.orderGap(expected: declared.count + 1, found: order))
      }
      guard order <= NGramModel.largestOrder else { throw lines.error(.highOrder(order)) }
      // A line has a digit, a separator, a word and an end at least.
      let (total, overflows) = declared.reduce(0, +).addingReportingOverflow(count)
      guard !overflows, total <= lines.size / 4 + 1, total < Int32.max / 2 else {
        throw lines.error(.tooLarge(declared: count))
      }
      declared.append(count)
    }
    if declared.isEmpty { throw lines.error(.noCounts) }
  }

  /// Comments, and `\data\`.
  private mutating func readHead() throws {
    while let line = lines.nextFilled() {
      let text = ARPALines.text(line)
      if text == "\\data\\" {
        if unit == .bpe, tokenizer == nil { throw lines.error(.noTokenizer) }
        return
      }
      guard text.hasPrefix("#") else { throw lines.error(.noData(found: text)) }
      if text.hasPrefix(ARPASpelling.unitComment) {
        let name = String(text.dropFirst(ARPASpelling.unitComment.count))
        guard let unit = TokenUnit(rawValue: name) else { throw lines.error(.unknownUnit(name)) }
        self.unit = unit
      }
      if text.hasPrefix(ARPASpelling.splittingComment) {
        let name = String(text.dropFirst(ARPASpelling.splittingComment.count))
        guard let splitting = WordSplitting(rawValue: name) else {
          throw lines.error(.unknownSplitting(name))
        }
        self.splitting = splitting
      }
      if text.hasPrefix(ARPASpelling.tokenizerComment) {
        try readTokenizer(line.dropFirst(ARPASpelling.tokenizerComment.utf8.count))
      }
      if text == ARPASpelling.scoresComment { isNormalised = false }
    }
    throw lines.error(.noData(found: "the end"))
  }

  private mutating func readTokenizer(_ json: Slice<UnsafeRawBufferPointer>) throws {
    do {
      tokenizer = try Vocabulary(tokenizer: Data(json))
    } catch VocabularyError.malformedFile(let reason) {
      throw lines.error(.unusableTokenizer(reason))
    }
  }

  private mutating func readEnd() throws {
    guard let line = lines.nextFilled() else { throw lines.error(.truncated) }
    let text = ARPALines.text(line)
    guard text == "\\end\\" else { throw lines.error(.missingEnd(found: text)) }
    if let line = lines.nextFilled() { throw lines.error(.trailing(ARPALines.text(line))) }
  }

  // MARK: N-grams

  private mutating func readUnigrams() throws -> (Vocabulary, ARPAUnigrams.Result) {
    var unigrams = ARPAUnigrams(unit: unit, splitting, tokenizer: tokenizer)
    let firstLine = try lines.readSection(order: 1, of: declared) { lines, entry in
      let word = UnsafeRawBufferPointer(rebasing: entry.line[entry.words[1]])
      guard word.count <= Vocabulary.longestWord else { throw lines.error(.longWord) }
      guard unigrams.append(word, entry.logProbability, entry.backoff) else {
        throw lines.error(.duplicate(ARPALines.text(word)))
      }
    }
    let result: ARPAUnigrams.Result
    do { result = try unigrams.result() } catch {
      throw lines.error(error.problem, line: error.word.map { firstLine + $0 })
    }
    (table, tokens) = (unigrams.table, result.tokens)
    return (result.vocabulary, result)
  }

  /// An n-gram as it was found.
  private struct NGram: Keyed {
    /// Context and word.
    let key: UInt64
    /// Counted from the section's first one.
    let line: UInt32
    let logProbability: Float
    let backoff: Float
  }

  private mutating func readNGrams(order: Int, _ builder: inout NGramTreeBuilder) throws {
    let tree = builder.tree
    let wordBits = UInt64(bitsNeeded(below: tree.nodes(order: 1).count))
    var finder = NGramFinder(tree: tree, table: table, tokens: tokens)
    var ngrams: [NGram] = []
    ngrams.reserveCapacity(declared[order - 1])
    let firstLine = try lines.readSection(order: order, of: declared) { lines, entry in
      let (context, word) = try finder.find(entry, lines)
      ngrams.append(
        NGram(
          key: UInt64(context) << wordBits | UInt64(word), line: UInt32(ngrams.count),
          logProbability: entry.logProbability, backoff: entry.backoff))
    }
    Self.sort(&ngrams, bits: Int(wordBits) + bitsNeeded(below: tree.count))
    let mask: UInt64 = 1 << wordBits - 1
    for (ngram, next) in zip(ngrams, ngrams.dropFirst()) where ngram.key == next.key {
      let text = finder.text(context: Int(next.key >> wordBits), word: Int32(next.key & mask))
      throw lines.error(.duplicate(text), line: firstLine + Int(next.line))
    }
    builder.append(ngrams) {
      (Int32($0.key >> wordBits), Int32($0.key & mask), $0.logProbability, $0.backoff)
    }
  }

  private static func sort(_ ngrams: inout [NGram], bits: Int) {
    // Files that were written here are in order already.
    if zip(ngrams, ngrams.dropFirst()).allSatisfy({ $0.key <= $1.key }) { return }
    ngrams.withUnsafeMutableBufferPointer { ngrams in
      let other = UnsafeMutableBufferPointer<NGram>.allocate(capacity: ngrams.count)
      defer { other.deallocate() }
      radixSort(ngrams, using: other, bits: bits)
    }
  }
}

/// Finds n-grams of an ARPA file among those that have been read.
private struct NGramFinder {
  let tree: NGramTree
  let table: WordTable
  let tokens: [Int32]

  /// The context that was found last, as it was spelled.
  private var last: (spelling: UnsafeRawBufferPointer, node: Int32)?

  init(tree: NGramTree, table: WordTable, tokens: [Int32]) {
    (self.tree, self.table, self.tokens) = (tree, table, tokens)
  }

  /// The context of an n-gram and its last word.
  mutating func find(
    _ entry: ARPAEntry, _ lines: ARPALines
  ) throws -> (context: Int32, word: Int32) {
    let final = entry.words.endIndex - 1
    let range = entry.words[1].lowerBound..<entry.words[final - 1].upperBound
    let spelling = UnsafeRawBufferPointer(rebasing: entry.line[range])
    let word = try token(entry.words[final], entry, lines)
    // N-grams with the same context often follow one another.
    if let last, last.spelling.elementsEqual(spelling) { return (last.node, word) }
    var context = NGramTree.root
    for index in 1..<final {
      let token = try token(entry.words[index], entry, lines)
      guard let child = tree.child(of: context, token) else {
        let words = entry.words[1].lowerBound..<entry.words[index].upperBound
        let bytes = UnsafeRawBufferPointer(rebasing: entry.line[words])
        throw lines.error(.unknownContext(ARPALines.text(bytes)))
      }
      context = child
    }
    last = (spelling, context)
    return (context, word)
  }

  private func token(
    _ range: Range<Int>, _ entry: ARPAEntry, _ lines: ARPALines
  ) throws -> Int32 {
    let bytes = UnsafeRawBufferPointer(rebasing: entry.line[range])
    guard let position = table.index(of: bytes), tokens[Int(position)] >= 0 else {
      throw lines.error(.unknownWord(ARPALines.text(bytes)))
    }
    return tokens[Int(position)]
  }

  func text(context: Int, word: Int32) -> String {
    (tree.spelling(of: context) + [word]).map { word in
      tokens.firstIndex(of: word).map { Vocabulary.visible(table[$0]) } ?? ""
    }.joined(separator: " ")
  }
}
