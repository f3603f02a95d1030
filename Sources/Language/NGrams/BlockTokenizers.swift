import Foundation
import Interchange

/// Makes tokens of texts that come in blocks, each of which ends where a token does.
protocol BlockTokenizer {
  /// Up to where the last token of a block is certainly whole.
  static func endOfTokens(in block: UnsafeRawBufferPointer) -> Int
  /// - Parameter isLast: whether the text ends here.
  mutating func read(_ block: UnsafeRawBufferPointer, isLast: Bool) throws
  /// The vocabulary of all texts, and their tokens.
  mutating func result(
    _ scratch: Scratch, name: String
  ) throws -> (vocabulary: Vocabulary, tokens: Spool<Int32>)
}

struct ByteBlocks: BlockTokenizer {
  private let tokens: Spool<Int32>

  init(_ scratch: Scratch) { tokens = Spool(scratch) }

  static func endOfTokens(in block: UnsafeRawBufferPointer) -> Int { block.count }

  func read(_ block: UnsafeRawBufferPointer, isLast: Bool) throws {
    for byte in block { try tokens.append(Int32(byte)) }
  }

  func result(_ scratch: Scratch, name: String) -> (vocabulary: Vocabulary, tokens: Spool<Int32>) {
    (.bytes, tokens)
  }
}

struct CharacterBlocks: BlockTokenizer {
  private let scalars: Spool<Int32>
  private var occurs = [Bool](repeating: false, count: 0x11_0000)

  init(_ scratch: Scratch) { scalars = Spool(scratch) }

  /// Before the lead byte of a character that may go on.
  static func endOfTokens(in block: UnsafeRawBufferPointer) -> Int {
    let tail = max(0, block.count - 3)..<block.count
    guard let lead = tail.last(where: { block[$0] & 0xC0 != 0x80 }), block[lead] >= 0xC0 else {
      return block.count
    }
    return lead
  }

  mutating func read(_ block: UnsafeRawBufferPointer, isLast: Bool) throws {
    var scanner = UTF8Scanner(block)
    while let scalar = try scanner.next() {
      occurs[Int(scalar)] = true
      try scalars.append(Int32(scalar))
    }
  }

  mutating func result(
    _ scratch: Scratch, name: String
  ) throws -> (vocabulary: Vocabulary, tokens: Spool<Int32>) {
    let vocabulary = try Vocabulary(
      unit: .characters, spellings: Vocabulary.characters(occurs, source: name))
    var numbers = [Int32](repeating: -1, count: occurs.count)
    var count: Int32 = 0
    for scalar in occurs.indices where occurs[scalar] {
      numbers[scalar] = count
      count += 1
    }
    let tokens = Spool<Int32>(scratch)
    try scalars.visit { try tokens.append(numbers[Int($0)]) }
    return (vocabulary, tokens)
  }
}

struct WordBlocks: BlockTokenizer {
  private let settings: VocabularySettings
  private let splitting: WordSplitting
  private let words: Spool<Int32>
  private var table = WordTable()
  private var counts = [0, 0]
  private var scanner: WordScanner

  init(_ settings: VocabularySettings, _ scratch: Scratch) {
    self.settings = settings
    splitting = settings.splitting ?? .whitespace
    scanner = WordScanner(splitting)
    words = Spool(scratch)
    for special in Vocabulary.specialWords { _ = special.withUnsafeBytes { table.insert($0) } }
  }

  /// After the last white space.
  static func endOfTokens(in block: UnsafeRawBufferPointer) -> Int {
    block.lastIndex(where: WordScanner.isWhiteSpace).map { $0 + 1 } ?? 0
  }

  mutating func read(_ block: UnsafeRawBufferPointer, isLast: Bool) throws {
    var checker = UTF8Scanner(block)
    repeat { checker.skipASCII() } while try checker.next() != nil
    try scanner.read(block) { word in
      guard let word else { return try words.append(Vocabulary.lineEndWord) }
      let number = table.insert(word)
      if Int(number) == counts.count { counts.append(0) }
      counts[Int(number)] += 1
      try words.append(number)
    }
    guard isLast else { return }
    try scanner.closeLastLine { _ in try words.append(Vocabulary.lineEndWord) }
    scanner = WordScanner(splitting)
  }

  mutating func result(
    _ scratch: Scratch, name: String
  ) throws -> (vocabulary: Vocabulary, tokens: Spool<Int32>) {
    guard counts.count > 2 || counts[0] > 0 else { throw VocabularyError.noWords(source: name) }
    let order = Vocabulary.mostFrequent(
      table, counts, minimumCount: settings.minimumCount ?? 1, maximumSize: settings.size)
    guard order.count + 2 <= Vocabulary.largestCount else { throw VocabularyError.tooManyTokens }
    let vocabulary = Vocabulary(
      unit: .words, spellings: Vocabulary.specialWords + order.map { Array(table[$0]) },
      splitting: splitting)
    table = WordTable()
    var numbers = [Int32](repeating: Vocabulary.unknownWord, count: counts.count)
    numbers[Int(Vocabulary.lineEndWord)] = Vocabulary.lineEndWord
    for (rank, word) in order.enumerated() { numbers[word] = Int32(rank + 2) }
    let tokens = Spool<Int32>(scratch)
    try words.visit { try tokens.append(numbers[Int($0)]) }
    return (vocabulary, tokens)
  }
}

struct BytePairBlocks: BlockTokenizer {
  private let settings: VocabularySettings
  private let tokenizer: Vocabulary?
  /// The pieces of the texts, by number.
  private let pieces: Spool<Int32>
  private var counts = PreTokenCounts()

  /// - Throws: if the settings name a tokenizer that can't be used.
  init(_ settings: VocabularySettings, _ scratch: Scratch) throws {
    self.settings = settings
    tokenizer = try settings.tokenizer.map {
      try Vocabulary(contentsOfTokenizer: URL(filePath: $0))
    }
    pieces = Spool(scratch)
  }

  /// Everywhere: what a block ends in is kept.
  static func endOfTokens(in block: UnsafeRawBufferPointer) -> Int { block.count }

  mutating func read(_ block: UnsafeRawBufferPointer, isLast: Bool) throws {
    try counts.read(block, isLast: isLast) { try pieces.append($0) }
  }

  mutating func result(
    _ scratch: Scratch, name: String
  ) throws -> (vocabulary: Vocabulary, tokens: Spool<Int32>) {
    let vocabulary =
      tokenizer ?? counts.vocabulary(size: settings.size, minimumCount: settings.minimumCount)
    let tokens = Spool<Int32>(scratch)
    guard let encoding = vocabulary.bytePairs else { return (vocabulary, tokens) }
    var merger = BytePairMerger()
    var (encoded, ends): ([Int32], [Int]) = ([], [0])
    for piece in 0..<counts.table.count {
      counts.table[piece].withUnsafeBytes { merger.encode($0, encoding, to: &encoded) }
      ends.append(encoded.count)
    }
    try pieces.visit { piece in
      for token in encoded[ends[Int(piece)]..<ends[Int(piece) + 1]] { try tokens.append(token) }
    }
    return (vocabulary, tokens)
  }
}

/// Where the blocks of a text meet: what one ends in goes to the beginning of the next.
struct BlockSeam {
  private let text: String
  private var pending: [UInt8] = []
  /// Of the pending bytes in the text; lines count from 1.
  private var (offset, line) = (0, 1)

  private static let longestWord = 1 << 20

  init(text: String) { self.text = text }

  /// Hands on as much of a text as ends where a token does.
  ///
  /// - Parameter end: up to where the last token of its bytes is certainly whole.
  /// - Throws: ``VocabularyError/invalidUTF8(source:byte:offset:line:)``,
  ///   ``NGramError/longWord(file:line:)``, and what else `body` throws.
  mutating func join(
    _ block: some ContiguousBytes, endOf end: (UnsafeRawBufferPointer) -> Int,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    block.withUnsafeBytes { pending.append(contentsOf: $0) }
    let count = pending.withUnsafeBytes(end)
    if pending.count - count > Self.longestWord {
      try hand(count, body)
      throw NGramError.longWord(file: text, line: line)
    }
    try hand(count, body)
  }

  /// Hands on what is left at the text's end.
  mutating func finish(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try hand(pending.count, body)
  }

  private mutating func hand(
    _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try pending.withUnsafeBytes { pending in
      let bytes = UnsafeRawBufferPointer(rebasing: pending[..<count])
      do {
        try body(bytes)
      } catch let error as UTF8Scanner.Invalid {
        throw VocabularyError.invalidUTF8(
          source: text, byte: bytes[error.offset], offset: offset + error.offset,
          line: line + bytes[..<error.offset].count { $0 == 0x0A })
      }
      line += bytes.count { $0 == 0x0A }
    }
    offset += count
    pending.removeSubrange(..<count)
  }
}
