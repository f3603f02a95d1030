/// Why an n-gram model can't be made.
public enum NGramError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknownSmoothing(String)
  case invalidPruning(String, reason: String)
  /// Of a text that is read, its name and the line, from 1.
  case reservedWord(String, source: String? = nil, line: Int? = nil)
  /// In a word; of a text that is read, its name and the line, from 1.
  case zeroByte(source: String? = nil, line: Int? = nil)
  case onlyUnknownWords
  case noText
  case tooMuchText

  public var description: String {
    switch self {
    case .unknownSmoothing(let text):
      "“\(text)” is no smoothing; choose kneser-ney, witten-bell, add-k=K with K above 0, or "
        + "stupid-backoff=A with A above 0 and at most 1."
    case .invalidPruning(let text, let reason):
      "“\(text)” is no pruning such as 0,0,1: \(reason)."
    case .reservedWord(let word, let source, let line):
      "\(source ?? "The text") holds the word \(word)\(line.map { " in line \($0)" } ?? ""), which "
        + "marks the beginning of a sentence in n-gram models; remove or rename it."
    case .zeroByte(let source, let line):
      "\(source ?? "The text") holds a word with a zero byte\(line.map { " in line \($0)" } ?? ""), "
        + "which no ARPA file can hold; remove it, for example with tr -d '\\0', or count "
        + "--tokens characters."
    case .onlyUnknownWords:
      "The text holds no word but <unk>, so there is nothing to learn; give one with words, or "
        + "a lower --minimum-count."
    case .tooMuchText:
      "The text holds more n-grams than can be numbered (2³¹); lower the order or take less text."
    case .noText: "The text holds no tokens, so there is nothing to count."
    }
  }
}
