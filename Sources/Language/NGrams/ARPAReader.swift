/// Reads an ARPA file from top to bottom, and throws at the first rule that is broken.
struct ARPAReader {
  private var lines: ARPALines
  private var unit = TokenUnit.words
  private var isNormalised = true
  /// How many n-grams there are said to be, by order from 1.
  private var declared: [Int] = []
  private var tree = NGramTree()
  /// The words of the 1-grams, and what each of them is; see ``ARPAUnigrams``.
  private var table = WordTable()
  private var tokens: [Int32] = []
  /// Backoffs of the highest order read so far; the tree takes them with the next one.
  private var backoffs: [Float] = []

  init(lines: ARPALines) { self.lines = lines }

  mutating func model() throws -> NGramModel {
    try readCounts()
    let vocabulary = try readUnigrams()
    for order in 1...declared.count where order > 1 { try readNGrams(order: order) }
    try readEnd()
    return NGramModel(vocabulary: vocabulary, tree: tree, isNormalised: isNormalised)
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
      // A line has a digit, a separator, a word and an end at least; divided, nothing overflows.
      guard count <= lines.size / 4 + 1, count < Int32.max / 2 else {
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
      if text == "\\data\\" { return }
      guard text.hasPrefix("#") else { throw lines.error(.noData(found: text)) }
      if text.hasPrefix(ARPASpelling.unitComment) {
        let name = String(text.dropFirst(ARPASpelling.unitComment.count))
        guard let unit = TokenUnit(rawValue: name) else { throw lines.error(.unknownUnit(name)) }
        self.unit = unit
      }
      if text == ARPASpelling.scoresComment { isNormalised = false }
    }
    throw lines.error(.noData(found: "the end"))
  }

  private mutating func readEnd() throws {
    guard let line = lines.nextFilled() else { throw lines.error(.truncated) }
    let text = ARPALines.text(line)
    guard text == "\\end\\" else { throw lines.error(.missingEnd(found: text)) }
    if let line = lines.nextFilled() { throw lines.error(.trailing(ARPALines.text(line))) }
  }

  // MARK: N-grams

  private mutating func readUnigrams() throws -> Vocabulary {
    var unigrams = ARPAUnigrams(unit: unit)
    try lines.readSection(order: 1, of: declared) { lines, entry in
      let word = UnsafeRawBufferPointer(rebasing: entry.line[entry.words[1]])
      guard unigrams.append(word, entry.logProbability, entry.backoff) else {
        throw lines.error(.duplicate(ARPALines.text(word)))
      }
    }
    let result: ARPAUnigrams.Result
    do { result = try unigrams.result() } catch { throw lines.error(error) }
    (table, tokens, backoffs) = (unigrams.table, result.tokens, result.backoffs)
    let roots = [Int32](repeating: NGramTree.root, count: backoffs.count)
    tree.append(
      parents: roots, words: Array(0..<Int32(roots.count)),
      logProbabilities: result.logProbabilities, suffixes: roots)
    return result.vocabulary
  }

  private mutating func readNGrams(order: Int) throws {
    var keys: [UInt64] = []
    var entries: [(logProbability: Float, backoff: Float)] = []
    let finder = NGramFinder(tree: tree, table: table, tokens: tokens)
    let firstLine = try lines.readSection(order: order, of: declared) { lines, entry in
      let (context, word) = try finder.find(entry, lines)
      keys.append(UInt64(context) << 32 | UInt64(word))
      entries.append((entry.logProbability, entry.backoff))
    }
    var sources = (0..<keys.count).map(UInt32.init)
    radixSort(&keys, carrying: &sources, bits: 32 + bitsNeeded(below: tree.count))
    let words = keys.map { Int32($0 & 0xFFFF_FFFF) }
    for index in keys.indices.dropFirst() where keys[index] == keys[index - 1] {
      let ngram = finder.text(context: Int(keys[index] >> 32), word: words[index])
      throw lines.error(.duplicate(ngram), line: firstLine + Int(sources[index]))
    }
    tree.append(
      parents: keys.map { Int32($0 >> 32) }, words: words,
      logProbabilities: sources.map { entries[Int($0)].logProbability }, suffixes: nil)
    for (node, backoff) in zip(tree.nodes(order: order - 1), backoffs) {
      tree.setBackoff(backoff, of: Int32(node))
    }
    backoffs = sources.map { entries[Int($0)].backoff }
  }
}

/// Finds n-grams of an ARPA file among those that have been read.
private struct NGramFinder {
  let tree: NGramTree
  let table: WordTable
  let tokens: [Int32]

  /// The context of an n-gram and its last word.
  func find(_ entry: ARPAEntry, _ lines: ARPALines) throws -> (context: Int32, word: Int32) {
    var context = NGramTree.root
    var last: Int32?
    for range in entry.words {
      if let last {
        guard let child = tree.child(of: context, last) else {
          let words = entry.words[1].lowerBound..<range.lowerBound
          let bytes = UnsafeRawBufferPointer(rebasing: entry.line[words])
          throw lines.error(.unknownContext(ARPALines.text(bytes)))
        }
        context = child
      }
      let bytes = UnsafeRawBufferPointer(rebasing: entry.line[range])
      guard let position = table.index(of: bytes), tokens[Int(position)] >= 0 else {
        throw lines.error(.unknownWord(ARPALines.text(bytes)))
      }
      last = tokens[Int(position)]
    }
    return (context, last ?? 0)
  }

  func text(context: Int, word: Int32) -> String {
    (tree.spelling(of: context, parents: tree.parents()) + [word]).map { word in
      tokens.firstIndex(of: word).map { Vocabulary.visible(table[$0]) } ?? ""
    }.joined(separator: " ")
  }
}
