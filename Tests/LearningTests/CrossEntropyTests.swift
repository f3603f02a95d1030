import Foundation
import Learning
import Testing

@Suite struct CrossEntropyTests {
  /// A uniform guess among 8 is worth 3 bits and has perplexity 8.
  @Test func aUniformGuessHasTheKnownValues() {
    let uniform = CrossEntropy(totalNats: 10 * log(8), tokens: 10)
    #expect(abs(uniform.nats - 2.0794415416798357) < 1e-15)
    #expect(abs(uniform.bits - 3) < 1e-14)
    #expect(abs(uniform.perplexity - 8) < 1e-13)
    #expect(abs(uniform.bitsPerByte(bytes: 60) - 0.5) < 1e-14)
  }

  @Test func sumsAreOverAllTokens() {
    var total = CrossEntropy()
    #expect(total.nats.isNaN)
    total += CrossEntropy(totalNats: 3, tokens: 1)
    total += CrossEntropy(totalNats: 3, tokens: 2)
    #expect(total == CrossEntropy(totalNats: 6, tokens: 3))
    #expect(total.nats == 2)
  }
}
