/// Why a text has no tokens, or a vocabulary can't be used.
public enum VocabularyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `offset` counts bytes from 0, `line` from 1.
  case invalidUTF8(source: String, byte: UInt8, offset: Int, line: Int)
  case tooFewCharacters(source: String, only: String?)
  case noWords(source: String)
  case onlyUnknownWords(source: String)
  case noFrequentWord(source: String, minimumCount: Int)
  case wordTooLong(source: String, line: Int)
  case lineEndAsWord(source: String, line: Int)
  case limitsWithoutWords(TokenUnit)
  case tooManyTokens
  case unknown(TokenUnit, [String])
  case malformedFile(reason: String)
  case unusableTokenizer(file: String, reason: String)

  public var description: String {
    switch self {
    case .invalidUTF8(let source, let byte, let offset, let line):
      let hex = (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      return "\(source) isn't valid UTF-8: byte 0x\(hex) at offset \(offset) (line \(line)) "
        + "begins no character; --tokens bytes takes any file."
    case .tooFewCharacters(let source, .some(let character)):
      return "\(source) holds only one distinct character (“\(character)”), "
        + "so there is nothing to predict."
    case .tooFewCharacters(let source, nil):
      return "\(source) holds no characters, so there is nothing to predict."
    case .noWords(let source):
      return "\(source) holds no words, only white space, so there is nothing to predict."
    case .onlyUnknownWords(let source):
      return "\(source) holds no word but <unk>, so there is nothing to learn; give a text with "
        + "words."
    case .noFrequentWord(let source, let minimumCount):
      return "No word of \(source) occurs \(minimumCount) times; lower --minimum-count."
    case .wordTooLong(let source, let line):
      return "\(source) holds a word longer than a megabyte in line \(line), so it can't be a text "
        + "of words; --tokens characters or --tokens bytes takes it."
    case .lineEndAsWord(let source, let line):
      return "\(source) holds the word </s> in line \(line), which stands for the end of each line "
        + "by itself; remove it, for example with sed 's|</s>||g'."
    case .limitsWithoutWords(let unit):
      return "A minimum count or a maximum size limits a vocabulary of words or of bpe, not of "
        + "\(unit)."
    case .tooManyTokens:
      return "There are more than \(Vocabulary.largestCount) distinct words, the most that a "
        + "vocabulary may have; set --minimum-count or --vocabulary-size."
    case .unknown(let unit, let tokens):
      let shown = tokens.prefix(10).map { "“\($0)”" }.joined(separator: ", ")
      let rest = tokens.count > 10 ? " and \(tokens.count - 10) more" : ""
      return "The prompt holds \(unit) that the model's vocabulary lacks: \(shown)\(rest); "
        + "write it without them."
    case .malformedFile(let reason):
      return "The vocabulary file is unusable: \(reason)."
    case .unusableTokenizer(let file, let reason):
      return "\(file) can't be used as a byte-level BPE tokenizer: \(reason)."
    }
  }
}
