import Foundation

/// A byte-level BPE tokenizer as Hugging Face's `tokenizers` writes it: `tokenizer.json`, version 1.0.
///
/// Merges are pairs, or strings with a space as older files have them. Special tokens have their
/// numbers and are decoded, but no text is searched for them: the tokens are those that `tokenizers`
/// gives a text which holds none, without those that a post-processor adds.
extension Vocabulary {
  /// Reads such a file.
  ///
  /// - Throws: ``VocabularyError/malformedFile(reason:)`` unless it encodes texts as GPT-2 does: BPE
  ///   over bytes, texts cut by GPT-2's pattern and not changed, all bytes and merges known.
  init(tokenizer json: Data) throws {
    let file: TokenizerFile
    do {
      file = try JSONDecoder().decode(TokenizerFile.self, from: json)
    } catch let error as VocabularyError {
      throw error
    } catch {
      throw Self.malformed("it isn't a tokenizer.json with a “model”, its “vocab” and “merges”")
    }
    try file.checkKind()
    self = try file.vocabulary()
  }

  /// The file's content, in one line; the same vocabulary always gives the same bytes.
  func tokenizerJSON(_ encoding: BytePairEncoding) -> Data {
    let isSpecial = Set(encoding.specialTokens)
    func text(_ token: Int32) -> String {
      let spelling = spellings[Int(token)]
      return Self.quoted(
        isSpecial.contains(token)
          ? String(decoding: spelling, as: UTF8.self) : ByteAlphabet.spelling(of: spelling))
    }
    let texts = (0..<Int32(count)).map(text)
    let added = encoding.specialTokens.map {
      #"{"id":\#($0),"content":\#(texts[Int($0)]),"single_word":false,"lstrip":false,"#
        + #""rstrip":false,"normalized":false,"special":true}"#
    }
    let vocabulary = texts.enumerated().map { "\($1):\($0)" }
    let merges = encoding.merges.map { "[\(texts[Int($0.left)]),\(texts[Int($0.right)])]" }
    let byteLevel =
      #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#
    let json =
      #"{"version":"1.0","truncation":null,"padding":null,"#
      + #""added_tokens":[\#(added.joined(separator: ","))],"normalizer":null,"#
      + #""pre_tokenizer":\#(byteLevel),"post_processor":null,"decoder":\#(byteLevel),"#
      + #""model":{"type":"BPE","dropout":null,"unk_token":null,"#
      + #""continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"#
      + #""byte_fallback":false,"ignore_merges":false,"#
      + #""vocab":{\#(vocabulary.joined(separator: ","))},"#
      + #""merges":[\#(merges.joined(separator: ","))]}}"#
    return Data(json.utf8)
  }

  /// A text as a string of JSON.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        quoted.unicodeScalars.append("\\")
        quoted.unicodeScalars.append(scalar)
      case ..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

/// What of a `tokenizer.json` decides which tokens a text becomes.
private struct TokenizerFile: Decodable {
  let version: String?
  let addedTokens: [AddedToken]?
  let normalizer, preTokenizer, decoder: Component?
  let model: Model

  enum CodingKeys: String, CodingKey {
    case version, normalizer, decoder, model
    case addedTokens = "added_tokens"
    case preTokenizer = "pre_tokenizer"
  }

  struct AddedToken: Decodable {
    let id: Int
    let content: String
    let special: Bool?
  }

  struct Component: Decodable {
    let type: String
    let addPrefixSpace, useRegex: Bool?

    enum CodingKeys: String, CodingKey {
      case type
      case addPrefixSpace = "add_prefix_space"
      case useRegex = "use_regex"
    }
  }

  struct Model: Decodable {
    let dropout: Double?
    let prefix, suffix: String?
    let ignoreMerges: Bool?
    let vocabulary: [String: Int]
    let merges: [Merge]

    enum CodingKeys: String, CodingKey {
      case type, dropout, merges
      case prefix = "continuing_subword_prefix"
      case suffix = "end_of_word_suffix"
      case ignoreMerges = "ignore_merges"
      case vocabulary = "vocab"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      // Old files have no type; what has merges is BPE.
      let type = try container.decodeIfPresent(String.self, forKey: .type)
      if let type, type != "BPE" { throw Vocabulary.malformed("its model is “\(type)”, not “BPE”") }
      dropout = try container.decodeIfPresent(Double.self, forKey: .dropout)
      prefix = try container.decodeIfPresent(String.self, forKey: .prefix)
      suffix = try container.decodeIfPresent(String.self, forKey: .suffix)
      ignoreMerges = try container.decodeIfPresent(Bool.self, forKey: .ignoreMerges)
      vocabulary = try container.decode([String: Int].self, forKey: .vocabulary)
      merges = try container.decode([Merge].self, forKey: .merges)
    }
  }

  /// `["e","l"]` or `"e l"`.
  struct Merge: Decodable {
    let parts: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      } else {
        parts = try container.decode([String].self)
      }
    }
  }
}

extension TokenizerFile {
  /// - Throws: what makes it another kind of tokenizer.
  func checkKind() throws {
    func refuse(_ reason: String) -> VocabularyError { Vocabulary.malformed(reason) }
    if let version, version != "1.0" { throw refuse("its version is “\(version)”, not “1.0”") }
    if let normalizer { throw refuse("its normalizer “\(normalizer.type)” would change the text") }
    guard let preTokenizer else {
      throw refuse("it has no pre-tokenizer, where ByteLevel is needed")
    }
    guard preTokenizer.type == "ByteLevel" else {
      throw refuse("its pre-tokenizer is “\(preTokenizer.type)”, not “ByteLevel”")
    }
    if preTokenizer.addPrefixSpace == true {
      throw refuse("it puts a space before every text (add_prefix_space)")
    }
    if preTokenizer.useRegex == false {
      throw refuse("it doesn't cut texts by GPT-2's pattern (use_regex is false)")
    }
    if let decoder, decoder.type != "ByteLevel" {
      throw refuse("its decoder is “\(decoder.type)”, not “ByteLevel”")
    }
    if model.dropout ?? 0 != 0 { throw refuse("it leaves merges out at random (dropout)") }
    if model.ignoreMerges == true {
      throw refuse("it looks whole words up before it merges (ignore_merges)")
    }
    guard (model.prefix ?? "").isEmpty, (model.suffix ?? "").isEmpty else {
      throw refuse(
        "its tokens are marked by continuing_subword_prefix or end_of_word_suffix, not by spaces")
    }
  }

  /// - Throws: the first token or merge that is wrong.
  func vocabulary() throws -> Vocabulary {
    let special = try specialTokens()
    let texts = try texts(with: special)
    var table = WordTable()
    for (token, text) in texts.enumerated() {
      guard let spelling = special[text] == token ? Array(text.utf8) : ByteAlphabet.bytes(text),
        !spelling.isEmpty
      else {
        throw Vocabulary.malformed("token \(token), “\(shown(text))”, doesn't spell bytes")
      }
      let first = spelling.withUnsafeBytes { table.insert($0) }
      if first != token {
        throw Vocabulary.malformed("tokens \(first) and \(token) are both “\(shown(text))”")
      }
    }
    let byteTokens = try (0...255 as ClosedRange<UInt8>).map { byte in
      guard let token = withUnsafeBytes(of: byte, { table.index(of: $0) }) else {
        throw Vocabulary.malformed(
          "it has no token “\(ByteAlphabet.spelling(of: [byte]))” for the byte \(byte)")
      }
      return token
    }
    let encoding = BytePairEncoding(
      byteTokens: byteTokens, merges: try merges(),
      specialTokens: special.values.map(Int32.init).sorted())
    return Vocabulary(encoding, spellings: (0..<table.count).map { Array(table[$0]) })
  }

  /// The numbers of special tokens, by what they are.
  private func specialTokens() throws -> [String: Int] {
    var special: [String: Int] = [:]
    for token in addedTokens ?? [] {
      guard token.special == true else {
        throw Vocabulary.malformed(
          "it searches texts for “\(shown(token.content))”, an added token that isn't special")
      }
      let known = special[token.content] ?? model.vocabulary[token.content] ?? token.id
      guard known == token.id else {
        throw Vocabulary.malformed(
          "“\(shown(token.content))” has two numbers, \(known) and \(token.id)")
      }
      special[token.content] = token.id
    }
    return special
  }

  /// All tokens by number.
  private func texts(with special: [String: Int]) throws -> [String] {
    let tokens = model.vocabulary.merging(special) { $1 }
    guard tokens.count <= Vocabulary.largestCount else {
      throw Vocabulary.malformed(
        "it holds \(tokens.count) tokens, and at most \(Vocabulary.largestCount) are allowed")
    }
    let sorted = tokens.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    for (number, token) in sorted.enumerated() where token.value != number {
      guard number > 0, token.value == sorted[number - 1].value else {
        throw Vocabulary.malformed(
          "no token has the number \(number), and “\(shown(token.key))” has \(token.value)")
      }
      throw Vocabulary.malformed(
        "“\(shown(sorted[number - 1].key))” and “\(shown(token.key))” both have the number "
          + "\(token.value)")
    }
    return sorted.map(\.key)
  }

  private func merges() throws -> [BytePairEncoding.Merge] {
    guard model.merges.count <= BytePairEncoding.largestCount else {
      throw Vocabulary.malformed("it holds too many merges: \(model.merges.count)")
    }
    return try model.merges.enumerated().map { rank, merge in
      guard merge.parts.count == 2 else {
        throw Vocabulary.malformed(
          "merge \(rank), “\(shown(merge.parts.joined(separator: " ")))”, isn't one of two tokens")
      }
      func number(_ token: String) throws -> Int32 {
        guard let number = model.vocabulary[token] else {
          throw Vocabulary.malformed(
            "merge \(rank) needs the token “\(shown(token))”, which isn't in its vocabulary")
        }
        return Int32(number)
      }
      return try .init(
        left: number(merge.parts[0]), right: number(merge.parts[1]),
        result: number(merge.parts.joined()))
    }
  }

  /// Short enough for a sentence.
  private func shown(_ token: String) -> String { Vocabulary.visible(token.prefix(40).utf8) }
}
