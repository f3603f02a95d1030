import Foundation

/// Scores lines of text, each on its own.
///
/// A line is predicted from the end of a line before it, without any other past, and with its own
/// end: of words `</s>`, which also stands for what begins a sentence; of other tokens the line feed.
/// So an empty line has the probability of that end. Where a vocabulary of characters
/// lacks the line feed, the first character of a line is only context, and its end isn't predicted.
///
/// A byte pair may hold a line feed and white space beside it. So the tokens of a line are those of
/// one text, the line between two line feeds. The first of them, which begins with the first line
/// feed, is only context, and with it what it holds of the white space that begins the line. If it
/// holds everything, as it may where a line is empty, the first line feed is encoded by itself.
public struct LineScorer {
  private let model: AnyModel
  private let source: String
  /// Goes on from line to line, so that errors can tell which one they are about.
  private var encoder: TokenEncoder
  /// A line with its line feed.
  private var line: [UInt8] = []
  private let unit: TokenUnit
  private let lineEnd: Int32?

  /// - Parameter source: how errors call the text, of which all lines come in order.
  public init(_ model: AnyModel, source: String = "the text") {
    (self.model, self.source) = (model, source)
    (unit, lineEnd) = (model.vocabulary.unit, model.vocabulary.lineEnd)
    encoder = TokenEncoder(model.vocabulary, source: source)
  }

  /// The score of a line.
  public struct Score: Sendable, Equatable {
    /// What was predicted, the end of the line included.
    public let tokens: [Int32]
    /// ln p of each of these tokens.
    public let logProbabilities: [Double]
    /// Words read as `<unk>`, or characters left out.
    public let outOfVocabulary: Int

    /// ln p of the line, in nats.
    public var logProbability: Double { logProbabilities.reduce(0, +) }
  }

  /// Scores the next lines, which hold no line feeds.
  ///
  /// - Parameter progress: gets the fraction that is done, from time to time.
  /// - Throws: ``VocabularyError`` for invalid UTF-8 and words that are too long;
  ///   ``PredictionError`` if what the model says can't be true.
  public mutating func scores(
    of lines: some Collection<some ContiguousBytes>, progress: (Double) -> Void = { _ in }
  ) throws -> [Score] {
    var encoded: [Vocabulary.Encoded] = []
    encoded.reserveCapacity(lines.count)
    for line in lines { encoded.append(try encode(line)) }
    let logProbabilities = model.model.logProbabilities(
      ofEach: encoded.map(\.tokens), progress: progress)
    var sum = PredictionSum()
    for line in logProbabilities { sum.add(line) }
    try sum.check(model)
    return zip(encoded, logProbabilities).map { line, logProbabilities in
      Score(
        tokens: Array(line.tokens.dropFirst()), logProbabilities: logProbabilities,
        outOfVocabulary: line.outOfVocabulary)
    }
  }

  /// A line between line ends.
  private mutating func encode(_ bytes: some ContiguousBytes) throws -> Vocabulary.Encoded {
    line.removeAll(keepingCapacity: true)
    bytes.withUnsafeBytes { line.append(contentsOf: $0) }
    line.append(Self.lineFeed)
    if unit == .bpe { return try encodeAcrossLineFeeds() }
    var tokens: [Int32] = []
    // Room for a word each five bytes, and for line ends: arrays that grow cost more than tokens.
    tokens.reserveCapacity(unit == .words ? 4 + line.count / 5 : 2 + line.count)
    if let lineEnd { tokens.append(lineEnd) }
    let unknown = encoder.outOfVocabulary
    try line.withUnsafeBytes { try encoder.encode($0, into: &tokens) }
    // A line feed that the vocabulary lacks isn't missed.
    let missing = lineEnd == nil ? 1 : 0
    return Vocabulary.Encoded(
      tokens: tokens, outOfVocabulary: encoder.outOfVocabulary - unknown - missing,
      bytes: line.count - 1)
  }

  private static let lineFeed: UInt8 = 0x0A

  private func encodeAcrossLineFeeds() throws -> Vocabulary.Encoded {
    let vocabulary = model.vocabulary
    let framed = try vocabulary.encode([Self.lineFeed] + line, source: source)
    if framed.tokens.count > 1 { return framed }
    var encoded = try vocabulary.encode([Self.lineFeed], source: source)
    encoded.tokens += try vocabulary.encode(line, source: source).tokens
    return encoded
  }
}

extension SourceText {
  /// The lines, without their line feeds. What follows the last line feed is a line if it isn't
  /// empty.
  public var lines: [Data] {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// Calls `body` with the lines, some at once, so many bytes of them or one: as `lines`, but without
  /// having all in memory.
  ///
  /// - Parameter body: gets lines, valid only meanwhile, and what fraction of the text they end.
  public func forEachLines(
    ofBytes size: Int, _ body: ([UnsafeRawBufferPointer], _ done: Double) throws -> Void
  ) rethrows {
    try bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var (begin, lines, first) = (0, [UnsafeRawBufferPointer](), 0)
      while begin < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[begin...])
        let found = rest.baseAddress.flatMap { memchr($0, 0x0A, rest.count) }
        let end = found.map { UnsafeRawPointer($0) - base } ?? bytes.count
        lines.append(UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
        begin = end + 1
        guard begin - first >= size || begin >= bytes.count else { continue }
        try body(lines, Double(min(begin, bytes.count)) / Double(bytes.count))
        lines.removeAll(keepingCapacity: true)
        file?.release(first..<min(begin, bytes.count))
        first = begin
      }
    }
  }

  /// Pairs of sentences, one a line, separated by a tab.
  ///
  /// - Throws: ``ScoringError`` with the line that isn't one.
  public func sentencePairs() throws -> [(first: Data, second: Data)] {
    try lines.enumerated().map { index, line in
      let parts = line.split(separator: 0x09, omittingEmptySubsequences: false)
      guard parts.count > 1 else { throw ScoringError.noTab(file: name, line: index + 1) }
      guard parts.count == 2 else {
        throw ScoringError.manyTabs(file: name, line: index + 1, tabs: parts.count - 1)
      }
      let isBlank = parts.map { $0.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }
      guard isBlank == [false, false] else {
        throw ScoringError.emptySentence(file: name, line: index + 1, isFirst: isBlank[0])
      }
      return (parts[0], parts[1])
    }
  }
}

/// Why lines can't be scored.
public enum ScoringError: Error, Equatable, Sendable, CustomStringConvertible {
  case noTab(file: String, line: Int)
  case manyTabs(file: String, line: Int, tabs: Int)
  case emptySentence(file: String, line: Int, isFirst: Bool)

  public var description: String {
    switch self {
    case .noTab(let file, let line):
      "\(file) has no tab in line \(line); write two sentences on each line, with a tab between them."
    case .manyTabs(let file, let line, let tabs):
      "\(file) has \(tabs) tabs in line \(line); write two sentences on each line, with one tab "
        + "between them."
    case .emptySentence(let file, let line, let isFirst):
      "\(file) has nothing \(isFirst ? "before" : "after") the tab in line \(line); write a sentence "
        + "there."
    }
  }
}
