import Foundation
import Testing

extension CommandTests {
  /// `train --softmax`, and what every command does with such a model.
  @Suite struct LargeVocabularyTests {
    let place: Workplace

    init() throws {
      place = try Workplace()
      try place.write(Small.text(), to: "text")
    }

    @discardableResult
    private func done(_ arguments: String...) throws -> String {
      let result = try place.unfold(arguments)
      #expect(result.code == 0, "\(arguments): \(result.error)")
      return result.text
    }

    private func train(_ options: String...) throws -> Workplace.Result {
      try place.unfold(
        ["train", "text", "--out", "run", "--tokens", "words"] + Small.settings + options)
    }

    private func perplexity(_ text: String) throws -> Double {
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return object?["perplexity"] as? Double ?? .nan
    }

    @Test func everyCommandTakesAnAdaptiveModel() throws {
      let result = try train(
        "--softmax", "adaptive", "--cutoffs", "3,6", "--hidden", "16", "--learning-rate", "0.01",
        "--epochs", "3")
      try #require(result.code == 0, "\(result.error)")
      let plain = try perplexity(try done("evaluate", "run", "text"))
      #expect(plain > 1 && plain < 14)
      let scored = try done("score", "run", "text")
      let sum = scored.split(separator: "\n").reduce(0.0) {
        $0 + (Double($1.split(separator: "\t")[0]) ?? .nan)
      }
      // Each line begins without a past.
      #expect(sum < 0)
      #expect(!(try done("generate", "run", "--length", "20").isEmpty))
      #expect(!(try done("generate", "run", "--length", "20", "--samples", "3").isEmpty))
      let dynamic = try perplexity(
        try done("evaluate", "run", "text", "--dynamic", "sgd:rate=0.01", "--cache", "continuous"))
      #expect(dynamic > 1)
      try done("ngram", "text", "--out", "n.arpa")
      try done("mix", "run", "n.arpa", "--tune", "text", "--out", "mixed.json")
      #expect(try perplexity(try done("evaluate", "mixed.json", "text")) < plain + 0.01)
      try done("inspect", "run", "text", "--out", "seen")
      try done("gradients", "run", "--json", "--steps", "20")
      for weights in ["int8", "float16"] {
        try done("quantize", "run", "text", "--weights", weights, "--out", weights)
        #expect(abs(try perplexity(try done("evaluate", weights, "text")) / plain - 1) < 0.01)
        #expect(!(try done("generate", weights, "--length", "20").isEmpty))
      }
    }

    @Test func whatMakesNoSenseIsRefused() throws {
      expectRefusal(
        try train("--softmax", "adaptive", "--tie"), 64, "tied weights", "full or sampled")
      expectRefusal(try train("--softmax", "adaptive", "--cutoffs", "3,x"), 64, "2000,10000")
      expectRefusal(try train("--softmax", "adaptive", "--cutoffs", "5,5"), 64, "rising")
      expectRefusal(try train("--softmax", "adaptive", "--cutoffs", "12"), 64, "below the 12")
      expectRefusal(try train("--softmax", "adaptive", "--hidden", "16"), 64, "at least 15 words")
      expectRefusal(try train("--cutoffs", "3"), 64, "--softmax adaptive")
      expectRefusal(try train("--softmax", "adaptive", "--samples", "3"), 64, "--softmax sampled")
      expectRefusal(try train("--softmax", "sampled", "--samples", "0"), 64, "at least 1")
      expectRefusal(try train("--softmax", "sampled"), 64, "below the 12 words", "8192")
      expectRefusal(
        try train("--softmax", "sampled", "--samples", "5", "--tokens", "bytes"), 64, "frequency")
      expectRefusal(
        try train(
          "--softmax", "adaptive", "--tokens", "bpe", "--vocabulary-size", "300", "--hidden", "16"),
        64, "frequency")
      #expect(!place.exists("run"))
    }
  }
}
