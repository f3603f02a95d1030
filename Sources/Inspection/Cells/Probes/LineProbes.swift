/// Questions about lines. A line ends in a line feed, perhaps with a carriage return before it.
extension Probe {
  /// How many characters of the line have been read: 1 after its first one, 0 after its line feed.
  public static let positionInLine = Probe(
    "position in line", .graded, "Characters of the line that have been read; 0 at its line feed."
  ) { text in
    var position: Float = 0
    return text.characters.map { character in
      position = character == "\n" ? 0 : position + 1
      return position
    }
  }

  /// How many characters of the line are still to come, its line end (`\n` or `\r\n`) not counted.
  /// 0 at the line end; nil in a last line that has none.
  public static let distanceToLineEnd = Probe(
    "distance to line end", .graded, "Characters of the line that are still to come."
  ) { text in
    var labels = [Float?](repeating: nil, count: text.count)
    for line in text.lines where text.characters[line.upperBound - 1] == "\n" {
      var end = line.upperBound - 1
      if end > line.lowerBound, text.characters[end - 1] == "\r" { end -= 1 }
      for index in line { labels[index] = Float(max(end - 1 - index, 0)) }
    }
    return labels
  }

  /// The width of the white space that begins the line, a tab reaching to the next multiple of 8.
  /// Nil while that white space is being read, when it isn't known yet, and in blank lines.
  public static let indentation = Probe(
    "indentation depth", .graded,
    "Columns of white space that begin the line (tabs of 8), once they have been read."
  ) { text in
    var labels = [Float?](repeating: nil, count: text.count)
    for line in text.lines where !text.isBlank(line) {
      var width = 0
      var index = line.lowerBound
      while text.characters[index].properties.isWhitespace {
        width = text.characters[index] == "\t" ? (width / 8 + 1) * 8 : width + 1
        index += 1
      }
      for index in index..<line.upperBound { labels[index] = Float(width) }
    }
    return labels
  }

  /// Whether the next character is a given one; nil after the last.
  public static func ahead(_ character: Unicode.Scalar) -> Probe {
    let shown =
      switch character {
      case "\n": "line end"
      case " ": "space"
      case "\t": "tab"
      default: String(character)
      }
    return Probe("\(shown) ahead", .yesNo, "The next character is \(shown).") { text in
      text.characters.indices.map { index in
        index + 1 < text.count ? (text.isAhead(character, of: index) ? 1 : 0) : nil
      }
    }
  }
}

extension ProbedText {
  /// Whether a character comes next; `\r\n` is a line end as much as `\n` is.
  fileprivate func isAhead(_ character: Unicode.Scalar, of index: Int) -> Bool {
    let next = characters[index + 1]
    if character == "\n", next == "\r", index + 2 < count { return characters[index + 2] == "\n" }
    return next == character && !(character == "\n" && characters[index] == "\r")
  }
}
