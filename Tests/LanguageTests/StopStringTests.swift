import Language
import Tensors
import Testing

@Suite struct StopStringTests {
  /// What is written of a text that comes in pieces, and whether it was stopped.
  private func written(_ pieces: [String], until stop: String?) -> (String, Bool) {
    var guardian = StopString(stop)
    var out = ""
    for piece in pieces {
      let (text, stopped) = guardian.pass(piece)
      out += text
      if stopped { return (out + guardian.finish(), true) }
    }
    return (out + guardian.finish(), false)
  }

  private func expect(
    _ text: String, until stop: String, gives expected: String, stopped: Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let scalars = text.unicodeScalars.map { String($0) }
    for pieces in [[text], scalars] {
      let (found, isStopped) = written(pieces, until: stop)
      // Scalar by scalar, since strings are equal if they only look the same.
      #expect(
        Array(found.unicodeScalars) == Array(expected.unicodeScalars),
        sourceLocation: sourceLocation)
      #expect(isStopped == stopped, sourceLocation: sourceLocation)
    }
  }

  @Test func stopsBeforeTheFirstOccurrence() {
    expect("one. two. three", until: ". ", gives: "one", stopped: true)
    expect("one", until: "one", gives: "", stopped: true)
    expect("one", until: "ones", gives: "one", stopped: false)
    expect("on", until: "one", gives: "on", stopped: false)
  }

  @Test func prefixesThatOverlapAreNotMissed() {
    expect("aaab", until: "aab", gives: "a", stopped: true)
    expect("aaaaab!", until: "aab", gives: "aaa", stopped: true)
    expect("ababac", until: "abac", gives: "ab", stopped: true)
    expect("abacabad", until: "abad", gives: "abac", stopped: true)
    expect("aabaabaaab", until: "aabaaa", gives: "aab", stopped: true)
  }

  /// Where a character ends is known only when the next begins.
  @Test func scalarsCountAndNotCharacters() {
    expect("a\r\nb", until: "\r\n", gives: "a", stopped: true)
    expect("a\r\nb", until: "\n", gives: "a\r", stopped: true)
    expect("cafe\u{301}!", until: "e\u{301}", gives: "caf", stopped: true)
    expect("caf\u{E9}!", until: "e\u{301}", gives: "caf\u{E9}!", stopped: false)
    expect("👩🏽‍🚀 up", until: "🚀", gives: "👩🏽\u{200D}", stopped: true)
  }

  @Test func nothingToWaitForHoldsNothingBack() {
    for stop in [nil, ""] {
      var guardian = StopString(stop)
      #expect(guardian.pass("abc").text == "abc")
    }
    var guardian = StopString("xyz")
    #expect(guardian.pass("abx").text == "ab")
    #expect(guardian.pass("y").text == "")
    #expect(guardian.pass("a").text == "xya")
  }

  /// Every text over two letters, in all ways of cutting it in two, against a plain search.
  @Test func equalsASearchForShortTexts() {
    func texts(_ length: Int) -> [String] {
      (0..<1 << length).map { bits in
        (0..<length).map { bits >> $0 & 1 == 0 ? "a" : "b" }.joined()
      }
    }
    for stop in (1...4).flatMap(texts) {
      for text in texts(8) {
        let (letters, wanted) = (Array(text), Array(stop))
        let found = (0...letters.count - wanted.count).first {
          Array(letters[$0..<$0 + wanted.count]) == wanted
        }
        let expected = found.map { String(letters[..<$0]) } ?? text
        for cut in [0, 3, 5] {
          let pieces = [String(letters[..<cut]), String(letters[cut...])]
          let (out, stopped) = written(pieces, until: stop)
          if out != expected || stopped != (found != nil) {
            Issue.record("\(text) until \(stop), cut at \(cut): \(out)")
          }
        }
      }
    }
  }
}
