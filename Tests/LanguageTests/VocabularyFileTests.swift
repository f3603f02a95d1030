import Foundation
import Language
import Testing

@Suite struct VocabularyFileTests {
  @Test(arguments: TokenUnit.allCases)
  func readsWhatItWrites(unit: TokenUnit) throws {
    let text = Array(("e\u{301} é / \"\\ \u{2028}" + VocabularyTests.awkward).utf8)
    let vocabulary = try Vocabulary(unit: unit, building: text, source: "text")
    let json = try vocabulary.json()
    let read = try Vocabulary(json: json)
    #expect(read == vocabulary)
    #expect(try read.encode(text, source: "") == vocabulary.encode(text, source: ""))
    #expect(try read.json() == json)
  }

  @Test func theFormIsAsDocumented() throws {
    let vocabulary = try Vocabulary(unit: .characters, building: Array("a \n".utf8), source: "")
    #expect(
      try String(decoding: vocabulary.json(), as: UTF8.self)
        == #"{"unit":"characters","tokens":["\n"," ","a"]}"#)
    #expect(try String(decoding: Vocabulary.bytes.json(), as: UTF8.self) == #"{"unit":"bytes"}"#)
  }

  @Test(arguments: [
    ("", "it isn't JSON with a \"unit\" and a list of \"tokens\""),
    (#"{"tokens":["a","b"]}"#, "it isn't JSON with a \"unit\" and a list of \"tokens\""),
    (#"{"unit":"bytes","tokens":["a"]}"#, "bytes have no list of tokens"),
    (
      #"{"unit":"letters","tokens":["a","b"]}"#,
      "its unit is “letters”, not one of bytes, characters, words"
    ),
    (#"{"unit":"words"}"#, "words need a list of tokens"),
    (
      #"{"unit":"characters","tokens":["a"]}"#, "it holds 1 characters, and at least 2 are needed"
    ),
    (#"{"unit":"characters","tokens":["a","b","\n","a"]}"#, "tokens 0 and 3 are both “a”"),
    (#"{"unit":"characters","tokens":["a",""]}"#, "token 1 is empty"),
    (
      #"{"unit":"characters","tokens":["a","b\n"]}"#,
      "token 1, “b⏎”, is longer than one character"
    ),
    (#"{"unit":"words","tokens":["the","fox"]}"#, "its first two words aren't <unk> and </s>"),
    (#"{"unit":"words","tokens":["<unk>","</s>","a b"]}"#, "token 2, “a␣b”, holds white space"),
  ])
  func refusesWithAReason(json: String, reason: String) {
    let error = #expect(throws: VocabularyError.self) { try Vocabulary(json: Data(json.utf8)) }
    #expect(error?.description == "The vocabulary file is unusable: \(reason).")
  }
}
