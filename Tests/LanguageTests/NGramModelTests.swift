import Foundation
import Language
import Testing

@Suite struct NGramModelTests {
  static let smoothings: [Smoothing] = [
    .modifiedKneserNey, .wittenBell, .addK(1), .addK(0.05), .stupidBackoff(0.4),
  ]

  /// KenLM computes in single precision; 1e-6 is what that costs, 1e-4 what is asked for.
  @Test(arguments: [true, false])
  func scoresEqualKenLM(readsItsFile: Bool) throws {
    let model =
      try readsItsFile
      ? ARPAFile.read(contentsOf: NGramFixtures.url("ngram_toy.arpa")) : NGramFixtures.toyModel()
    let scores = try NGramFixtures.scores()
    #expect(scores.sentences.count == 20)
    for sentence in scores.sentences {
      let line = try model.vocabulary.encode(Data(sentence.sentence.utf8), source: "a sentence")
      // KenLM scores an empty line too, for which there is no end of a line here.
      let tokens = line.tokens.isEmpty ? [Vocabulary.lineEndWord] : line.tokens
      let found = model.scores(of: [Vocabulary.lineEndWord] + tokens)
      #expect(found.count == sentence.words.count)
      for (score, word) in zip(found, sentence.words) {
        #expect(abs(Double(score) - word.log10) < 2e-6, "\(word.word) in “\(sentence.sentence)”")
      }
    }
  }

  @Test(arguments: smoothings, [1, 2, 3, 4])
  func probabilitiesSumToOne(smoothing: Smoothing, order: Int) throws {
    for pruning in try [Pruning.none, Pruning([0, 1, 2])] {
      let model = try NGramFixtures.toyModel(order: order, smoothing: smoothing, pruning: pruning)
      var predictor = model.predictor()
      var generator = SeededGenerator(1)
      for _ in 0..<1000 {
        let token = Int32(generator.next() % UInt64(model.vocabularySize))
        let sum = predictor.logits(after: token).reduce(0.0) { $0 + exp(Double($1)) }
        if smoothing.isNormalised {
          #expect(abs(sum - 1) < 1e-5)
        } else {
          #expect(sum > 0)
        }
      }
    }
  }

  /// The two ways to ask, for one token and for all, are held to each other.
  @Test(arguments: smoothings)
  func logitsAreTheScores(smoothing: Smoothing) throws {
    let model = try NGramFixtures.toyModel(smoothing: smoothing)
    let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens
    var predictor = model.predictor()
    var nats = 0.0
    for (position, score) in model.scores(of: tokens).enumerated() {
      let logit = predictor.logits(after: tokens[position])[Int(tokens[position + 1])]
      #expect(abs(logit - score * Float(log(10.0))) < 1e-5)
      nats -= Double(logit)
    }
    let measured = model.crossEntropy(of: tokens)
    #expect(measured.tokens == tokens.count - 1)
    #expect(abs(measured.totalNats - nats) < 1e-5 * nats)
  }

  /// Random sentences of few words, so that discounts fall back and counts of all sizes occur.
  @Test(arguments: 1...4, [3, 30, 300])
  func agreesWithTheEquations(order: Int, sentences: Int) throws {
    var generator = SeededGenerator(UInt64(order * 1000 + sentences))
    let words = ["a", "b", "c", "d", "e", "<unk>"]
    let lines = (0..<sentences).map { _ in
      (0..<generator.next() % 7).map { _ in
        words[Int((generator.next() % 6) * (generator.next() % 6) / 6)]
      }.joined(separator: " ")
    }
    let text = SourceText("a b\n" + lines.joined(separator: "\n") + "\n", name: "random")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    let model = try NGramModel(training: tokens, vocabulary: vocabulary, order: order)
    let counted = tokens.split(
      separator: Vocabulary.lineEndWord, omittingEmptySubsequences: false
    ).dropLast().map { Array($0) + [Vocabulary.lineEndWord] }
    let reference = KneserNeyReference(counted, vocabularySize: vocabulary.count, order: order)
    for _ in 0..<40 {
      let sentence =
        (0..<5).map { _ in Int32(generator.next() % UInt64(vocabulary.count)) }
        .filter { $0 != Vocabulary.lineEndWord } + [Vocabulary.lineEndWord]
      let scores = model.scores(of: [Vocabulary.lineEndWord] + sentence)
      let text = [Int32(vocabulary.count)] + sentence
      for (position, score) in scores.enumerated() {
        let context = Array(text[...position].suffix(order - 1))
        let expected = log10(reference.probability(sentence[position], after: context))
        #expect(abs(Double(score) - expected) < 2e-6)
      }
    }
  }

  /// Sentences "a b" and "a c" and "a b": by hand.
  @Test func simpleSmoothingsEqualArithmetic() throws {
    let text = SourceText("a b\na c\na b\n", name: "hand")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    // 9 tokens: </s> 3, a 3, b 2, c 1; V = 5 with <unk>.
    func score(_ smoothing: Smoothing, _ words: String) throws -> Double {
      let model = try NGramModel(
        training: tokens, vocabulary: vocabulary, order: 2, smoothing: smoothing)
      let last = try model.scores(of: vocabulary.encode(prompt: words)).last
      return pow(10, Double(try #require(last)))
    }
    let tolerance = 1e-6
    #expect(abs(try score(.addK(1), "a b") - 3.0 / 8) < tolerance)
    #expect(abs(try score(.addK(0.5), "a a") - 0.5 / 5.5) < tolerance)
    #expect(abs(try score(.addK(1), "<unk> b") - 1.0 / 5) < tolerance)
    let unigram = (2 + 4.0 / 5) / 13
    #expect(abs(try score(.wittenBell, "a b") - (2 + 2 * unigram) / 5) < tolerance)
    #expect(abs(try score(.wittenBell, "<unk> b") - unigram) < tolerance)
    #expect(abs(try score(.stupidBackoff(0.4), "a b") - 2.0 / 3) < tolerance)
    #expect(abs(try score(.stupidBackoff(0.4), "a a") - 0.4 * 3 / 9) < tolerance)
    #expect(abs(try score(.stupidBackoff(0.4), "a <unk>") - 0.4 * 0.4 / 5) < tolerance)
  }

  @Test func pruningLeavesOutWhatIsRare() throws {
    let whole = try NGramFixtures.toyModel()
    let pruned = try NGramFixtures.toyModel(pruning: Pruning([0, 0, 1]))
    #expect(pruned.counts[..<2] == whole.counts[..<2])
    #expect(pruned.counts[2] < whole.counts[2] && pruned.counts[2] > 0)
    #expect(pruned.discounts == whole.discounts)
    let bare = try NGramFixtures.toyModel(pruning: Pruning([0, 1000]))
    #expect(bare.order == 1)
  }

  @Test func orderEndsWhereTheTextDoes() throws {
    let text = SourceText("a b\n", name: "short")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    let long = try NGramModel(training: tokens, vocabulary: vocabulary, order: 9)
    let enough = try NGramModel(training: tokens, vocabulary: vocabulary, order: 4)
    #expect(long.counts == [5, 3, 2, 1])
    #expect(long.scores(of: [1, 2, 3, 1]) == enough.scores(of: [1, 2, 3, 1]))
  }

  @Test func refusesWhatItCannotCount() throws {
    let text = SourceText("a <s> b\n", name: "marked")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    #expect(throws: NGramError.reservedWord("<s>")) {
      try NGramModel(training: [2, 1], vocabulary: vocabulary, order: 2)
    }
    #expect(throws: NGramError.noText) {
      try NGramModel(training: [], vocabulary: .bytes, order: 2)
    }
  }

  @Test func settingsAreRead() throws {
    for smoothing in Self.smoothings {
      #expect(try Smoothing(parsing: smoothing.description) == smoothing)
    }
    #expect(try Smoothing(parsing: "add-k") == .addK(1))
    for text in ["", "kneser-ney=1", "add-k=0", "add-k=x", "stupid-backoff=2", "kn"] {
      #expect(throws: NGramError.unknownSmoothing(text)) { try Smoothing(parsing: text) }
    }
    #expect(try Pruning(parsing: "0 0 1").thresholds == [0, 0, 1])
    for text in ["", "1", "0,x", "0,2,1", "0,-1"] {
      #expect(throws: NGramError.self) { try Pruning(parsing: text) }
    }
  }
}
