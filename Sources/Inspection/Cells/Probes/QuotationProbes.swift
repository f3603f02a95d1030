/// Whether a text is inside quotes, and how deep in brackets.
extension Probe {
  /// In prose: after a quotation mark that opens, up to the one that closes it. Straight marks (")
  /// open and close by turns; “…”, „…“, «…» and »…« nest. A blank line closes all: a quotation
  /// that goes on for paragraphs is opened anew in each, and closed in the last only. Single quotes
  /// don't count, since an apostrophe looks the same.
  ///
  /// In source code: inside a string literal. A `"` in a comment or in '"' opens nothing.
  public static let insideQuotes = Probe.whether(
    "inside quotes", "Between quotation marks; in source code, in a string literal."
  ) { text in
    text.syntax == .c ? text.regions.map { $0 == .string } : text.quotations
  }

  /// Between round or square brackets. In source code, brackets in comments and literals don't
  /// count.
  public static let insideBrackets = Probe.whether(
    "inside brackets", "Between round or square brackets."
  ) { text in text.openBrackets { $0.contains { $0 != "}" } } }

  /// How many brackets are open, curly ones too.
  public static let bracketDepth = Probe(
    "bracket depth", .graded, "How many brackets are open, curly ones too."
  ) { text in text.openBrackets { Float($0.count) } }
}

extension ProbedText {
  /// The rules of prose, see `Probe.insideQuotes`.
  fileprivate var quotations: [Bool] {
    var inside = [Bool](repeating: false, count: count)
    var closers: [Unicode.Scalar] = []
    for line in lines {
      if isBlank(line) { closers = [] }
      for index in line {
        let mark = characters[index]
        if closers.last == mark {
          closers.removeLast()
        } else if let closer = Self.closer(of: mark) {
          closers.append(closer)
        }
        inside[index] = !closers.isEmpty
      }
    }
    return inside
  }

  private static func closer(of mark: Unicode.Scalar) -> Unicode.Scalar? {
    switch mark {
    case "\"": "\""
    case "“": "”"
    case "„": "“"
    case "«": "»"
    case "»": "«"
    default: nil
    }
  }

  /// What `label` makes of the brackets that are open after each character, each given by the one
  /// that closes it.
  ///
  /// A bracket that closes also closes those inside that were left open; one that closes nothing is
  /// passed over. What never closes ends with the paragraph, in source code with a `}` in the first
  /// column, which ends a function.
  fileprivate func openBrackets<Label>(_ label: ([Unicode.Scalar]) -> Label) -> [Label] {
    var open: [Unicode.Scalar] = []
    var labels: [Label] = []
    labels.reserveCapacity(count)
    for line in lines {
      if syntax == .prose, isBlank(line) { open = [] }
      for index in line {
        if regions[index] == .code { Self.follow(characters[index], &open) }
        if syntax == .c, index == line.lowerBound, characters[index] == "}" { open = [] }
        labels.append(label(open))
      }
    }
    return labels
  }

  private static func follow(_ character: Unicode.Scalar, _ open: inout [Unicode.Scalar]) {
    switch character {
    case "(": open.append(")")
    case "[": open.append("]")
    case "{": open.append("}")
    case ")", "]", "}":
      if let match = open.lastIndex(of: character) { open.removeSubrange(match...) }
    default: break
    }
  }
}
