import Inspection
import Testing

/// Labels by hand: under each character a mark, `.` for no and `x` for yes; for graded labels a
/// digit; `?` where the question doesn't apply.
@Suite struct ProbeTests {
  private func check(
    _ probe: Probe, _ text: String, _ marks: String, syntax: TextSyntax = .prose,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let labels = probe.labels(ProbedText(text, syntax: syntax))
    let shown = labels.map { label -> Character in
      guard let label else { return "?" }
      if probe.kind == .yesNo { return label == 0 ? "." : "x" }
      return Character(String(Int(label) % 10))
    }
    #expect(String(shown) == marks, sourceLocation: sourceLocation)
  }

  @Test func positionInLineCountsFromTheLineFeed() {
    check(.positionInLine, "ab\nc\r\n\nd", "12012001")
    check(.positionInLine, "äé\n", "120")
  }

  @Test func distanceToLineEndLeavesTheLineEndOut() {
    check(.distanceToLineEnd, "abc\nd\r\n\nef", "21000000??")
  }

  @Test func indentationIsKnownOnceItHasBeenRead() {
    check(.indentation, "a\n  b\n\n   \n\tc\n \td", "00??22??????88??8")
  }

  @Test func straightQuotesOpenAndCloseByTurns() {
    check(.insideQuotes, #"He: "So?" she "no"."#, "....xxxx......xxx..")
  }

  @Test func anApostropheIsNoQuote() {
    check(.insideQuotes, #"don't "it's 'a'" x"#, "......xxxxxxxxx...")
  }

  @Test func aQuotationMayGoOnOverLines() {
    check(.insideQuotes, "\"a\nb\" c", "xxxx...")
  }

  @Test func aParagraphOpensItsQuotationAnew() {
    // As in novels: each paragraph opens, only the last one closes.
    check(.insideQuotes, "\"a\n\n\"b\" c", "xxx.xx...")
    check(.insideQuotes, "\"a\r\n\r\nb", "xxxx...")
  }

  @Test func curlyQuotesNest() {
    check(.insideQuotes, "“a “b” c” d", "xxxxxxxx...")
    check(.insideQuotes, "„a“ «b» »c«", "xx..xx..xx.")
  }

  @Test func stringsOfSourceCode() {
    check(.insideQuotes, #"f("a\"b", '"', x);"#, "..xxxxx...........", syntax: .c)
    check(.insideQuotes, "/* \" */ \"a", "........xx", syntax: .c)
    check(.insideQuotes, "\"a\nb", "xx..", syntax: .c)
    check(.insideQuotes, "\"a\\\nb\"", "xxxxx.", syntax: .c)
  }

  @Test func bracketsNestAndEndWithTheParagraph() {
    check(.insideBrackets, "a (b [c] d) e", "..xxxxxxxx...")
    check(.bracketDepth, "({[)]}a", "1230000")
    check(.bracketDepth, "(a\n\nb)", "111000")
    check(.insideBrackets, "{a}", "...")
  }

  @Test func bracketsInLiteralsAndCommentsDoNotCount() {
    check(.bracketDepth, "f('(', \"(\") /*(*/", "01111111110000000", syntax: .c)
  }

  @Test func aBraceInTheFirstColumnEndsAFunction() {
    check(.bracketDepth, "f(\n}\na", "011000", syntax: .c)
  }

  @Test func commentsOfSourceCode() {
    check(.insideComment, "a /* b */ c", "...xxxxx...", syntax: .c)
    check(.insideComment, "a // b\nc", "...xxx..", syntax: .c)
    check(.insideComment, "/*/ */ a", ".xxxx...", syntax: .c)
    check(.insideComment, "/**/a", ".xx..", syntax: .c)
    check(.insideComment, "\"/*\" '/*' \"//\"", "..............", syntax: .c)
    check(.insideComment, "'\\'' // it's\n\"", "......xxxxxx..", syntax: .c)
    check(.insideComment, "// a\\\nb\nc", ".xxxxxx..", syntax: .c)
    check(.insideComment, "#error don't\n/*a", "..............xx", syntax: .c)
    check(.insideComment, "a /* b */ c", "...........")
  }

  @Test func conditionsOfIfStatements() {
    check(.insideIf, "if (a(b) && c) d;", "...xxxxxxxxxx....", syntax: .c)
    check(.insideIf, "if(a &&\n b) c(d)", "..xxxxxxxx......", syntax: .c)
    check(.insideIf, "if (x == ')') y", "...xxxxxxxxx...", syntax: .c)
    check(.insideIf, "if /* ) */ (a) b", "...........xx...", syntax: .c)
    check(.insideIf, "if // c\n(a) b", "........xx...", syntax: .c)
    check(.insideIf, "if / (a) b", "..........", syntax: .c)
    check(.insideIf, "gif (a) if_(b)", "..............", syntax: .c)
    check(.insideIf, "#if (a)\n# if (b)", "................", syntax: .c)
    check(.insideIf, "#define X if (a)", ".............xx.", syntax: .c)
    check(.insideIf, "// if (a)\n\"if (b)\"", "..................", syntax: .c)
    check(.insideIf, "if (a)", "......")
  }

  @Test func wordsHoldApostrophesBetweenLetters() {
    check(.insideWord, "don't 'a' x_1, é!", "xxxxx..x..xxx..x.")
    check(.wordBoundary, "ab, c", ".x.x?")
  }

  @Test func capitalisedWords() {
    check(.capitalised, "The Äpfel eAT 1A B", "xxx.xxxxx........x")
  }

  @Test func digits() {
    check(.digit, "a12 ٣!", ".xx.x.")
  }

  @Test func urlsEndBeforeTheSentencesPunctuation() {
    check(.url, "see http://a.b/c?d. ok", "....xxxxxxxxxxxxxx....")
    check(.url, "<www.a.de> www. xwww.b", ".xxxxxxxx.............")
    check(.url, "mailto:a@b, https://", "xxxxxxxxxx..........")
  }

  @Test func whatComesNext() {
    check(.ahead("b"), "abbc", "xx.?")
    check(.ahead("\n"), "a\nb\r\nc\r", "x.x...?")
  }

  @Test func expressionsOfTheUser() throws {
    check(try .matches(of: "[0-9]+", name: "n"), "é12🦊3a", ".xx.x.")
    check(try .matches(of: "^b", name: "n"), "b\nbb", "x.x.")
    check(try .matches(of: "x*", name: "n"), "ab", "..")
    #expect(throws: ProbeError.invalidExpression(name: "n", pattern: "(")) {
      try Probe.matches(of: "(", name: "n")
    }
  }

  @Test func sourceCodeIsRecognised() {
    #expect(TextSyntax(guessing: "int a;\n/* b\n * c\n */\nvoid f(void)\n{\n".unicodeScalars) == .c)
    #expect(TextSyntax(guessing: "It was; he said.\n\nSo it was.\n".unicodeScalars) == .prose)
    #expect(TextSyntax(guessing: "".unicodeScalars) == .prose)
  }
}
