import Foundation
import Interchange

/// Makes tokens of texts that come in pieces, each of which ends where a token does.
protocol BlockTokenizer {
  /// - Parameter name: what messages call the text.
  mutating func beginText(_ name: String)
  mutating func read(_ piece: UnsafeRawBufferPointer) throws
  mutating func endText() throws
  /// The vocabulary of all texts, and their tokens.
  mutating func result(
    _ scratch: Scratch, name: String
  ) throws -> (vocabulary: Vocabulary, tokens: Spool<Int32>)
}

extension BlockTokenizer {
  mutating func beginText(_ name: String) {}
  mutating func endText() {}
}

struct ByteBlocks: BlockTokenizer {
  private let tokens: Spool<Int32>

  init(_ scratch: Scratch) { tokens = Spool(scratch) }

  func read(_ piece: UnsafeRawBufferPointer) throws {
    for byte in piece { try tokens.append(Int32(byte)) }
  }

  func result(_ scratch: Scratch, name: String) -> (vocabulary: Vocabulary, tokens: Spool<Int32>) {
    (.bytes, tokens)
  }
}

struct CharacterBlocks: BlockTokenizer {
  private let scalars: Spool<Int32>
  private var occurs = [Bool](repeating: false, count: 0x11_0000)

  init(_ scratch: Scratch) { scalars = Spool(scratch) }

  mutating func read(_ piece: UnsafeRawBufferPointer) throws {
    var scanner = UTF8Scanner(piece)
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
  /// The text that is being read, and its line.
  private var (text, line) = ("", 1)

  init(_ settings: VocabularySettings, _ scratch: Scratch) {
    self.settings = settings
    splitting = settings.splitting ?? .whitespace
    scanner = WordScanner(splitting)
    words = Spool(scratch)
    for special in Vocabulary.specialWords { _ = special.withUnsafeBytes { table.insert($0) } }
  }

  mutating func beginText(_ name: String) { (text, line) = (name, 1) }

  /// - Throws: ``NGramError/reservedWord(_:source:line:)`` for `<s>`,
  ///   ``NGramError/zeroByte(source:line:)``, and as the scanners do.
  mutating func read(_ piece: UnsafeRawBufferPointer) throws {
    try UTF8Scanner.check(piece)
    try scanner.read(piece) { word in
      guard let word else {
        line += 1
        return try words.append(Vocabulary.lineEndWord)
      }
      let number = table.insert(word)
      if Int(number) == counts.count {
        if word.elementsEqual(ARPASpelling.begin) {
          throw NGramError.reservedWord("<s>", source: text, line: line)
        }
        if word.contains(0) { throw NGramError.zeroByte(source: text, line: line) }
        counts.append(0)
      }
      counts[Int(number)] += 1
      try words.append(number)
    }
  }

  mutating func endText() throws {
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

  mutating func read(_ piece: UnsafeRawBufferPointer) throws {
    try counts.read(piece, isLast: false) { try pieces.append($0) }
  }

  mutating func endText() throws {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    try counts.read(nothing, isLast: true) { try pieces.append($0) }
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
