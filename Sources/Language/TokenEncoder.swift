/// Turns a text into tokens block by block; a block may end anywhere, within a word or a character.
///
/// What the vocabulary lacks is left out (characters) or becomes `<unk>` (words), and is counted.
package struct TokenEncoder {
  private let vocabulary: Vocabulary
  private var seam: BlockSeam
  private var scanner: WordScanner
  private var bytePairs: BytePairEncoder?
  /// Characters left out, or words read as `<unk>`. A literal `<unk>` in the text isn't counted.
  package private(set) var outOfVocabulary = 0

  /// - Parameter source: the name that messages give the text.
  package init(_ vocabulary: Vocabulary, source: String) {
    self.vocabulary = vocabulary
    seam = BlockSeam(text: source, unit: vocabulary.unit)
    scanner = WordScanner(vocabulary.splitting)
    bytePairs = vocabulary.bytePairEncoder
  }

  /// Appends the tokens that are certainly whole after one more block.
  ///
  /// - Throws: ``VocabularyError/invalidUTF8(source:byte:offset:line:)``, unless the tokens are
  ///   bytes or pairs of them; ``VocabularyError/wordTooLong(source:line:)``,
  ///   ``VocabularyError/lineEndAsWord(source:line:)``.
  package mutating func encode(
    _ block: UnsafeRawBufferPointer, into tokens: inout [Int32]
  ) throws { try read(block, into: &tokens) }

  /// Appends what is left at the text's end.
  ///
  /// - Parameter closingLastLine: whether words after the last line feed are a line too, which has
  ///   its end.
  package mutating func finish(
    into tokens: inout [Int32], closingLastLine: Bool = true
  ) throws {
    try read(nil, into: &tokens)
    bytePairs?.read(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { tokens += $0 }
    guard closingLastLine, vocabulary.unit == .words else { return }
    scanner.closeLastLine { _ in tokens.append(Vocabulary.lineEndWord) }
  }

  private mutating func read(
    _ block: UnsafeRawBufferPointer?, into tokens: inout [Int32]
  ) throws {
    let vocabulary = vocabulary
    var (scanner, unknown) = (scanner, outOfVocabulary)
    var bytePairs = bytePairs
    self.bytePairs = nil
    defer { self.bytePairs = bytePairs }
    try seam.join(block) { piece in
      switch vocabulary.lookup {
      case .bytes: for byte in piece { tokens.append(Int32(byte)) }
      case .characters(let ids): try Self.read(piece, ids, &tokens, &unknown)
      case .words(let table): try Self.read(piece, table, &scanner, &tokens, &unknown)
      case .bytePairs: bytePairs?.read(piece, isLast: false) { tokens += $0 }
      }
    }
    (self.scanner, outOfVocabulary) = (scanner, unknown)
  }

  private static func read(
    _ piece: UnsafeRawBufferPointer, _ ids: [Int32], _ tokens: inout [Int32],
    _ unknown: inout Int
  ) throws(UTF8Scanner.Invalid) {
    var characters = UTF8Scanner(piece)
    while let scalar = try characters.next() {
      let id = scalar < ids.count ? ids[Int(scalar)] : -1
      if id >= 0 { tokens.append(id) } else { unknown += 1 }
    }
  }

  private static func read(
    _ piece: UnsafeRawBufferPointer, _ table: WordTable, _ scanner: inout WordScanner,
    _ tokens: inout [Int32], _ unknown: inout Int
  ) throws {
    try UTF8Scanner.check(piece)
    try scanner.read(piece) { word in
      guard let word else { return tokens.append(Vocabulary.lineEndWord) }
      let id = table.index(of: word)
      tokens.append(id ?? Vocabulary.unknownWord)
      unknown += id == nil ? 1 : 0
    }
  }
}
