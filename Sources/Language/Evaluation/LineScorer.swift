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
public struct LineScorer: Sendable {
  private let model: AnyModel
  private var vocabulary: Vocabulary { model.vocabulary }

  public init(_ model: AnyModel) { self.model = model }

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

  /// Scores lines, which hold no line feeds.
  ///
  /// - Parameters:
  ///   - source: how errors call the text.
  ///   - progress: gets the fraction that is done, from time to time.
  /// - Throws: ``VocabularyError`` for invalid UTF-8 and words that are too long;
  ///   ``PredictionError`` if what the model says can't be true.
  public func scores(
    of lines: some Collection<some ContiguousBytes>, source: String = "the text",
    progress: (Double) -> Void = { _ in }
  ) throws -> [Score] {
    let encoded = try lines.map { try encode($0, source: source) }
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
  private func encode(_ line: some ContiguousBytes, source: String) throws -> Vocabulary.Encoded {
    if vocabulary.unit == .bpe { return try encodeAcrossLineFeeds(line, source: source) }
    var encoded = try vocabulary.encode(line, source: source)
    // A line that isn't empty has got its end.
    if vocabulary.unit == .words, !encoded.tokens.isEmpty { encoded.tokens.removeLast() }
    let end = vocabulary.lineEnd.map { [$0] } ?? []
    encoded.tokens = end + encoded.tokens + end
    return encoded
  }

  private func encodeAcrossLineFeeds(
    _ line: some ContiguousBytes, source: String
  ) throws -> Vocabulary.Encoded {
    let lineFeed: [UInt8] = [0x0A]
    let ended = line.withUnsafeBytes { [UInt8]($0) } + lineFeed
    let framed = try vocabulary.encode(lineFeed + ended, source: source)
    if framed.tokens.count > 1 { return framed }
    var encoded = try vocabulary.encode(lineFeed, source: source)
    encoded.tokens += try vocabulary.encode(ended, source: source).tokens
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
