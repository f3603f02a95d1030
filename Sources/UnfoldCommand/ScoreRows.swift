import Foundation
import Language
import Plots

/// What `score` prints of lines, gathered in bytes: there may be millions of them.
struct ScoreRows {
  private let vocabulary: Vocabulary
  private let perToken, json: Bool
  private var bytes: [UInt8] = []
  /// How each token looks, once it was asked for.
  private var labels: [[UInt8]?]

  init(vocabulary: Vocabulary, perToken: Bool, json: Bool) {
    (self.vocabulary, self.perToken, self.json) = (vocabulary, perToken, json)
    labels = perToken ? Array(repeating: nil, count: vocabulary.count) : []
  }

  private struct Line: Encodable {
    let line: Int
    let text: String
    let logProbability: Double
    let tokens, outOfVocabulary: Int
    let perToken: [Token]?
  }

  private struct Token: Encodable {
    let token: String
    let logProbability: Double
  }

  /// Appends what is said of a line.
  mutating func append(
    _ score: LineScorer.Score, _ line: UnsafeRawBufferPointer, number: Int
  ) throws {
    if json {
      let tokens = zip(score.tokens, score.logProbabilities).map {
        Token(token: vocabulary.label(of: $0), logProbability: $1)
      }
      let object = Line(
        line: number, text: String(decoding: line, as: UTF8.self),
        logProbability: score.logProbability, tokens: score.tokens.count,
        outOfVocabulary: score.outOfVocabulary, perToken: perToken ? tokens : nil)
      bytes.append(contentsOf: try Console.json(object).utf8)
    } else if perToken {
      let number = Array("\(number)\t".utf8)
      for (token, logProbability) in zip(score.tokens, score.logProbabilities) {
        bytes.append(contentsOf: number)
        bytes.append(contentsOf: label(of: token))
        bytes.append(UInt8(ascii: "\t"))
        bytes.append(logProbability, digits: 6)
        bytes.append(UInt8(ascii: "\n"))
      }
      return
    } else {
      bytes.append(score.logProbability, digits: 6)
      bytes.append(UInt8(ascii: "\t"))
      bytes.append(contentsOf: line)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func label(of token: Int32) -> [UInt8] {
    if let label = labels[Int(token)] { return label }
    let label = Array(vocabulary.label(of: token).utf8)
    labels[Int(token)] = label
    return label
  }

  /// Whether more is gathered than should stay in memory.
  var isLong: Bool { bytes.count > 1 << 26 }

  /// Prints what was gathered.
  mutating func print() throws {
    try Console.print(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
