import Language
import Recurrence
import Tensors
import Testing

/// Decoding against the plain step of the cells, and many texts against each alone.
@Suite struct DecoderTests {
  /// A model of one kind of cell, with its plain step.
  struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let model: any LanguageModel & Parameterized
    /// Logits after each token of a text, by stepping the cells.
    let plain: @Sendable ([Int32]) -> [[Float]]

    init<Cell: RecurrentCell>(
      _ name: String, layers: Int = 2, size: Int = 33, words: Int = 11, tied: Bool = false,
      softmax: Softmax? = nil, cell: (Int, inout Philox) -> Cell
    ) where Cell.Input == Tensor, Cell.Output == Tensor {
      var generator = Philox(seed: 1)
      let inputSize = tied ? size : 21
      let cells = (0..<layers).map { cell($0 == 0 ? inputSize : size, &generator) }
      let model = RecurrentLanguageModel(
        vocabularySize: words, embeddingSize: inputSize, hiddenSize: size, core: Stack(cells),
        coreName: "core", tied: tied, softmax: softmax, seed: 2)
      testDescription = name
      self.model = model
      plain = { tokens in
        var state = model.initialState(batch: 1)
        return tokens.map { token in
          let (logits, next) = model.logits(after: token, from: state)
          state = next
          return logits.values
        }
      }
    }

    static func all() -> [Sample] {
      [
        Sample("lstm") { LSTMCell(inputSize: $0, hiddenSize: 33, using: &$1) },
        Sample("gru") { GRUCell(inputSize: $0, hiddenSize: 33, using: &$1) },
        Sample("elman") { ElmanCell(inputSize: $0, hiddenSize: 33, using: &$1) },
        Sample("relu") {
          ElmanCell(inputSize: $0, hiddenSize: 33, activation: .relu, using: &$1)
        },
        Sample("concatenated") {
          ConcatenatedElmanCell(inputSize: $0, hiddenSize: 33, using: &$1)
        },
        Sample("one layer", layers: 1) { LSTMCell(inputSize: $0, hiddenSize: 33, using: &$1) },
        Sample("three layers, tied", layers: 3, words: 67, tied: true) {
          GRUCell(inputSize: $0, hiddenSize: 33, using: &$1)
        },
        Sample("adaptive", words: 67, softmax: .adaptive()) {
          LSTMCell(inputSize: $0, hiddenSize: 33, using: &$1)
        },
        // Large enough for the work to be shared among threads.
        Sample("large", size: 200, words: 300) {
          LSTMCell(inputSize: $0, hiddenSize: 200, using: &$1)
        },
      ]
    }
  }

  /// float32 and float16 differ from the plain step by the order of sums of at most 200 terms;
  /// int8 also by the rounding of activations, 1/65,024 of the largest.
  @Test(arguments: Sample.all())
  func equalsThePlainStep(sample: Sample) {
    let tokens = randomTokens(40, classes: sample.model.vocabularySize, seed: 3)
    for (format, tolerance) in [(nil, 2e-6), (.float16, 2e-6), (.int8, 1e-4)]
      as [(WeightFormat?, Float)]
    {
      if let format { sample.model.quantize(as: format) }
      var predictor = sample.model.predictor()
      for (token, expected) in zip(tokens, sample.plain(tokens)) {
        let worst = zip(predictor.logits(after: token), expected).map { abs($0 - $1) }.max()!
        #expect(worst < tolerance, "\(format?.rawValue ?? "float32"): \(worst)")
      }
    }
  }

  @Test(arguments: Sample.all())
  func drawsTheTokensOfThePlainStep(sample: Sample) throws {
    let vocabulary = try someVocabulary(sample.model.vocabularySize)
    var text = try TextGenerator(sample.model, vocabulary: vocabulary, seed: 5)
    let tokens = (0..<100).map { _ in text.next() }
    var generator = Philox(seed: 5)
    let expected = sample.plain([vocabulary.lineEnd ?? 0] + tokens).dropLast().map { logits in
      Sampling().draw(from: logits, using: &generator)
    }
    #expect(tokens == expected)
  }

  /// As prompts are read: the states are those of reading with logits.
  @Test(arguments: Sample.all())
  func readingWithoutLogitsChangesNothing(sample: Sample) {
    let tokens = randomTokens(9, classes: sample.model.vocabularySize, seed: 6)
    var (silent, whole) = (sample.model.predictor(texts: 1), sample.model.predictor(texts: 1))
    var (found, expected): ([Float], [Float]) = ([], [])
    for (index, token) in tokens.enumerated() {
      whole.read([token], logits: &expected)
      if index % 4 != 3 { silent.read([token]) } else { silent.read([token], logits: &found) }
      if index % 4 == 3 { #expect(found == expected) }
    }
  }

  /// Where most words are passed over by a sketch of the readout, tokens are those drawn from all
  /// logits; with weights so small that all words are likely, and so large that few are.
  @Test(
    arguments: [(0.3, 0), (0.3, 1), (3, 1), (30, 0.5), (30, 20), (0.01, 1)] as [(Float, Double)])
  func sketchedDrawsAreThoseFromAllLogits(size: Float, temperature: Double) {
    let words = 2100
    for layers in [1, 2] {
      let sample = Sample("", layers: layers, words: words) {
        GRUCell(inputSize: $0, hiddenSize: 33, using: &$1)
      }
      let weight = sample.model.parameters.first { $0.name == "decoder.weight" }!.parameter
      weight.value = weight.value * size
      for (format, texts) in [(nil, 1), (nil, 3), (nil, 13), (.float16, 1)]
        as [(WeightFormat?, Int)]
      {
        if let format { sample.model.quantize(as: format) }
        let sampling = Sampling(temperature: temperature)
        let seeds = (0..<UInt64(texts)).map { $0 + 4 }
        let forbidden: Int32? = texts == 3 ? nil : 0
        var sketched = TokenDraw(sampling, seeds: seeds, forbidden: forbidden)
        var predictor = sample.model.predictor(texts: texts)
        var plain = sample.model.predictor(texts: texts)
        var generators = seeds.map { Philox(seed: $0) }
        var tokens = seeds.map { Int32($0) }
        var logits: [Float] = []
        for _ in 0..<50 {
          plain.read(tokens, logits: &logits)
          let expected = (0..<texts).map { text in
            var row = Array(logits[text * words..<(text + 1) * words])
            if forbidden != nil { row[0] = -.infinity }
            return sampling.draw(from: row, using: &generators[text])
          }
          predictor.advance(&tokens, by: &sketched)
          #expect(tokens == expected)
        }
      }
    }
  }

  /// There is a sketch where there should be: what else the test above compares is the same twice.
  @Test func manyWordsHaveASketch() {
    for (words, texts) in [(2100, 1), (2100, 64), (2047, 1)] {
      let core = Stack([ElmanCell(inputSize: 5, hiddenSize: 7, using: &random)])
      let decoder = Decoder(
        core: core, embedding: uniform([words, 5]), readout: uniform([words, 7]),
        bias: Tensor(zeros: [words]))!
      var batch = Decoder.Texts(decoder, count: texts)
      var tokens = [Int32](repeating: 1, count: texts)
      var generators = (0..<UInt64(texts)).map { Philox(seed: $0) }
      let isDrawn = tokens.withUnsafeMutableBufferPointer { tokens in
        generators.withUnsafeMutableBufferPointer {
          batch.draw(tokens, temperature: 1, forbidden: nil, generators: $0)
        }
      }
      #expect(isDrawn == (words >= 2048 && texts <= Compute.kernels.sketch_rows))
      #expect(isDrawn == generators.allSatisfy { $0.position > 0 })
    }
  }

  /// Where h isn't a number, or beyond all bounds, all logits are looked at.
  @Test(arguments: [Float.nan, .infinity, 1e30, 1e-30])
  func statesBeyondBoundsAreDrawnFromAllLogits(size: Float) {
    let words = 2100
    let sample = Sample("", layers: 1, words: words) {
      ElmanCell(inputSize: $0, hiddenSize: 33, activation: .relu, using: &$1)
    }
    let embedding = sample.model.parameters.first { $0.name == "embedding.weight" }!.parameter
    embedding.value = embedding.value * size
    var draw = TokenDraw(Sampling(temperature: 0), seeds: [1], forbidden: 3)
    var (sketched, plain) = (sample.model.predictor(texts: 1), sample.model.predictor(texts: 1))
    var tokens: [Int32] = [1]
    var logits: [Float] = []
    plain.read(tokens, logits: &logits)
    logits[3] = -.infinity
    var generator = Philox(seed: 1)
    let expected = Sampling(temperature: 0).draw(from: logits, using: &generator)
    sketched.advance(&tokens, by: &draw)
    #expect(tokens == [expected])
  }

  /// As what a diverged training leaves: no sketch can be made, and nothing traps.
  @Test func weightsThatAreNoNumbersAreDrawnFrom() {
    let sample = Sample("", words: 2100) { GRUCell(inputSize: $0, hiddenSize: 33, using: &$1) }
    let weight = sample.model.parameters.first { $0.name == "decoder.weight" }!.parameter
    for broken in [weight.value * .nan, weight.value * 1e30] {
      weight.value = broken
      var draw = TokenDraw(Sampling(), seeds: [1])
      var predictor = sample.model.predictor(texts: 1)
      var tokens: [Int32] = [5]
      predictor.advance(&tokens, by: &draw)
      #expect(0..<2100 ~= tokens[0])
    }
  }

  /// Number for number, whatever the format of the weights and however many texts there are.
  @Test(arguments: Sample.all())
  func aTextDoesNotDependOnOthers(sample: Sample) {
    let size = sample.model.vocabularySize
    for format in [nil, .float16, .int8] as [WeightFormat?] {
      if let format { sample.model.quantize(as: format) }
      for count in [1, 2, 5, 33] {
        var batch = sample.model.predictor(texts: count)
        var alone = (0..<count).map { _ in sample.model.predictor() }
        var logits: [Float] = []
        for step in 0..<4 {
          let tokens = randomTokens(count, classes: size, seed: UInt64(step))
          batch.read(tokens, logits: &logits)
          let same = zip(tokens, 0...).allSatisfy { token, text in
            alone[text].logits(after: token) == Array(logits[text * size..<(text + 1) * size])
          }
          #expect(same, "\(count) texts, \(format?.rawValue ?? "float32")")
        }
      }
    }
  }

  /// Then the input has no one form: the plain step does it.
  @Test func partlyQuantizedModelsWork() {
    let samples = Sample.all()
    for sample in samples {
      let tokens = randomTokens(5, classes: sample.model.vocabularySize, seed: 4)
      sample.model.parameters.first { $0.name == "decoder.weight" }?.parameter.quantize(as: .int8)
      var predictor = sample.model.predictor()
      for (token, expected) in zip(tokens, sample.plain(tokens)) {
        let found = predictor.logits(after: token)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
      }
    }
  }

  @Test func textsAreThoseOfTheirSeeds() throws {
    let vocabulary = try Vocabulary(
      unit: .characters, building: Array("the fox saw the hunter\n".utf8), source: "text")
    let model = smallModel(vocabularySize: vocabulary.count)
    let seeds: [UInt64] = [7, 3, 7, 900]
    var batch = try TextBatch(model, vocabulary: vocabulary, prompt: "the ", seeds: seeds)
    let texts = batch.texts(length: 80, until: "ox", after: try vocabulary.encode(prompt: "the "))
    for (seed, found) in zip(seeds, texts) {
      var one = try TextGenerator(model, vocabulary: vocabulary, prompt: "the ", seed: seed)
      var text = ""
      try one.write(length: 80, until: "ox", after: vocabulary.encode(prompt: "the ")) {
        text += $0
      }
      #expect(found.text == text && found.tokens == one.count)
    }
  }

  @Test func aCopyGoesItsOwnWay() {
    let model = smallModel(vocabularySize: 11)
    var first = model.predictor()
    _ = first.logits(after: 1)
    var second = first
    let afterTwo = first.logits(after: 2)
    let afterThree = second.logits(after: 3)
    for (last, found) in [(Int32(2), afterTwo), (3, afterThree)] {
      var fresh = model.predictor()
      _ = fresh.logits(after: 1)
      #expect(fresh.logits(after: last) == found)
    }
  }

  @Test func aTableThatHoldsFewWordsChangesNothing() {
    let core = Stack([ElmanCell(inputSize: 5, hiddenSize: 7, using: &random)])
    let (embedding, readout) = (uniform([100, 5]), uniform([100, 7]))
    func logits(tableBytes: Int) -> [[Float]]? {
      Decoder(
        core: core, embedding: embedding, readout: readout, bias: Tensor(zeros: [100]),
        tableBytes: tableBytes
      ).map { decoder in
        var texts = Decoder.Texts(decoder, count: 1)
        return randomTokens(50, classes: 100, seed: 8).map { token in
          var logits = [Float](repeating: 0, count: 100)
          logits.withUnsafeMutableBufferPointer {
            texts.read(CollectionOfOne(token), logits: $0)
          }
          return logits
        }
      }
    }
    let whole = logits(tableBytes: 1 << 20)
    #expect(whole != nil && logits(tableBytes: 0) == whole && logits(tableBytes: 12_000) == whole)
  }

  private var random: Philox {
    get { Philox(seed: 9) }
    nonmutating set {}
  }

  private func uniform(_ shape: Shape) -> Tensor {
    var generator = random
    return Tensor(uniform: shape, bound: 1, using: &generator)
  }

  /// A vocabulary of so many characters.
  private func someVocabulary(_ count: Int) throws -> Vocabulary {
    let text = String(
      String.UnicodeScalarView((0..<count).compactMap { Unicode.Scalar(0x4E00 + $0) }))
    return try Vocabulary(unit: .characters, building: Array(text.utf8), source: "text")
  }
}
