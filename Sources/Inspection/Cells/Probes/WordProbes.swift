/// Questions about words: runs of letters, digits and underscores, with the apostrophes between
/// letters (don't).
extension Probe {
  /// The character belongs to a word.
  public static let insideWord = Probe.whether(
    "inside word", "The character belongs to a word."
  ) { text in text.wordMembership }

  /// A word begins or ends right after the character: what `\b` means in regular expressions. Nil
  /// after the last character.
  public static let wordBoundary = Probe(
    "word boundary", .yesNo, "A word begins or ends right after the character."
  ) { text in
    let inside = text.wordMembership
    return inside.indices.map { index in
      index + 1 < inside.count ? (inside[index] != inside[index + 1] ? 1 : 0) : nil
    }
  }

  /// The character belongs to a word that begins with a capital letter.
  public static let capitalised = Probe.whether(
    "capitalised", "In a word that begins with a capital letter."
  ) { text in
    var isCapitalised = false
    var wasInside = false
    return zip(text.characters, text.wordMembership).map { character, isInside in
      if isInside, !wasInside { isCapitalised = character.properties.isUppercase }
      wasInside = isInside
      return isInside && isCapitalised
    }
  }

  /// The character is a decimal digit of any script.
  public static let digit = Probe.whether("digit", "The character is a digit.") { text in
    text.characters.map { $0.properties.generalCategory == .decimalNumber }
  }

  /// The character belongs to a URL: `http://`, `https://`, `ftp://`, `www.` or `mailto:` at the
  /// beginning of a word, up to white space, a quotation mark or an angle bracket; punctuation at
  /// its end belongs to the sentence.
  public static let url = Probe.whether("URL", "The character belongs to a URL.") { text in
    var inside = [Bool](repeating: false, count: text.count)
    var index = 0
    while index < text.count {
      let end = text.endOfURL(at: index)
      for part in index..<max(end, index) { inside[part] = true }
      index = max(end, index + 1)
    }
    return inside
  }
}

extension ProbedText {
  fileprivate var wordMembership: [Bool] {
    characters.indices.map { index in
      let character = characters[index]
      if character.isWordPart { return true }
      guard character == "'" || character == "’", index > 0, index + 1 < count else { return false }
      return characters[index - 1].properties.isAlphabetic
        && characters[index + 1].properties.isAlphabetic
    }
  }

  /// Where the URL that begins at `start` ends; `start` itself if none does.
  fileprivate func endOfURL(at start: Int) -> Int {
    guard start == 0 || !characters[start - 1].isWordPart,
      let scheme = Self.urlBeginnings.first(where: { characters[start...].starts(with: $0) })
    else { return start }
    var end = start
    while end < count, !characters[end].properties.isWhitespace, !"\"<>“”".contains(characters[end])
    {
      end += 1
    }
    while end > start, ".,;:!?)]}'*".contains(characters[end - 1]) { end -= 1 }
    return end - start > scheme.count ? end : start
  }

  private static let urlBeginnings = ["http://", "https://", "ftp://", "www.", "mailto:"].map {
    Array($0.unicodeScalars)
  }
}

extension String {
  fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool { unicodeScalars.contains(scalar) }
}

extension Unicode.Scalar {
  /// A letter (with its accents), a digit or an underscore.
  var isWordPart: Bool {
    if value < 0x80 {
      return (0x30...0x39).contains(value) || (0x41...0x5A).contains(value)
        || (0x61...0x7A).contains(value) || value == 0x5F
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .nonspacingMark, .spacingMark:
      return true
    default: return false
    }
  }
}
