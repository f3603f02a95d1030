import Foundation
import Language
import Testing

/// `tokenizer.json`, as it is written, and as others write it.
@Suite struct TokenizerFileTests {
  /// With the merges `aa`, `ab` and `aa`+`ab`.
  private let vocabulary: Vocabulary
  private let json: String

  init() throws {
    vocabulary = try Vocabulary(
      unit: .bpe, building: Array("aaabdaaabac".utf8), source: "text", maximumSize: 259)
    json = String(decoding: try vocabulary.json(), as: UTF8.self)
  }

  private func read(_ json: String) throws -> Vocabulary {
    try Vocabulary(json: Data(json.utf8))
  }

  private func changed(_ old: String, _ new: String) -> String {
    #expect(json.contains(old))
    return json.replacing(old, with: new, maxReplacements: 1)
  }

  @Test func hasTheFormThatTokenizersReads() throws {
    #expect(json.hasPrefix(#"{"version":"1.0","#))
    #expect(json.contains(##""vocab":{"!":0,"\"":1,"#":2,"##))
    #expect(json.contains(#","[":58,"\\":59,"]":60,"#))
    #expect(
      json.hasSuffix(#""aa":256,"ab":257,"aaab":258},"merges":[["a","a"],["a","b"],["aa","ab"]]}}"#)
    )
    #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
  }

  @Test func readsWhatItWrites() throws {
    let again = try read(json)
    #expect(again == vocabulary)
    #expect(try String(decoding: again.json(), as: UTF8.self) == json)
  }

  /// The form of GPT-2's own file: merges as strings, the special token in the vocabulary, no type.
  @Test func readsAnOlderFile() throws {
    let older = changed(
      #"[["a","a"],["a","b"],["aa","ab"]]"#, #"["a a","a b","aa ab"]"#
    )
    .replacing(#""type":"BPE","dropout":null,"unk_token":null"#, with: #""unk_token":"""#)
    .replacing(#""ignore_merges":false,"#, with: "")
    #expect(try read(older) == vocabulary)
  }

  private static let endOfText =
    #"{"id":259,"content":"<|end of text|>","single_word":false,"special":true}"#

  @Test(arguments: [false, true])
  func specialTokensHaveNumbersButNoTextBecomesThem(isInVocabulary: Bool) throws {
    var foreign = changed(#""added_tokens":[]"#, #""added_tokens":[\#(Self.endOfText)]"#)
    if isInVocabulary {
      foreign = foreign.replacing(#""aaab":258"#, with: #""aaab":258,"<|end of text|>":259"#)
    }
    let read = try read(foreign)
    #expect(read.count == 260)
    #expect(read.decode([257, 259]) == Array("ab<|end of text|>".utf8))
    let tokens = try read.encode(prompt: "<|end of text|>")
    #expect(!tokens.contains(259))
    #expect(read.decode(tokens) == Array("<|end of text|>".utf8))
    #expect(try self.read(String(decoding: read.json(), as: UTF8.self)) == read)
    #expect(read != vocabulary)
  }

  @Test(arguments: [
    (#""type":"BPE""#, #""type":"WordPiece""#, "its model is “WordPiece”, not “BPE”"),
    (#""version":"1.0""#, #""version":"2.0""#, "its version is “2.0”, not “1.0”"),
    (
      #""normalizer":null"#, #""normalizer":{"type":"NFC"}"#,
      "its normalizer “NFC” would change the text"
    ),
    (
      #""pre_tokenizer":{"type":"ByteLevel""#, #""pre_tokenizer":{"type":"Whitespace""#,
      "its pre-tokenizer is “Whitespace”, not “ByteLevel”"
    ),
    (
      #""add_prefix_space":false"#, #""add_prefix_space":true"#,
      "it puts a space before every text (add_prefix_space)"
    ),
    (
      #""use_regex":true"#, #""use_regex":false"#,
      "it doesn't cut texts by GPT-2's pattern (use_regex is false)"
    ),
    (
      #""decoder":{"type":"ByteLevel""#, #""decoder":{"type":"Metaspace""#,
      "its decoder is “Metaspace”, not “ByteLevel”"
    ),
    (#""dropout":null"#, #""dropout":0.1"#, "it leaves merges out at random (dropout)"),
    (
      #""ignore_merges":false"#, #""ignore_merges":true"#,
      "it looks whole words up before it merges (ignore_merges)"
    ),
    (
      #""end_of_word_suffix":null"#, #""end_of_word_suffix":"</w>""#,
      "its tokens are marked by continuing_subword_prefix or end_of_word_suffix, not by spaces"
    ),
    (
      #","merges":[["a","a"],["a","b"],["aa","ab"]]"#, "",
      "it isn't a tokenizer.json with a “model”, its “vocab” and “merges”"
    ),
    (
      #"["aa","ab"]"#, #"["aa","b"]"#,
      "merge 2 needs the token “aab”, which isn't in its vocabulary"
    ),
    (
      #"["aa","ab"]"#, #"["aa","zz"]"#,
      "merge 2 needs the token “zz”, which isn't in its vocabulary"
    ),
    (#"["aa","ab"]"#, #"["aa","a","b"]"#, "merge 2, “aa␣a␣b”, isn't one of two tokens"),
    (#"["aa","ab"]"#, #""aaab""#, "merge 2, “aaab”, isn't one of two tokens"),
    (#""aaab":258"#, #""aaab":259"#, "no token has the number 258, and “aaab” has 259"),
    (#""aaab":258"#, #""aaab":-1"#, "no token has the number 0, and “aaab” has -1"),
    (#""aaab":258"#, #""aaab":257"#, "“aaab” and “ab” both have the number 257"),
    (#""aaab":258"#, #""aaab":258,"a b":259"#, "token 259, “a␣b”, doesn't spell bytes"),
    (#""aaab":258"#, #""aaab":258,"":259"#, "token 259, “”, doesn't spell bytes"),
    (#""Ċ":198"#, #""ĊĊ":198"#, "it has no token “Ċ” for the byte 10"),
    (
      #""added_tokens":[]"#, #""added_tokens":[{"id":259,"content":"x y","special":false}]"#,
      "it searches texts for “x␣y”, an added token that isn't special"
    ),
    (
      #""added_tokens":[]"#, #""added_tokens":[{"id":3,"content":"aaab","special":true}]"#,
      "“aaab” has two numbers, 258 and 3"
    ),
    (
      #""added_tokens":[]"#, #""added_tokens":[{"id":260,"content":"x","special":true}]"#,
      "“x” has two numbers, 87 and 260"
    ),
  ])
  func refusesWithAReason(old: String, new: String, reason: String) {
    let foreign = changed(old, new)
    let error = #expect(throws: VocabularyError.self) { try read(foreign) }
    #expect(error?.description == "The vocabulary file is unusable: \(reason).")
  }

  @Test func namesTheFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "t.json")
      for (content, reason) in [
        ("{", "it isn't a tokenizer.json with a “model”"),
        (changed("BPE", "Unigram"), "its model is"),
      ] {
        try Data(content.utf8).write(to: url)
        let error = #expect(throws: VocabularyError.self) {
          try Vocabulary(contentsOfTokenizer: url)
        }
        #expect(
          error?.description.hasPrefix(
            "\(url.path) can't be used as a byte-level BPE tokenizer: \(reason)") == true)
      }
      try Data(json.utf8).write(to: url)
      #expect(try Vocabulary(contentsOfTokenizer: url) == vocabulary)
    }
  }

  /// Whatever is damaged, the file is refused in a sentence or means something.
  @Test func noDamageTraps() throws {
    var generator = SeededGenerator(4)
    let whole = Array(json.utf8)
    for trial in 0..<400 {
      var damaged = whole
      for _ in 0...trial % 3 {
        damaged[Int(generator.next() % UInt64(whole.count))] =
          whole[Int(generator.next() % UInt64(whole.count))]
      }
      if trial % 5 == 0 {
        damaged = Array(damaged.prefix(Int(generator.next() % UInt64(whole.count))))
      }
      do {
        let read = try Vocabulary(json: Data(damaged))
        #expect(try read.decode(read.encode(prompt: "aaab é")) == Array("aaab é".utf8))
      } catch is VocabularyError {}
    }
  }
}
