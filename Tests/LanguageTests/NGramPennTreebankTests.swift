import Foundation
import Language
import Testing

@Suite struct NGramPennTreebankTests {
  static let isPresent = NGramFixtures.data("penn-treebank/test.txt") != nil

  /// KenLM 4cb443e, `<unk>` counted as an ordinary word: perplexities of the test part.
  @Test(
    .enabled(if: isPresent, "Set UNFOLD_DATA to a folder that holds penn-treebank."),
    arguments: [(2, 185.7049), (3, 148.2815), (4, 142.7156), (5, 141.1862)])
  func perplexitiesEqualKenLM(order: Int, perplexity: Double) throws {
    let train = try SourceText(
      contentsOf: #require(NGramFixtures.data("penn-treebank/train.txt")))
    let test = try SourceText(contentsOf: #require(NGramFixtures.data("penn-treebank/test.txt")))
    let vocabulary = try Vocabulary(unit: .words, building: [train])
    let model = try NGramModel(
      training: Corpus([train], vocabulary: vocabulary).tokens, vocabulary: vocabulary,
      order: order)
    let tokens = vocabulary.withContext(try Corpus([test], vocabulary: vocabulary).tokens)
    let measured = model.crossEntropy(of: tokens)
    #expect(measured.tokens == 82430)
    // Asked for is 0.1 %. KenLM has one word more, the <unk> that its text lacks.
    #expect(abs(measured.perplexity / perplexity - 1) < 1e-5)
  }
}
