/// What a character of a C program belongs to. The state after it has been read, so that the slash
/// that may begin a comment is still code, and the one that ends it is code again.
enum CRegion: UInt8, Sendable {
  case code, string, character, lineComment, blockComment
}

/// Finds comments and literals in C, and in what looks like it.
///
/// Comment signs in literals and quotation marks in comments mean nothing; `\"` doesn't end a
/// string; a backslash at the end of a line joins the next one. A literal that is still open at
/// the end of its line ends there (`#error don't`), so that one stray mark doesn't spoil the rest.
enum CScanner {
  static func regions(of characters: [Unicode.Scalar]) -> [CRegion] {
    var regions: [CRegion] = []
    regions.reserveCapacity(characters.count)
    var region = CRegion.code
    var escaped = false  // The character before is a backslash that counts.
    var previous: Unicode.Scalar = " "  // In the same region, and not used up by a sign.
    for character in characters {
      let joins = escaped && character == "\r"  // \⏎ is one sign, also if it is \␍⏎.
      let next = step(region, character, after: previous, escaped: escaped)
      // Neither `/*/` nor `*/*` has a sign that shares its star or its slash with another.
      previous = next == region ? character : " "
      if !joins { escaped = character == "\\" && !escaped && region != .blockComment }
      region = next
      regions.append(region)
    }
    return regions
  }

  private static func step(
    _ region: CRegion, _ character: Unicode.Scalar, after previous: Unicode.Scalar, escaped: Bool
  ) -> CRegion {
    switch (region, character) {
    case (.code, "/") where previous == "/": .lineComment
    case (.code, "*") where previous == "/": .blockComment
    case (.code, "\""): .string
    case (.code, "'"): .character
    case (.string, "\"") where !escaped: .code
    case (.character, "'") where !escaped: .code
    case (.string, "\n"), (.character, "\n"), (.lineComment, "\n"): escaped ? region : .code
    case (.blockComment, "/") where previous == "*": .code
    default: region
    }
  }
}
