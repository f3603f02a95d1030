import Foundation
import Language
import Testing

@Suite struct NGramFileTests {
  private let url = FileManager.default.temporaryDirectory
    .appending(path: "unfold-\(UUID().uuidString).ngram")

  private func bytes(_ model: NGramModel) throws -> [UInt8] {
    defer { try? FileManager.default.removeItem(at: url) }
    try model.contents(Scratch(memory: 1 << 30)).writeBinary(to: url) { _ in }
    return Array(try Data(contentsOf: url))
  }

  private func read(_ bytes: [UInt8]) throws -> NGramModel {
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(bytes).write(to: url)
    return try NGramModel(contentsOf: url)
  }

  @Test(arguments: TokenUnit.allCases, NGramModelTests.smoothings)
  func readsWhatItWrites(unit: TokenUnit, smoothing: Smoothing) throws {
    for order in [1, 2, 4] {
      let model = try NGramFixtures.toyModel(order: order, smoothing: smoothing, unit: unit)
      let again = try read(bytes(model))
      #expect(again.vocabulary == model.vocabulary)
      #expect(again.counts == model.counts)
      #expect(again.isNormalised == model.isNormalised)
      let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens
      #expect(again.scores(of: tokens) == model.scores(of: tokens))
      #expect(try bytes(again) == bytes(model))
    }
  }

  /// KenLM's file has suffixes that were looked up, ours such as were counted.
  @Test func holdsTheModelOfAnARPAFile() throws {
    let model = try ARPAFile.read(contentsOf: NGramFixtures.url("ngram_toy.arpa"))
    let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens
    #expect(try read(bytes(model)).scores(of: tokens) == model.scores(of: tokens))
  }

  @Test func anotherVersionIsNamed() throws {
    var bytes = try bytes(NGramFixtures.toyModel())
    bytes[8] = 9
    #expect(
      throws: NGramFileError.otherVersion(file: url.relativePath, version: 9)
    ) { try read(bytes) }
  }

  @Test func everyTruncationIsNoticed() throws {
    let whole = try bytes(NGramFixtures.toyModel())
    for count in Array(0..<200) + Array(stride(from: 200, to: whole.count, by: 97)) {
      #expect(throws: NGramFileError.self) { try read(Array(whole.prefix(count))) }
    }
    #expect(throws: NGramFileError.self) { try read(whole + [0]) }
  }

  /// As an interrupted copy leaves it, where room for the whole was made before.
  @Test(arguments: TokenUnit.allCases)
  func zerosToTheEndAreNoticed(unit: TokenUnit) throws {
    let whole = try bytes(NGramFixtures.toyModel(unit: unit))
    // What stands last is a suffix of four bytes.
    for begin in Array(stride(from: 0, to: whole.count - 4, by: 97)) + [whole.count - 4] {
      let zeros = [UInt8](repeating: 0, count: whole.count - begin)
      #expect(throws: NGramFileError.self) { try read(Array(whole.prefix(begin)) + zeros) }
    }
  }

  @Test func anOrderMayBeEmpty() throws {
    let arpa = ARPAFileTests.small.replacing("ngram 2=2", with: "ngram 2=0")
      .replacing("-0.1\t<s> a\n-0.2\ta b\n", with: "")
    let model = try Array(arpa.utf8).withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
    #expect(try read(bytes(model)).counts == [5, 0])
  }

  /// Which nobody could read.
  @Test func wordsWithAZeroByteAreNotConverted() throws {
    let text = SourceText("the hunXYZter\nthe fox\n", name: "text")
    let vocabulary = try Vocabulary(unit: .words, building: [text])
    let tokens = try Corpus([text], vocabulary: vocabulary).tokens
    var whole = try bytes(NGramModel(training: tokens, vocabulary: vocabulary, order: 2))
    let place = try #require(whole.firstRange(of: Array("XYZ".utf8)))
    whole[place.lowerBound] = 0
    let model = try read(whole)
    #expect(throws: NGramError.zeroByte(source: "The model")) { try ARPAFile.write(model, to: url) }
  }

  @Test func asManyOrdersAsAnARPAFileMayHave() throws {
    let arpa = ARPAFileTests.empty(orders: NGramModel.largestOrder)
    let model = try Array(arpa.utf8).withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
    #expect(try read(bytes(model)).order == NGramModel.largestOrder)
  }

  /// NaN, the infinities, 11, and 0.5, which a backoff may be.
  @Test(
    arguments: [0x7FC0_0000, 0x7F80_0000, 0xFF80_0000, 0x4130_0000, 0x3F00_0000] as [UInt32])
  func damagedNumbersAreNotConverted(pattern: UInt32) throws {
    let model = try NGramFixtures.toyModel()
    let whole = try bytes(model)
    let number = Float(bitPattern: pattern)
    // The file ends in the nodes below the highest order, with one before and one after them, and
    // those of the highest; each part begins at a multiple of 64 bytes.
    let inner = 16 * (model.counts[0] + model.counts[1] + 2)
    let highest = whole.count - 8 * model.counts[2]
    let lowest = highest - (inner + 63) / 64 * 64 + 16
    var places = [(lowest, "log-probability"), (highest, "log-probability")]
    if number != 0.5 { places.append((lowest + 4, "backoff")) }
    for (place, part) in places {
      var damaged = whole
      withUnsafeBytes(of: pattern.littleEndian) {
        damaged.replaceSubrange(place..<place + 4, with: $0)
      }
      let opened = try read(damaged)
      let error = #expect(throws: NGramFileError.self) {
        _ = try opened.contents(Scratch(memory: 1 << 20), name: "m.ngram")
      }
      #expect(
        error?.description
          == "m.ngram is damaged: it holds the \(part) \(number); make it again.")
    }
  }

  /// Every byte of the header and of the vocabulary, and some of the nodes: either the file is
  /// refused, or each question has an answer.
  @Test(arguments: TokenUnit.allCases)
  func noDamageTraps(unit: TokenUnit) throws {
    let model = try NGramFixtures.toyModel(order: 3, unit: unit)
    let whole = try bytes(model)
    let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens
    var generator = SeededGenerator(5)
    var answered = 0
    for trial in 0..<1500 {
      var damaged = whole
      let place = trial < 80 ? trial : Int(generator.next() % UInt64(whole.count))
      for offset in 0..<(trial % 3 == 0 ? 4 : 1) where place + offset < whole.count {
        damaged[place + offset] = trial % 2 == 0 ? 0xFF : UInt8(generator.next() % 256)
      }
      do {
        let model = try read(damaged)
        #expect(model.scores(of: tokens).count == tokens.count - 1)
        var predictor = model.predictor()
        for token in tokens.prefix(20) { _ = predictor.logits(after: token) }
        _ = try? model.contents(Scratch(memory: 1 << 20))
        answered += 1
      } catch let error as NGramFileError {
        #expect("\(error)".hasSuffix("."))
      } catch is ARPAError {
        #expect(place < 8)
      }
    }
    #expect(answered > 100)
  }
}
