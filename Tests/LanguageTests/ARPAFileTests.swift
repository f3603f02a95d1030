import Foundation
import Language
import Testing

@Suite struct ARPAFileTests {
  private func written(_ model: NGramModel) throws -> String {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "unfold-\(UUID().uuidString).arpa")
    defer { try? FileManager.default.removeItem(at: url) }
    try ARPAFile.write(model, to: url)
    return try String(contentsOf: url, encoding: .utf8)
  }

  private func read(_ text: String) throws -> NGramModel {
    try Array(text.utf8).withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
  }

  /// N-grams with their numbers, read without the library.
  private func entries(_ text: String) -> [String: [Double]] {
    var entries: [String: [Double]] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.count > 1, let number = Double(fields[0]) else { continue }
      entries[String(fields[1])] = [number, fields.count > 2 ? Double(fields[2]) ?? .nan : 0]
    }
    return entries
  }

  @Test func equalsTheFileThatKenLMWrites() throws {
    let ours = try entries(written(NGramFixtures.toyModel()))
    let theirs = try entries(
      String(contentsOf: NGramFixtures.url("ngram_toy.arpa"), encoding: .utf8))
    #expect(theirs.count == 39 + 109 + 190)
    #expect(Set(ours.keys) == Set(theirs.keys))
    for (ngram, expected) in theirs {
      for (a, b) in zip(ours[ngram] ?? [], expected) {
        // Single precision of both.
        #expect(abs(a - b) < 1e-6, "\(ngram)")
      }
    }
  }

  @Test(arguments: TokenUnit.allCases, NGramModelTests.smoothings)
  func readsWhatItWrites(unit: TokenUnit, smoothing: Smoothing) throws {
    let model = try NGramFixtures.toyModel(smoothing: smoothing, unit: unit)
    let text = try written(model)
    let again = try read(text)
    #expect(again.vocabulary == model.vocabulary)
    #expect(again.counts == model.counts)
    #expect(again.isNormalised == smoothing.isNormalised)
    let tokens = try Corpus([NGramFixtures.toyText()], vocabulary: model.vocabulary).tokens
    #expect(again.scores(of: tokens) == model.scores(of: tokens))
    #expect(try written(again) == text)
  }

  @Test func spellsWhatCannotBeSeen() throws {
    let text = SourceText("a\u{A0}é\t<\n\r\0\u{2028}a", name: "odd")
    let vocabulary = try Vocabulary(unit: .characters, building: [text])
    let model = try NGramModel(
      training: Corpus([text], vocabulary: vocabulary).tokens, vocabulary: vocabulary, order: 2)
    let arpa = try written(model)
    for spelling in [
      "<U+00A0>", "é", "<U+0009>", "<", "<U+000A>", "<U+000D>", "<U+0000>", "<U+2028>",
    ] { #expect(arpa.contains("\t\(spelling)\t")) }
    #expect(try read(arpa).vocabulary == vocabulary)
  }

  /// What SRILM writes: <s> at −99, no backoffs where there are none, other spaces and line ends.
  static let small = """
    \\data\\
    ngram 1=4
    ngram 2=2

    \\1-grams:
    -0.5\t</s>
    -99\t<s>\t-0.3
    -0.4\ta\t-0.2
    -0.6\tb

    \\2-grams:
    -0.1\t<s> a
    -0.2\ta b

    \\end\\

    """

  @Test func readsWhatSRILMWrites() throws {
    let text = "\n" + Self.small.replacing("ngram 1=4", with: "ngram 1=     4")
    for file in [text, text.replacing("\n", with: "\r\n")] {
      let model = try read(file)
      #expect(model.counts == [5, 2])
      #expect(String(decoding: model.vocabulary.decode([2, 3]), as: UTF8.self) == "a b")
      // <s> a, a b, b </s>, <s> </s>; <unk> is missing.
      let scores = model.scores(of: [1, 2, 3, 1, 1, 2, 0])
      let expected: [Float] = [-0.1, -0.2, -0.5, -0.8, -0.1, -100.2]
      for (score, value) in zip(scores, expected) { #expect(abs(score - value) < 1e-5) }
    }
  }

  @Test(arguments: [
    ("\\data\\", "\\date\\", 1, "begins with \\data\\"),
    ("ngram 1=4", "ngram 1:4", 2, "“ngram 2=47” is expected"),
    ("ngram 1=4", "ngram 1=-4", 2, "“ngram 2=47” is expected"),
    ("ngram 2=2", "ngram 3=2", 3, "the number of 2-grams is expected"),
    ("ngram 1=4\nngram 2=2\n", "", 2, "declares no n-grams"),
    ("ngram 2=2", "ngram 2=999999999999", 3, "more than the file can hold"),
    ("\\2-grams:", "\\3-grams:", 11, "the section \\2-grams: is expected"),
    ("\\2-grams:\n-0.1\t<s> a\n-0.2\ta b\n\n", "", 11, "the section \\2-grams: is expected"),
    ("ngram 1=4", "ngram 1=5", 10, "after 4 1-grams, but \\data\\ declares 5"),
    ("ngram 2=2", "ngram 2=3", 14, "after 2 2-grams, but \\data\\ declares 3"),
    ("ngram 1=4", "ngram 1=3", 9, "\\data\\ declares 3 1-grams"),
    ("-0.4\ta", "0.4\ta", 8, "can't be above 0, but this is 0.4"),
    ("-0.4\ta", "x\ta", 8, "“x” is no number"),
    ("-0.4\ta", "nan\ta", 8, "“nan” is no number"),
    ("-0.4\ta", "-0x2\ta", 8, "“-0x2” is no number"),
    ("-0.4\ta", "-Infinity\ta", 8, "“-Infinity” is no number"),
    ("-0.4\ta", "-1e300\ta", 8, "a number of single precision or -inf, but this is -1e300"),
    ("-0.4\ta", "-1e999\ta", 8, "a number of single precision or -inf, but this is -1e999"),
    ("a\t-0.2", "a\tnan", 8, "a finite number of single precision, but this is nan"),
    ("a\t-0.2", "a\tinf", 8, "a finite number of single precision, but this is inf"),
    ("a\t-0.2", "a\t-inf", 8, "a finite number of single precision, but this is -inf"),
    ("a\t-0.2", "a\t1e300", 8, "a finite number of single precision, but this is 1e300"),
    ("a\t-0.2", "a\t300", 8, "can't be above 10, but this is 300"),
    ("a\t-0.2", "a\t0x1p-2", 8, "“0x1p-2” is no number"),
    ("a\t-0.2", "a\t--2", 8, "“--2” is no number"),
    ("<s> a", "<s> a\t-0.1", 12, "highest order have no backoff"),
    ("<s> a", "a", 12, "a log-probability, 2 words and perhaps a backoff"),
    ("a b\n", "a b -1 c\n", 13, "but the line has 5 fields"),
    ("<s> a", "<s> c", 12, "the word “c” isn't among the 1-grams"),
    ("-0.2\ta b", "-0.2\t<s> a", 13, "“<s> a” stands twice"),
    ("\tb\n\n", "\ta\n\n", 9, "“a” stands twice"),
    ("\ta\t", "\ta\u{B}c\t", 8, "the word “a\\u{B}c” holds white space"),
    ("\ta\t", "\ta\0c\t", 8, "the word “a\\u{0}c” holds a zero byte"),
    ("\ta\t", "\ta\u{C}c\t", 8, "the word “a\\u{C}c” holds white space"),
    ("</s>", "c", 9, "the 1-grams lack </s>"),
    ("<s>\t", "c\t", 9, "the 1-grams lack <s>"),
    ("\\end\\\n", "", 14, "the file ends before \\end\\"),
    ("\n\n\\end\\\n", "", 13, "the file ends before \\end\\"),
    ("-0.2\ta b\n\n\\end\\\n", "", 12, "the file ends before \\end\\"),
    ("\\end\\", "\\and\\", 15, "\\end\\ is expected"),
    ("\\end\\", "\\end\\\nmore", 16, "nothing may follow"),
    ("\\data\\", "# tokens: notes\n\\data\\", 1, "the tokens are said to be “notes”"),
    ("\\data\\", "# tokens: characters\n\\data\\", 0, ""),
  ])
  func namesTheBrokenRule(part: String, replacement: String, line: Int, message: String) throws {
    #expect(Self.small.contains(part))
    let text = Self.small.replacing(part, with: replacement, maxReplacements: 1)
    guard line > 0 else {
      #expect(try read(text).vocabulary.unit == .characters)
      return
    }
    let error = #expect(throws: ARPAError.self) { try read(text) }
    #expect(error?.line == line)
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    #expect(error?.description.hasSuffix(".") == true)
  }

  /// Which words are tokens is asked at the end of the section, whose last line isn't to blame.
  @Test func namesTheLineOfAWordThatIsNoToken() throws {
    let characters = "# tokens: characters\n" + Self.small.replacing("</s>", with: "c")
    for (text, problem) in [
      (characters.replacing("\ta\t", with: "\tab\t"), .noToken("ab", .characters)),
      (characters.replacing("\ta\t", with: "\t<U+0063>\t"), .duplicate("<U+0063>")),
      ("# tokens: bytes\n" + Self.small.replacing("\ta\t", with: "\té\t"), .noToken("é", .bytes)),
    ] as [(String, ARPAError.Problem)] {
      let error = #expect(throws: ARPAError.self) { try read(text) }
      #expect(error?.problem == problem && error?.line == 9)
    }
    let invalid = Self.small.replacing("\ta\t", with: "\t?\t").utf8
      .map { $0 == UInt8(ascii: "?") ? 0xFF : $0 }
    let error = #expect(throws: ARPAError.self) {
      try invalid.withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
    }
    #expect(error?.problem == .noToken("\u{FFFD}", .words) && error?.line == 8)
  }

  /// As KenLM has written it.
  @Test func minusInfinityIsTheLogarithmOfZero() throws {
    let model = try read(Self.small.replacing("-0.6\tb", with: "-inf\tb"))
    // b after <s>: −99 for the logarithm of 0, and the backoff.
    let score = try #require(model.scores(of: [1, 3]).first)
    #expect(abs(score + 99.3) < 1e-4)
    #expect(try !written(model).contains("inf"))
  }

  /// A context may leave more of its probability than the shorter one does of the same words.
  @Test func aBackoffMayBeAboveZero() throws {
    let model = try read(Self.small.replacing("a\t-0.2", with: "a\t+1.5E0"))
    // b after <s> a is known; </s> after it isn't.
    let score = try #require(model.scores(of: [1, 2, 1]).last)
    #expect(abs(score - 1) < 1e-5)
  }

  /// Numbers in another form than most write them in.
  @Test(arguments: ["-.6", "-0.600000000000000000000", "-6e-1", "-6E-01", "-0.006e+2"])
  func decimalNumbers(number: String) throws {
    let model = try read(Self.small.replacing("-0.6\tb", with: "\(number)\tb"))
    let score = try #require(model.scores(of: [1, 3]).first)
    #expect(abs(score + 0.9) < 1e-6)
  }

  /// A model of so many orders, all above the first without n-grams.
  static func empty(orders: Int) -> String {
    let counts = (2...orders).map { "ngram \($0)=0" }.joined(separator: "\n")
    let sections = (2...orders).map { "\\\($0)-grams:\n\n" }.joined()
    return """
      \\data\\
      ngram 1=4
      \(counts)

      \\1-grams:
      -0.5\t</s>
      -99\t<s>\t-0.3
      -0.4\ta\t-0.2
      -0.6\tb

      \(sections)\\end\\

      """
  }

  /// As many may be in binary files; see `NGramFileTests`.
  @Test func moreOrdersThanAnyModelHasAreRefused() throws {
    #expect(try read(Self.empty(orders: 1000)).order == 1000)
    let error = #expect(throws: ARPAError.self) { try read(Self.empty(orders: 1001)) }
    #expect(error?.problem == .highOrder(1001) && error?.line == 1002)
  }

  @Test func aWordOfAMegabyteIsNoWord() throws {
    let word = String(repeating: "h", count: (1 << 20) + 1)
    let error = #expect(throws: ARPAError.self) {
      try read(Self.small.replacing("-0.4\ta", with: "-0.4\t" + word))
    }
    #expect(error?.problem == .longWord && error?.line == 8)
  }

  @Test func aContextMustBeThere() throws {
    let text = Self.small.replacing("ngram 2=2\n", with: "ngram 2=2\nngram 3=1\n")
      .replacing("\\end\\", with: "\\3-grams:\n-0.1\tb a b\n\n\\end\\")
    let error = #expect(throws: ARPAError.self) { try read(text) }
    #expect(error?.problem == .unknownContext("b a"))
    #expect(error?.line == 17)
  }

  @Test func everyTruncationIsNoticed() throws {
    let text = Array(Self.small.utf8)
    for count in 0..<text.count - 2 {
      #expect(throws: ARPAError.self) {
        try text.prefix(count).withUnsafeBytes { try ARPAFile.read($0, name: "m.arpa") }
      }
    }
  }
}
