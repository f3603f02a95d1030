/// Turns tokens into text while they are being generated.
public struct TextStream: Sendable {
  private let vocabulary: Vocabulary
  private var previous: Int32?
  private var assembler = UTF8Assembler()

  /// - Parameter prompt: the tokens that the text continues; they are not part of the stream.
  public init(_ vocabulary: Vocabulary, after prompt: [Int32] = []) {
    self.vocabulary = vocabulary
    previous = prompt.last
  }

  /// What can be shown after one more token: nothing while a character is incomplete.
  public mutating func append(_ token: Int32) -> String {
    var bytes: [UInt8] = []
    vocabulary.append(token, after: previous, to: &bytes)
    previous = token
    return assembler.append(bytes)
  }

  /// What is left at the end: U+FFFD if a character remained incomplete.
  public mutating func finish() -> String {
    assembler.finish()
  }
}

/// Releases whole characters from UTF-8 that arrives in pieces.
///
/// Bytes that can't belong to any character become U+FFFD as soon as that is certain, one for
/// each maximal part of a character.
///
/// - SeeAlso: The Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal Subparts".
public struct UTF8Assembler: Sendable {
  /// The beginning of a character: a valid lead and fewer bytes than it asks for.
  private var pending: [UInt8] = []

  public init() {}

  /// The characters that these bytes complete.
  public mutating func append(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes { append(byte, to: &text) }
    return text
  }

  /// U+FFFD if a character is incomplete, otherwise nothing; the assembler is then empty.
  public mutating func finish() -> String {
    defer { pending = [] }
    return pending.isEmpty ? "" : "\u{FFFD}"
  }

  private mutating func append(_ byte: UInt8, to text: inout String) {
    if let lead = pending.first, let shape = UTF8Shape(lead: lead) {
      let fits = pending.count == 1 ? shape.second.contains(byte) : byte & 0xC0 == 0x80
      if fits {
        pending.append(byte)
        if pending.count == shape.length {
          text += String(decoding: pending, as: UTF8.self)
          pending = []
        }
        return
      }
      text += finish()
    }
    if byte < 0x80 {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    } else if UTF8Shape(lead: byte) != nil {
      pending = [byte]
    } else {
      text += "\u{FFFD}"
    }
  }
}
