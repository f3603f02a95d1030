/// A line of a section.
struct ARPAEntry {
  let line: UnsafeRawBufferPointer
  /// Where the words stand in it, from index 1; as many as the order.
  let words: ArraySlice<Range<Int>>
  let logProbability: Float
  /// 0 where there is none.
  let backoff: Float
}

extension ARPALines {
  /// Reads the section of an order, its heading first, and checks all but the words.
  ///
  /// - Parameters:
  ///   - declared: how many n-grams there are said to be, by order from 1.
  ///   - body: gets each line, and these lines for its errors.
  /// - Returns: the number of the first line after the heading.
  mutating func readSection(
    order: Int, of declared: [Int], _ body: (ARPALines, ARPAEntry) throws -> Void
  ) throws -> Int {
    guard let heading = nextFilled() else { throw error(.truncated) }
    guard Self.text(heading) == "\\\(order)-grams:" else {
      throw error(.missingSection(order: order, found: Self.text(heading)))
    }
    let first = number + 1
    var fields: [Range<Int>] = []
    for found in 0..<declared[order - 1] {
      guard let line = next() else { throw error(.truncated) }
      Self.split(line, into: &fields)
      if fields.isEmpty || (fields.count == 1 && line[fields[0].lowerBound] == Self.backslash) {
        throw error(.tooFew(order: order, declared: declared[order - 1], found: found))
      }
      try body(self, entry(line, fields, order: order, isHighest: order == declared.count))
    }
    var ahead = self
    if let line = ahead.next(), let start = Self.trimmed(line).first, start != Self.backslash {
      throw ahead.error(.tooMany(order: order, declared: declared[order - 1]))
    }
    return first
  }

  private static let backslash = UInt8(ascii: "\\")

  private func entry(
    _ line: UnsafeRawBufferPointer, _ fields: [Range<Int>], order: Int, isHighest: Bool
  ) throws -> ARPAEntry {
    guard fields.count == order + 1 || fields.count == order + 2 else {
      throw error(.fieldCount(order: order, found: fields.count))
    }
    let logProbability = try number(line, fields[0])
    func text(_ field: Int) -> String { Self.text(.init(rebasing: line[fields[field]])) }
    if logProbability.isNaN { throw error(.notANumber(text(0))) }
    if logProbability > 0 { throw error(.positiveLogProbability(text(0))) }
    var kept = Float(logProbability)
    if !kept.isFinite {
      // KenLM has written -inf for the logarithm of 0, for which others write −99. An infinity would
      // end in “not a number” when backoffs are added.
      guard text(0) == "-inf" else { throw error(.hugeLogProbability(text(0))) }
      kept = -99
    }
    var backoff = 0.0
    if fields.count == order + 2 {
      backoff = try number(line, fields[order + 1])
      guard Float(backoff).isFinite else { throw error(.invalidBackoff(text(order + 1))) }
      guard Float(backoff) <= NGramTree.largestBackoff else {
        throw error(.largeBackoff(text(order + 1)))
      }
      guard !isHighest || backoff == 0 else {
        throw error(.backoffAtHighestOrder(text(order + 1)))
      }
    }
    return ARPAEntry(
      line: line, words: fields[1...order], logProbability: kept, backoff: Float(backoff))
  }

  private func number(_ line: UnsafeRawBufferPointer, _ field: Range<Int>) throws -> Double {
    let bytes = UnsafeRawBufferPointer(rebasing: line[field])
    guard let value = decimalNumber(bytes) else { throw error(.notANumber(Self.text(bytes))) }
    return value
  }
}
