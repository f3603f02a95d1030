import Foundation
import Language
import Testing

@Suite struct ProbabilisticGrammarTests {
  /// aⁿ c bⁿ with probability 0.7 · 0.3ⁿ.
  private func nested() -> ProbabilisticGrammar {
    var grammar = ProbabilisticGrammar()
    grammar.add("<s>", [(3, ["a", "<s>", "b"]), (7, ["c"])])
    return grammar
  }

  @Test func probabilitiesOfNestedSentences() throws {
    let grammar = nested()
    let start = grammar.phrase(named: "<s>")
    for n in 0..<60 {
      let sentence = Array(repeating: "a", count: n) + ["c"] + Array(repeating: "b", count: n)
      let found = try #require(grammar.logProbability(of: sentence, from: start))
      #expect(abs(found - log(0.7) - Double(n) * log(0.3)) < 1e-12 * Double(n + 1))
    }
    #expect(grammar.logProbability(of: ["a", "c"], from: start) == nil)
    #expect(grammar.logProbability(of: ["c", "b"], from: start) == nil)
  }

  /// The number of a's is geometric: mean 0.3/0.7, and each choice has the binary entropy h(0.3).
  @Test func expectationsOfNestedSentences() {
    let grammar = nested()
    let found = grammar.expectations(of: grammar.phrase(named: "<s>"))
    let choice = -0.3 * log(0.3) - 0.7 * log(0.7)
    #expect(abs(found.entropy - choice / 0.7) < 1e-14)
    #expect(abs(found.words - (1 + 2 * 0.3 / 0.7)) < 1e-14)
  }

  @Test func ambiguousSentencesAddUp() throws {
    var grammar = ProbabilisticGrammar()
    grammar.add("<s>", [(0.5, ["a", "<s>"]), (0.2, ["a"]), (0.3, ["a", "a"])])
    let found = try #require(
      grammar.logProbability(of: ["a", "a"], from: grammar.phrase(named: "<s>")))
    #expect(abs(exp(found) - (0.5 * 0.2 + 0.3)) < 1e-15)
  }

  @Test func phrasesMayBeEmpty() throws {
    var grammar = ProbabilisticGrammar()
    grammar.add("<maybe>", [(0.25, []), (0.75, ["x"])])
    grammar.add("<s>", [(1, ["a", "<maybe>", "<maybe>"])])
    let start = grammar.phrase(named: "<s>")
    for (sentence, expected) in [
      (["a"], 0.0625), (["a", "x"], 2 * 0.25 * 0.75), (["a", "x", "x"], 0.5625),
    ] {
      let found = try #require(grammar.logProbability(of: sentence, from: start))
      #expect(abs(exp(found) - expected) < 1e-15)
    }
  }
}
