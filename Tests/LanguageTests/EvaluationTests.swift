import Foundation
import Language
import Learning
import Tensors
import Testing

/// Cross-entropy of a text by the fused path, against stepping token by token.
@Suite struct EvaluationTests {
  /// −ln softmax(logits)[target], summed over a text from no past, in double precision.
  private func bruteForce(_ model: any LanguageModel, _ tokens: some Collection<Int32>) -> Double {
    var predictor = model.predictor()
    var total = 0.0
    for (token, target) in zip(tokens, tokens.dropFirst()) {
      let logits = predictor.logits(after: token).map(Double.init)
      let largest = logits.max() ?? 0
      let sum = logits.reduce(0) { $0 + exp($1 - largest) }
      total += log(sum) + largest - logits[Int(target)]
    }
    return total
  }

  /// Windows have 2048 tokens: shorter, exactly that, and more than two of them.
  @Test(arguments: CellKind.allCases, [2, 3, 17, 2049, 5000])
  func oneStreamEqualsStepping(cell: CellKind, count: Int) {
    let model = smallModel(cell, vocabularySize: 11, tied: count == 17)
    let tokens = randomTokens(count, classes: 11, seed: UInt64(count))
    let found = model.crossEntropy(of: tokens, streams: 1) { _ in }
    #expect(found.tokens == count - 1)
    #expect(abs(found.totalNats / bruteForce(model, tokens) - 1) < 1e-5)
  }

  /// Each stream begins without a past and ends where the next begins; what fills no place in every
  /// stream is left out.
  @Test(arguments: [2, 3, 7, 64], [20, 1001])
  func streamsAreSteppedEachFromNoPast(streams: Int, count: Int) {
    let model = smallModel(vocabularySize: 11)
    let tokens = randomTokens(count, classes: 11, seed: 5)
    let used = min(streams, (count - 1) / 2)
    let length = (count - 1) / used
    let expected = (0..<used).reduce(0.0) {
      $0 + bruteForce(model, tokens[$1 * length...($1 + 1) * length])
    }
    let found = model.crossEntropy(of: tokens, streams: streams) { _ in }
    #expect(found.tokens == used * length)
    #expect(abs(found.totalNats / expected - 1) < 1e-5)
  }

  @Test func aTextOfOneTokenHasNothingToPredict() {
    let model = smallModel(vocabularySize: 11)
    #expect(model.crossEntropy(of: [3], streams: 4) { _ in } == CrossEntropy())
    #expect(model.crossEntropy(of: [], streams: 1) { _ in } == CrossEntropy())
  }

  @Test func progressRisesToOne() {
    let model = smallModel(vocabularySize: 11, layers: 1)
    var fractions: [Double] = []
    let tokens = randomTokens(5000, classes: 11, seed: 1)
    _ = model.crossEntropy(of: tokens, streams: 1) { fractions.append($0) }
    #expect(fractions == fractions.sorted() && fractions.last == 1 && fractions.count == 3)
  }

  /// A model without knowledge: zero weights give each of V tokens the probability 1 / V.
  @Test func unitsAgreeForAUniformModel() {
    let model = ModelConfiguration(layers: 1, hiddenSize: 4).model(vocabularySize: 8, seed: nil)
    let result = model.crossEntropy(
      of: randomTokens(101, classes: 8, seed: 1), streams: 1, progress: { _ in })
    #expect(abs(result.nats - log(8)) < 1e-7)
    #expect(abs(result.bits - 3) < 1e-6)
    #expect(abs(result.perplexity - 8) < 1e-5)
    // 100 tokens of 3 bits over 50 bytes.
    #expect(abs(result.bitsPerByte(bytes: 50) - 6) < 1e-5)
  }

  /// A text of words predicts its first word too, from the end of a line that isn't in it.
  @Test func wordsHaveALineEndForContext() throws {
    let text = Array("a b\nb a\n".utf8)
    let words = try Vocabulary(unit: .words, building: text, source: "text")
    let tokens = try words.encode(text, source: "text").tokens
    #expect(Array(words.withContext(TokenSequence(tokens))) == [Vocabulary.lineEndWord] + tokens)
    #expect(words.withContext([]) == [])
    let model = smallModel(vocabularySize: words.count)
    let result = model.crossEntropy(of: words.withContext(TokenSequence(tokens)), streams: 1) { _ in
    }
    #expect(result.tokens == 6)
    let characters = try Vocabulary(unit: .characters, building: text, source: "text")
    let scalars = TokenSequence(try characters.encode(text, source: "text").tokens)
    #expect(characters.withContext(scalars) == scalars)
  }
}
