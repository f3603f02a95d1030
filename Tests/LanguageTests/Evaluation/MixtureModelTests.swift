import Foundation
import Language
import Learning
import Tensors
import Testing

@Suite struct MixtureModelTests {
  private static func letters(_ tokens: String...) throws -> Vocabulary {
    let list = tokens.map { "\"\($0)\"" }.joined(separator: ",")
    return try Vocabulary(json: Data(#"{"unit":"characters","tokens":[\#(list)]}"#.utf8))
  }

  private static func fixed(_ probabilities: [Double], _ vocabulary: Vocabulary) -> AnyModel {
    AnyModel(
      vocabulary: vocabulary, model: FixedModel(fixed: probabilities.map { Float(log($0)) }))
  }

  /// 70 a's and 30 b's are likeliest where π·0.9 + (1 − π)·0.1 = 0.7.
  @Test func tuningFindsTheBestWeights() throws {
    let vocabulary = try Self.letters("a", "b")
    let mixture = try MixtureModel([
      ("first", Self.fixed([0.9, 0.1], vocabulary)),
      ("second", Self.fixed([0.1, 0.9], vocabulary)),
    ])
    let text: [Int32] = [0] + (0..<100).map { $0 % 10 < 7 ? 0 : 1 }
    var perplexities: [Double] = []
    let tuned = try mixture.tuned(
      on: TokenSequence(text), report: { perplexities.append($0.result.perplexity) })
    #expect(abs(tuned.weights[0] - 0.75) < 1e-6)
    #expect(perplexities == perplexities.sorted(by: >))
    let found = Evaluation().crossEntropy(of: text, by: tuned)
    #expect(abs(found.nats + 0.7 * log(0.7) + 0.3 * log(0.3)) < 1e-6)
  }

  /// Of two models, one of which is better by 10⁻⁴ nats wherever it is asked, only that is kept;
  /// what is told last is what comes back.
  @Test(arguments: [0, 1]) func theBetterOfNearlyEqualModelsIsKept(place: Int) throws {
    let vocabulary = try Self.letters("a", "b", "c")
    let better = Self.fixed([0.5, 0.4, 0.1], vocabulary)
    var models = [("worse", Self.fixed([0.49995, 0.39996, 0.10009], vocabulary))]
    models.insert(("better", better), at: place)
    let text: [Int32] = [2] + (0..<100).map { $0 % 2 }
    var last: MixtureModel.Iteration?
    let tuned = try MixtureModel(models).tuned(
      on: TokenSequence(text), report: { last = $0 })
    #expect(tuned.weights[place] > 1 - 1e-6 && tuned.weights.allSatisfy { (0...1).contains($0) })
    #expect(last?.weights == tuned.weights && last?.isBest == true)
    let best = Evaluation().crossEntropy(of: text, by: better.model)
    #expect(Evaluation().crossEntropy(of: text, by: tuned).nats < best.nats + 1e-6)
    #expect(abs((last?.result.nats ?? .nan) - best.nats) < 1e-6)
  }

  /// Three models, each for a letter, give it 0.1 + 0.7·π_k: its share of the text where that is
  /// possible, so 4/7, 2.5/7 and 0.5/7; otherwise the third's weight is none, and the other two
  /// share the rest of the probability, 0.9, by their counts: (0.9·60/95 − 0.1) / 0.7 is the first's.
  @Test(arguments: [
    ([50, 35, 15], [0.5714285714, 0.3571428571, 0.0714285714]),
    ([60, 35, 5], [0.6691729323, 0.3308270677, 0.0]),
  ])
  func threeModelsHaveTheirShares(counts: [Int], weights: [Double]) throws {
    let vocabulary = try Self.letters("a", "b", "c")
    let mixture = try MixtureModel(
      (0..<3).map { letter in
        let probabilities = (0..<3).map { $0 == letter ? 0.8 : 0.1 }
        return ("\(letter)", Self.fixed(probabilities, vocabulary))
      })
    let text = counts.enumerated().flatMap { [Int32](repeating: Int32($0), count: $1) }
    let tuned = try mixture.tuned(on: TokenSequence([0] + text))
    #expect(zip(tuned.weights, weights).allSatisfy { abs($0 - $1) < 1e-6 }, "\(tuned.weights)")
  }

  /// 70 a's and 30 b's, of which one model knows no b: (1 − π) / 2 = 0.3. That it had all the weight
  /// before doesn't matter.
  @Test func oneModelMayFindImpossibleWhatAnotherExpects() throws {
    let vocabulary = try Self.letters("a", "b")
    let certain = Self.fixed([1, 0], vocabulary)
    let models = [("certain", certain), ("fair", Self.fixed([0.5, 0.5], vocabulary))]
    let text: [Int32] = [0] + (0..<100).map { $0 % 10 < 7 ? 0 : 1 }
    let tuned = try MixtureModel(models, weights: [1, 0]).tuned(on: TokenSequence(text))
    #expect(abs(tuned.weights[0] - 0.4) < 1e-6)
    #expect(throws: MixtureError.impossible) {
      try MixtureModel([("one", certain), ("two", certain)]).tuned(on: TokenSequence(text))
    }
  }

  /// Both ways to ask agree, and a vocabulary in another order gives the same.
  @Test func mixesAnyModelsOverTheSameTokens() throws {
    let vocabulary = try Self.letters("a", "b", "c")
    let other = try Self.letters("c", "a", "b")
    let first = AnyModel(vocabulary: vocabulary, model: smallModel(vocabularySize: 3))
    let counts = try NGramModel(
      training: randomTokens(300, classes: 3, seed: 4), vocabulary: other, order: 2)
    let second = AnyModel(vocabulary: other, model: counts)
    let mixture = try MixtureModel([("lstm", first), ("bigram", second)], weights: [3, 1])
    #expect(mixture.weights == [0.75, 0.25])
    let tokens = randomTokens(50, classes: 3, seed: 1)
    let plain = first.model.logProbabilities(of: tokens)
    let moved = counts.logProbabilities(of: tokens.map { [1, 2, 0][Int($0)] })
    let expected = zip(plain, moved).map { log(0.75 * exp($0) + 0.25 * exp($1)) }
    let found = mixture.logProbabilities(of: tokens)
    #expect(found.count == 49 && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    let stepped = SideBySideReadingTests.stepped(mixture, tokens)
    #expect(zip(stepped, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    let each = mixture.logProbabilities(ofEach: [tokens, [0]]) { _ in }
    #expect(zip(each[0], expected).allSatisfy { abs($0 - $1) < 1e-5 } && each[1].isEmpty)
    var predictor = mixture.predictor()
    let sum = predictor.logits(after: 2).reduce(0.0) { $0 + exp(Double($1)) }
    #expect(abs(sum - 1) < 1e-6)
    #expect(mixture.hiddenSize == 9)
  }

  /// Those who wait see each component read the text.
  @Test func progressIsOfAllComponents() throws {
    let vocabulary = try Self.letters("a", "b", "c")
    let first = AnyModel(vocabulary: vocabulary, model: smallModel(vocabularySize: 3))
    let second = Self.fixed([0.5, 0.3, 0.2], vocabulary)
    let mixture = try MixtureModel([("lstm", first), ("fixed", second)])
    let tokens = TokenSequence(randomTokens(2500, classes: 3, seed: 1))
    var seen: [Double] = []
    _ = Evaluation().crossEntropy(of: tokens, by: mixture) { seen.append($0) }
    #expect(seen == seen.sorted() && seen.allSatisfy { (0...1).contains($0) })
    #expect(seen.contains { (0.1..<0.5).contains($0) } && seen.contains { $0 > 0.9 })
  }

  /// The recurrent part follows the text, whichever place it has; the other can't.
  @Test(arguments: [false, true]) func adaptsWhatCanBeAdapted(isFirst: Bool) throws {
    let vocabulary = try Self.letters("a", "b", "c")
    let lstm = AnyModel(vocabulary: vocabulary, model: smallModel(vocabularySize: 3))
    let fixed = Self.fixed([0.5, 0.3, 0.2], vocabulary)
    let models = isFirst ? [("lstm", lstm), ("fixed", fixed)] : [("fixed", fixed), ("lstm", lstm)]
    let tokens = randomTokens(60, classes: 3, seed: 1)
    let evaluation = Evaluation(
      dynamic: DynamicEvaluation(.sgd), cache: ContinuousCache(window: 20, lambda: 0))
    let found = evaluation.logProbabilities(of: tokens, by: try MixtureModel(models))
    let adapted = evaluation.logProbabilities(of: tokens, by: lstm.model)
    for (index, value) in found.enumerated() {
      let other = [0.5, 0.3, 0.2][Int(tokens[index + 1])]
      #expect(abs(value - log((exp(adapted[index]) + other) / 2)) < 1e-6)
    }
  }

  @Test func refusesWhatCannotBeMixed() throws {
    let abc = try Self.letters("a", "b", "c")
    let model = Self.fixed([0.2, 0.3, 0.5], abc)
    let shorter = Self.fixed([0.5, 0.5], try Self.letters("a", "c"))
    let other = Self.fixed([0.2, 0.3, 0.5], try Self.letters("a", "b", "ß"))
    let bytes = AnyModel(vocabulary: .bytes, model: FixedModel(fixed: []))
    let scores = AnyModel(vocabulary: abc, model: FixedModel(fixed: []), isNormalised: false)
    #expect(throws: MixtureError.tokenMissing("b", in: "y", isIn: "x")) {
      try MixtureModel([("x", model), ("y", shorter)])
    }
    #expect(throws: MixtureError.tokenMissing("b", in: "x", isIn: "y")) {
      try MixtureModel([("x", shorter), ("y", model)])
    }
    #expect(throws: MixtureError.tokenMissing("c", in: "y", isIn: "x")) {
      try MixtureModel([("x", model), ("y", other)])
    }
    #expect(throws: MixtureError.units("x", "characters", "y", "bytes")) {
      try MixtureModel([("x", model), ("y", bytes)])
    }
    #expect(throws: MixtureError.unnormalised("y")) {
      try MixtureModel([("x", model), ("y", scores)])
    }
  }
}

@Suite struct MixtureFileTests {
  /// Two ARPA files and a mixture of them, which is read again.
  private func withMixture(
    _ body: (_ folder: URL, _ file: URL, _ mixture: MixtureModel) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let files = ["one.arpa", "two.arpa"].map { folder.appending(path: "models/\($0)") }
      try FileManager.default.createDirectory(
        at: folder.appending(path: "models"), withIntermediateDirectories: true)
      for (order, file) in zip([1, 3], files) {
        try ARPAFile.write(NGramFixtures.toyModel(order: order), to: file)
      }
      let models = try files.map { ($0.lastPathComponent, try AnyModel(contentsOf: $0)) }
      let mixture = try MixtureModel(models, weights: [0.3, 0.7])
      let file = folder.appending(path: "mixed/mixture.json")
      try FileManager.default.createDirectory(
        at: folder.appending(path: "mixed"), withIntermediateDirectories: true)
      try MixtureFile.write(mixture, of: files, to: file)
      try body(folder, file, mixture)
    }
  }

  @Test func comesBackAsItWas() throws {
    try withMixture { folder, file, mixture in
      let read = try AnyModel(contentsOf: file)
      let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: read.vocabulary).tokens
      #expect(read.isNormalised)
      #expect(read.model.logProbabilities(of: tokens) == mixture.logProbabilities(of: tokens))
      #expect(try String(contentsOf: file, encoding: .utf8).contains(#""../models/one.arpa""#))
      // Together with its models it can be moved.
      let moved = folder.deletingLastPathComponent().appending(path: "moved-\(UUID().uuidString)")
      try FileManager.default.moveItem(at: folder, to: moved)
      defer { try? FileManager.default.moveItem(at: moved, to: folder) }
      _ = try MixtureFile.read(contentsOf: moved.appending(path: "mixed/mixture.json"))
    }
  }

  @Test func saysWhatHasMovedOrChanged() throws {
    try withMixture { folder, file, _ in
      let two = folder.appending(path: "models/two.arpa")
      try ARPAFile.write(NGramFixtures.toyModel(order: 2), to: two)
      #expect(throws: MixtureError.changed(file.path, model: two.path)) {
        try MixtureFile.read(contentsOf: file)
      }
      try FileManager.default.removeItem(at: two)
      #expect(throws: MixtureError.moved(file.path, model: two.path)) {
        try MixtureFile.read(contentsOf: file)
      }
    }
  }

  /// Sizes and times of the files say that nothing has changed, so no hash is looked at.
  @Test func hashesOnlyWhatMayHaveChanged() throws {
    try withMixture { folder, file, _ in
      let text = try String(contentsOf: file, encoding: .utf8)
      let wrong = text.replacingOccurrences(
        of: "[0-9a-f]{64}", with: "none", options: .regularExpression)
      #expect(wrong != text)
      try Data(wrong.utf8).write(to: file)
      _ = try MixtureFile.read(contentsOf: file)
      let two = folder.appending(path: "models/two.arpa")
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: two.path)
      #expect(throws: MixtureError.changed(file.path, model: two.path)) {
        try MixtureFile.read(contentsOf: file)
      }
      // The same bytes at another time, and a mixture that was made before times were kept.
      let old = text.replacing("\"files\"", with: "\"others\"")
      #expect(old != text)
      for content in [text, old] {
        try Data(content.utf8).write(to: file)
        _ = try MixtureFile.read(contentsOf: file)
      }
    }
  }

  @Test func refusesWhatIsNoMixture() throws {
    try withMixture { folder, file, _ in
      let text = try String(contentsOf: file, encoding: .utf8)
      for (broken, part) in [
        ("{", "isn't the description"), ("{}", "isn't the description"),
        (text.replacing("unfold-mixture", with: "other"), "isn't the description"),
        (text.replacing("0.3", with: "0.4"), "sum to one"),
        (text.replacing("0.3", with: "-0.3"), "sum to one"),
      ] {
        try Data(broken.utf8).write(to: file)
        let error = #expect(throws: MixtureError.self) { try MixtureFile.read(contentsOf: file) }
        #expect(error?.description.contains(part) == true, "\(broken)")
      }
    }
  }
}
