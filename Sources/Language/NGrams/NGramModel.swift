import Foundation
import Learning
import Tensors

/// A language model that looks at the last N − 1 tokens: p(w | h), by counting.
///
/// Words are counted sentence by sentence, a line being a sentence: it begins with `<s>`, which is
/// context only, and ends with `</s>`, which is predicted like a word. Characters and bytes are one
/// long text without an end. `<unk>` in a text is a word like any other; where the text has none,
/// it keeps the probability that smoothing leaves for what was never seen.
///
/// - SeeAlso: ``Smoothing`` for the equations.
public struct NGramModel: Sendable {
  public let vocabulary: Vocabulary
  /// Whether the scores after a context sum to one; stupid backoff's don't.
  public let isNormalised: Bool
  /// D of each order, from 1, if modified Kneser–Ney made the model here; otherwise empty.
  public let discounts: [KneserNeyDiscounts]
  let tree: NGramTree

  /// As high an order as a model may have, far above any that helps: what reads a file must know
  /// an absurd number when it sees one.
  public static let largestOrder = 1000

  /// Counts tokens and estimates the model.
  ///
  /// Orders for which the text is too short are left out, which changes no probability.
  ///
  /// - Parameters:
  ///   - tokens: of `vocabulary`; words hold `</s>` at the end of each line.
  ///   - order: N, the longest n-gram, from 1 to ``largestOrder``.
  /// - Throws: ``NGramError``, such as ``NGramError/reservedWord(_:source:line:)`` if `<s>` is a
  ///   word.
  /// - Precondition: tokens are below the vocabulary's count.
  /// - Complexity: O(tokens · N) time and memory.
  public init(
    training tokens: some Sequence<Int32>, vocabulary: Vocabulary, order: Int,
    smoothing: Smoothing = .modifiedKneserNey, pruning: Pruning = .none
  ) throws {
    let scratch = Scratch(memory: .max)
    let text = try SpooledText(tokens, vocabulary: vocabulary, scratch)
    let contents = try NGramContents(
      training: text, first: text.count, order: order, smoothing: smoothing, pruning: pruning,
      scratch: scratch
    ) { _, _ in }
    self.init(
      vocabulary: vocabulary, tree: NGramTree(try NGramNodes(contents.tables)),
      isNormalised: contents.isNormalised, discounts: contents.discounts)
  }

  /// Reads a file of n-grams, whichever of the two forms it has.
  ///
  /// - Throws: ``ARPAError``, ``NGramFileError``, `FileError`; ``ModelFolderError`` for a file that
  ///   is neither.
  public init(contentsOf url: URL) throws {
    let beginning = Self.beginning(of: url)
    if beginning.starts(with: NGramFile.magic) || url.pathExtension == NGramFile.pathExtension {
      self = try NGramFile.read(contentsOf: url)
    } else {
      // No text holds a byte that is zero, but if an ARPA file does, its line is to be named.
      guard !beginning.contains(0) || beginning.firstRange(of: ARPASpelling.heading) != nil else {
        throw ModelFolderError.noFolder(path: url.path)
      }
      self = try ARPAFile.read(contentsOf: url)
    }
  }

  /// Enough of a file to tell what it holds; nothing if it can't be read.
  static func beginning(of url: URL) -> Data {
    guard let handle = try? FileHandle(forReadingFrom: url) else { return Data() }
    defer { try? handle.close() }
    return (try? handle.read(upToCount: 4096)) ?? Data()
  }

  init(
    vocabulary: Vocabulary, tree: NGramTree, isNormalised: Bool,
    discounts: [KneserNeyDiscounts] = []
  ) {
    self.vocabulary = vocabulary
    self.tree = tree
    self.isNormalised = isNormalised
    self.discounts = discounts
  }

  /// All of the model, to be written.
  ///
  /// - Parameter name: what messages call the model.
  /// - Throws: ``NGramFileError`` for a model from a damaged file; `FileError`.
  package func contents(_ scratch: Scratch, name: String = "the model") throws -> NGramContents {
    NGramContents(
      vocabulary: vocabulary, tables: try tree.tables(scratch, name: name),
      isNormalised: isNormalised, discounts: discounts)
  }

  /// N, the longest n-gram.
  public var order: Int { tree.order }

  /// How many n-grams there are of each order, from 1; `<s>` counts among those of order 1.
  public var counts: [Int] { (1...order).map { tree.nodes(order: $0).count } }

  /// log₁₀ p of each token but the first, from all before it. Before words, let the first one be
  /// `</s>`: after it a sentence begins.
  ///
  /// - Precondition: tokens are below the vocabulary's count.
  /// - Complexity: O(tokens · N · log V) at worst.
  public func scores(of tokens: some Sequence<Int32>) -> [Float] {
    var context = NGramTree.root
    return Array(tokens.map { score($0, after: &context) }.dropFirst())
  }

  /// As `scores(of:)`, of the last tokens of a text that begins at least N − 1 before them.
  func scores(ofLast count: Int, of tokens: [Int32]) -> [Float] {
    let first = tokens.count - count
    let cuts = (0...Self.turns).map { first + count * $0 / Self.turns }
    let readers = zip(cuts, cuts.dropFirst()).map { begin, end in
      var context = NGramTree.root
      for token in tokens[max(0, begin - max(order - 1, 1))..<begin] { read(token, into: &context) }
      return Reader(place: begin, end: end, context: context, nextBegin: 0)
    }
    return scores(of: tokens, by: readers, begins: [])
  }

  /// log₁₀ p of each token of some texts that stand one after the other, each without a past; that of
  /// a text's first token means nothing.
  ///
  /// - Parameter begins: the places of the texts' first tokens, ascending.
  func scores(of tokens: [Int32], begins: [Int]) -> [Float] {
    let firsts = (0...Self.turns).map { turn in
      begins.firstIndex { $0 >= tokens.count * turn / Self.turns } ?? begins.count
    }
    let cuts = firsts.map { $0 < begins.count ? begins[$0] : tokens.count }
    let readers = (0..<Self.turns).map { turn in
      Reader(
        place: cuts[turn], end: cuts[turn + 1], context: NGramTree.root, nextBegin: firsts[turn])
    }
    return scores(of: tokens, by: readers, begins: begins)
  }

  /// Who reads a part of a text. Some take turns: while one waits for what its question needs of the
  /// memory, the next asks its own.
  private struct Reader {
    var place: Int
    let end: Int
    var context: Int32
    /// Which text begins next.
    var nextBegin: Int
  }

  private static let turns = 4

  /// log₁₀ p of the tokens of readers whose parts stand one after the other, to the end of the text.
  private func scores(of tokens: [Int32], by readers: [Reader], begins: [Int]) -> [Float] {
    let first = readers[0].place
    var readers = readers
    return [Float](unsafeUninitializedCapacity: tokens.count - first) { out, count in
      count = tokens.count - first
      // With an end, so that there always is a next one to compare with.
      let begins = begins + [Int.max]
      readers.withUnsafeMutableBufferPointer { readers in
        tokens.withUnsafeBufferPointer { tokens in
          var isLeft = true
          while isLeft {
            isLeft = false
            for index in readers.indices where readers[index].place < readers[index].end {
              let place = readers[index].place
              readers[index].place = place + 1
              isLeft = true
              if begins[readers[index].nextBegin] == place {
                readers[index].nextBegin += 1
                readers[index].context = NGramTree.root
                // Nobody needs to look up what only begins a sentence.
                if beginSentence(after: tokens[place], &readers[index].context) {
                  out[place - first] = 0
                  continue
                }
              }
              out[place - first] = score(tokens[place], after: &readers[index].context)
            }
          }
        }
      }
    }
  }

  /// Begins a sentence after a token that ends one.
  ///
  /// - Returns: whether it does.
  @inline(__always)
  @discardableResult
  private func beginSentence(after token: Int32, _ context: inout Int32) -> Bool {
    guard token == Vocabulary.lineEndWord, vocabulary.unit == .words else { return false }
    context = tree.order > 1 ? Int32(vocabulary.count) + 1 : NGramTree.root
    return true
  }

  @inline(__always)
  private func score(_ token: Int32, after context: inout Int32) -> Float {
    let score = tree.score(token, after: &context)
    beginSentence(after: token, &context)
    return score
  }

  fileprivate func read(_ token: Int32, into context: inout Int32) {
    _ = score(token, after: &context)
  }
}

extension NGramModel: LanguageModel {
  public var vocabularySize: Int { vocabulary.count }

  /// How well the model predicts `tokens`, each from the N − 1 before it; the first is only context.
  ///
  /// If the model isn't normalised, this is no cross-entropy, and compares with no other.
  ///
  /// - Parameter streams: is passed over: nothing would become faster.
  /// - Precondition: tokens are below the vocabulary's count.
  public func crossEntropy(
    of tokens: TokenSequence, streams: Int = 1, progress: (Double) -> Void = { _ in }
  ) -> CrossEntropy {
    Evaluation().crossEntropy(of: tokens, by: self, progress: progress)
  }

  public func predictor() -> any Predictor { NGramPredictor(model: self) }
}

private struct NGramPredictor: Predictor {
  let model: NGramModel
  private var context = NGramTree.root

  init(model: NGramModel) { self.model = model }

  /// Natural logarithms of the probabilities, or of stupid backoff's scores.
  mutating func logits(after token: Int32) -> [Float] {
    model.read(token, into: &context)
    return model.tree.scores(after: context, vocabularySize: model.vocabularySize).map {
      $0 * Float(log(10.0))
    }
  }
}
