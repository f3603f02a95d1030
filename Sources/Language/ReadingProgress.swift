/// How far the reading of texts has come.
public struct ReadingProgress: Sendable {
  /// What the texts are read for.
  public enum Work: Sendable {
    case vocabulary, tokens
  }

  public let work: Work
  /// Bytes that have been read, of how many.
  public internal(set) var done = 0
  public let total: Int

  init(_ work: Work, of texts: [SourceText]) {
    self.work = work
    total = texts.reduce(0) { $0 + $1.bytes.count }
  }
}
