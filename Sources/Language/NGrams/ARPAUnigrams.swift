/// The 1-grams of an ARPA file, as they become a vocabulary.
struct ARPAUnigrams {
  private let unit: TokenUnit
  private let splitting: WordSplitting
  /// All tokens that there can be; nil where that is for the file to say.
  private let known: Vocabulary?
  /// The words in the order of the file.
  private(set) var table = WordTable()
  private var logProbabilities: [Float] = []
  private var backoffs: [Float] = []

  /// What a token gets that the file lacks, as in KenLM.
  private static let missing: Float = -100

  /// - Parameter tokenizer: the vocabulary of byte pairs.
  init(unit: TokenUnit, _ splitting: WordSplitting, tokenizer: Vocabulary?) {
    self.unit = unit
    self.splitting = splitting
    known = unit == .bytes ? .bytes : unit == .bpe ? tokenizer : nil
  }

  /// - Returns: whether the word is new.
  mutating func append(
    _ word: UnsafeRawBufferPointer, _ logProbability: Float, _ backoff: Float
  ) -> Bool {
    guard Int(table.insert(word)) == logProbabilities.count else { return false }
    logProbabilities.append(logProbability)
    backoffs.append(backoff)
    return true
  }

  /// What a word of the file stands for.
  private enum Meaning {
    case token([UInt8])
    case sentenceBegin
    /// `<unk>` and `</s>` where tokens are characters or bytes: other readers ask for them.
    case nothing
  }

  struct Result {
    let vocabulary: Vocabulary
    /// What each word is, in the order of the file: a token, V for `<s>`, or −1 for nothing.
    let tokens: [Int32]
    /// By token, and for `<s>` at the end.
    let logProbabilities: [Float]
    let backoffs: [Float]
  }

  /// What is wrong with the section.
  struct Fault: Error {
    let problem: ARPAError.Problem
    /// The word, counted from 0 in the order of the file; nil where it is the section as a whole.
    var word: Int?
  }

  func result() throws(Fault) -> Result {
    let meanings = try meanings()
    var (numbers, marks) = (WordTable(), 0)
    if let known {
      for spelling in known.spellings { _ = number(spelling, in: &numbers) }
    } else if unit == .words {
      for spelling in Vocabulary.specialWords { _ = number(spelling, in: &numbers) }
      marks = numbers.count
    }
    let tokens = meanings.map { meaning -> Int32 in
      if case .token(let spelling) = meaning { return number(spelling, in: &numbers) }
      return -1
    }
    guard numbers.count - marks + min(marks, 1) >= 2 else {
      throw Fault(problem: .tooFewTokens)
    }
    if let known, numbers.count > known.count {
      throw Fault(
        problem: .noToken(Vocabulary.visible(numbers[known.count]), unit),
        word: tokens.firstIndex(of: Int32(known.count)))
    }
    let vocabulary =
      known
      ?? Vocabulary(
        unit: unit, spellings: (0..<numbers.count).map { Array(numbers[$0]) }, splitting: splitting)
    return try arranged(meanings, tokens, vocabulary)
  }

  private func number(_ spelling: [UInt8], in numbers: inout WordTable) -> Int32 {
    spelling.withUnsafeBytes { numbers.insert($0) }
  }

  private func meanings() throws(Fault) -> [Meaning] {
    let hasUnknown = ARPASpelling.unknown.withUnsafeBytes { table.index(of: $0) } != nil
    var (begins, ends) = (false, false)
    var meanings: [Meaning] = []
    for index in 0..<table.count {
      let word = Array(table[index])
      switch word {
      case ARPASpelling.begin:
        begins = true
        meanings.append(.sentenceBegin)
      case ARPASpelling.end, ARPASpelling.unknown:
        ends = ends || word == ARPASpelling.end
        meanings.append(unit == .words ? .token(word) : .nothing)
      case ARPASpelling.upperUnknown where unit == .words && !hasUnknown:
        meanings.append(.token(ARPASpelling.unknown))
      default:
        if word.contains(0) {
          throw Fault(problem: .zeroByte(Vocabulary.visible(word)), word: index)
        }
        // Lines are split at fewer kinds of white space than texts are.
        if unit == .words, word.contains(where: WordScanner.isWhiteSpace) {
          throw Fault(problem: .whiteSpace(Vocabulary.visible(word)), word: index)
        }
        guard Array(String(decoding: word, as: UTF8.self).utf8) == word,
          let token = ARPASpelling.token(word, unit: unit)
        else { throw Fault(problem: .noToken(Vocabulary.visible(word), unit), word: index) }
        meanings.append(.token(token))
      }
    }
    if unit == .words, !begins { throw Fault(problem: .noSentenceMark("<s>")) }
    if unit == .words, !ends { throw Fault(problem: .noSentenceMark("</s>")) }
    return meanings
  }

  private func arranged(
    _ meanings: [Meaning], _ tokens: [Int32], _ vocabulary: Vocabulary
  ) throws(Fault) -> Result {
    let begin = vocabulary.count
    var isFilled = [Bool](repeating: false, count: begin + 1)
    var logs = [Float](repeating: Self.missing, count: begin + 1)
    var bows = [Float](repeating: 0, count: begin + 1)
    var tokens = tokens
    for (index, meaning) in meanings.enumerated() {
      if case .nothing = meaning { continue }
      if case .sentenceBegin = meaning { tokens[index] = Int32(begin) }
      let token = Int(tokens[index])
      // Two spellings of one character.
      if isFilled[token] {
        throw Fault(problem: .duplicate(Vocabulary.visible(table[index])), word: index)
      }
      isFilled[token] = true
      (logs[token], bows[token]) = (logProbabilities[index], backoffs[index])
    }
    return Result(vocabulary: vocabulary, tokens: tokens, logProbabilities: logs, backoffs: bows)
  }
}
