import Learning
import Tensors
import Testing

@Suite struct TokenSequenceTests {
  /// Where tokens lie: in memory, or in a file, two bytes each or four.
  enum Form: CaseIterable {
    case memory, narrow, wide

    /// Tokens in this form, written in blocks of so many.
    func sequence(_ tokens: [Int32], blocks: Int = 7) throws -> TokenSequence {
      guard self != .memory else { return TokenSequence(tokens) }
      var writer = TokenWriter(vocabularySize: self == .narrow ? 1 << 16 : 1 << 16 + 1, limit: 0)
      for begin in stride(from: 0, to: tokens.count, by: blocks) {
        var block = Array(tokens[begin..<min(begin + blocks, tokens.count)])
        try writer.take(&block)
        #expect(block.isEmpty)
      }
      return try writer.finish()
    }
  }

  /// The largest number that two bytes hold is among them.
  private let tokens = [65_535] + randomTokens(40_000, classes: 65_536, seed: 1)

  @Test(arguments: Form.allCases) func isACollectionOfItsTokens(form: Form) throws {
    let sequence = try form.sequence(tokens, blocks: 999)
    #expect(sequence.count == tokens.count)
    #expect(sequence.indices.map { sequence[$0] } == tokens)
    #expect(Array(sequence) == tokens)
    #expect(Array(sequence[5..<300]) == Array(tokens[5..<300]))
    #expect(sequence.first == 65_535 && sequence.last == tokens.last)
    #expect(sequence == TokenSequence(tokens))
    #expect(sequence != TokenSequence(Array(tokens.dropLast())))
    #expect(try form.sequence([]).isEmpty && form.sequence([]) == [])
  }

  @Test(arguments: Form.allCases) func aPartIsATextOfItsOwn(form: Form) throws {
    let whole = try form.sequence(tokens)
    for range in [0..<tokens.count, 0..<10, 17..<20_000, 39_990..<tokens.count, 3..<3] {
      let (part, expected) = (TokenSequence(rebasing: whole[range]), Array(tokens[range]))
      #expect(Array(part) == expected)
      #expect(part.values(in: 0..<part.count) == expected)
      guard expected.count > 4 else { continue }
      #expect(part[3] == expected[3])
      #expect(part.values(in: 2..<5) == Array(expected[2..<5]))
      #expect(Array(TokenSequence(rebasing: part[1..<4])) == Array(expected[1..<4]))
    }
  }

  @Test(arguments: Form.allCases) func aTokenCanStandBeforeThem(form: Form) throws {
    let whole = try form.sequence(tokens)
    for range in [0..<tokens.count, 20..<400, 5..<5] {
      let expected = [70_000] + tokens[range]
      let led = TokenSequence(rebasing: whole[range]).preceded(by: 70_000)
      #expect(Array(led) == expected)
      #expect(led.indices.map { led[$0] } == expected)
      #expect(led.values(in: 0..<1) == [70_000])
      #expect(Array(led.dropFirst()) == Array(tokens[range]))
      #expect(Array(TokenSequence(rebasing: led.dropFirst())) == Array(tokens[range]))
      #expect(Array(TokenSequence(rebasing: led[0..<1])) == [70_000])
      #expect(Array(led.preceded(by: 3)) == [3] + expected)
      guard expected.count > 9 else { continue }
      #expect(led.values(in: 0..<9) == Array(expected[..<9]))
      #expect(led.values(in: 4..<9) == Array(expected[4..<9]))
    }
  }

  @Test(arguments: Form.allCases) func whatWasReleasedIsStillThere(form: Form) throws {
    let sequence = try form.sequence(tokens).preceded(by: 1)
    sequence.release(0..<sequence.count)
    sequence.release(100..<30_000)
    #expect(Array(sequence) == [1] + tokens)
    #expect(Array(sequence) == [1] + tokens)
  }

  @Test func whatIsWrittenStaysInMemoryOrGoesToAFile() throws {
    for limit in [0, 1, 100, 39_999, 40_001, 1 << 20] {
      var writer = TokenWriter(vocabularySize: 1 << 17, limit: limit)
      for begin in stride(from: 0, to: tokens.count, by: 1000) {
        var block = Array(tokens[begin..<min(begin + 1000, tokens.count)])
        try writer.take(&block)
      }
      #expect(try Array(writer.finish()) == tokens)
    }
  }

  @Test(arguments: Form.allCases) func streamsReadThemAll(form: Form) throws {
    let streams = Streams(try form.sequence(tokens), batch: 3)
    let expected = Streams(TokenSequence(tokens), batch: 3)
    #expect(streams.window(100..<200) == expected.window(100..<200))
    #expect(streams.window(13_000..<13_333) == expected.window(13_000..<13_333))
  }
}
