import Foundation
import Language
import Learning
import Testing

@Suite struct ToyLanguageTests {
  private let language = ToyLanguage()

  private func probability(_ sentence: String) -> Double {
    language.logProbability(of: sentence.split(separator: " ")).map { exp($0) } ?? 0
  }

  @Test func huntersShootFoxes() {
    // Subject, determiner, no adjective, no clause, an object, what happens, past, the object.
    let subject = 3.0 / 11 / 2 * 0.7 * 0.75 * 0.7
    let object = 0.7 * 0.75 * 0.7 / 2
    let usual = subject * 0.7 * (0.98 * 6 / 16 + 0.02 / 30) * 0.4 * object
    #expect(abs(probability("the hunter shot the fox") / usual - 1) < 1e-12)
    let odd = subject * 0.7 * (0.02 / 30) * 0.4 * object
    #expect(abs(probability("the fox shot the hunter") / odd - 1) < 1e-12)
  }

  @Test func verbsAgreeAcrossClauses() {
    for (right, wrong) in [
      ("the foxes that the hunter sees run", "the foxes that the hunter sees runs"),
      ("the fox that the hunters see runs", "the fox that the hunters see run"),
      ("the foxes that the hunter sees run", "the foxes that the hunter see run"),
      ("some dogs that chase the fox bark", "some dogs that chase the fox barks"),
      (
        "the fox that the dog that the hunters feed chases runs",
        "the fox that the dog that the hunters feed chases run"
      ),
    ] {
      #expect(probability(right) > 0, "\(right)")
      #expect(probability(wrong) == 0, "\(wrong)")
    }
    #expect(probability("the foxes that the hunter saw ran") > 0)
  }

  @Test func verbsSuitTheirSubjectAcrossClauses() {
    #expect(
      probability("the bird that the hunter sees sings")
        > 50 * probability("the bird that the hunter sees barks"))
    #expect(
      probability("the dog that the hunter sees barks")
        > 50 * probability("the dog that the hunter sees sings"))
  }

  @Test(arguments: [
    "", "the", "the hunter", "the hunter shot", "the hunter shot the", "the hunter runs the fox",
    "the hunter shot the fox the", "a foxes ran", "some fox ran", "The fox ran", "the cat ran",
    "the fox that ran",
  ])
  func refusesWhatIsNoSentence(text: String) {
    #expect(language.logProbability(of: text.split(separator: " ")) == nil)
  }

  /// If a sentence could be made in two ways, its probability would exceed its derivation's.
  @Test func isUnambiguous() throws {
    var generator = SeededGenerator(1)
    for _ in 0..<2_000 {
      let sample = language.grammar.sample(language.sentence, using: &generator)
      let parsed = try #require(language.logProbability(of: sample.words), "\(sample.words)")
      #expect(abs(parsed - sample.logProbability) < 1e-9, "\(sample.words)")
    }
  }

  /// Every arrangement of words in the forms that have at most five of them; those that aren't
  /// sentences have probability 0.
  @Test func probabilitiesSumToTheFrequencyOfShortSentences() {
    let determiners = ["the", "a", "some"]
    let adjectives = ["brave", "tired", "hungry", "quick", "red", "small"]
    let nouns = [
      "hunter", "hunters", "fox", "foxes", "dog", "dogs", "bird", "birds", "mouse", "mice",
    ]
    let alone = [
      "runs", "run", "ran", "sleeps", "sleep", "slept", "waits", "wait", "waited", "barks", "bark",
      "barked", "sings", "sing", "sang",
    ]
    let onto = [
      "sees", "see", "saw", "shoots", "shoot", "shot", "chases", "chase", "chased", "eats", "eat",
      "ate", "feeds", "feed", "fed", "fears", "fear", "feared",
    ]
    #expect(
      Set(determiners + adjectives + nouns + alone + onto + ["that"]) == Set(language.words))
    let forms = [
      [determiners, nouns, alone], [determiners, adjectives, nouns, alone],
      [determiners, nouns, onto, determiners, nouns], [determiners, nouns, ["that"], alone, alone],
    ]
    var sum = 0.0
    for form in forms {
      var sentences: [[String]] = [[]]
      for words in form { sentences = sentences.flatMap { head in words.map { head + [$0] } } }
      sum += sentences.reduce(0) { $0 + exp(language.logProbability(of: $1) ?? -.infinity) }
    }
    var generator = SeededGenerator(2)
    let samples = 100_000
    let short = (0..<samples).count { _ in language.sentence(using: &generator).count <= 5 }
    let frequency = Double(short) / Double(samples)
    #expect(abs(sum - frequency) < 3 * (sum * (1 - sum) / Double(samples)).squareRoot())
  }

  @Test func entropyAndLengthAreThoseOfSamples() {
    var generator = SeededGenerator(3)
    let samples = (0..<200_000).map { _ in
      language.grammar.sample(language.sentence, using: &generator)
    }
    for (values, expected) in [
      (samples.map { -$0.logProbability }, language.entropyPerSentence),
      (samples.map { Double($0.words.count + 1) }, language.meanTokensPerSentence),
    ] {
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      #expect(abs(mean - expected) < 3 * (variance / count).squareRoot())
    }
    #expect(
      language.entropyPerToken == language.entropyPerSentence / language.meanTokensPerSentence)
  }

  @Test func aTrigramFallsShortOfTheTruth() throws {
    var generator = SeededGenerator(4)
    let training = language.text(tokens: 100_000, using: &generator)
    let held = language.text(tokens: 20_000, using: &generator)
    let vocabulary = try Vocabulary(unit: .words, building: [SourceText(training, name: "toy")])
    #expect(vocabulary.count == language.words.count + 2)
    let model = try NGramModel(
      training: try vocabulary.encode(Data(training.utf8), source: "toy").tokens,
      vocabulary: vocabulary, order: 3)
    // After the end of a line a sentence begins.
    let tokens = try vocabulary.encode(Data(("\n" + held).utf8), source: "toy").tokens
    let found = model.crossEntropy(of: TokenSequence(tokens))
    #expect(found.perplexity > 1.15 * exp(language.entropyPerToken))
  }

  @Test func textIsLinesOfSentences() {
    var generator = SeededGenerator(5)
    let text = language.text(tokens: 1_000, using: &generator)
    var again = SeededGenerator(5)
    #expect(text == language.text(tokens: 1_000, using: &again))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.last == "")
    #expect(
      lines.dropLast().allSatisfy { language.logProbability(of: $0.split(separator: " ")) != nil })
    let tokens = lines.dropLast().reduce(0) { $0 + $1.split(separator: " ").count + 1 }
    #expect(tokens >= 1_000)
    #expect(tokens - lines[lines.count - 2].split(separator: " ").count - 1 < 1_000)
  }

  private struct Zeros: RandomNumberGenerator {
    func next() -> UInt64 { 0 }
  }

  @Test func zerosChooseTheFirstOfAllRules() {
    var zeros = Zeros()
    #expect(language.sentence(using: &zeros) == ["the", "hunter", "runs"])
  }
}
