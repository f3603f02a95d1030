import Interchange

/// The n-grams of one order, one after the other, with their words.
///
/// A place in each lower order moves along: the nodes of an order stand by their contexts.
struct NGramSequence {
  private struct Place {
    let nodes: Spool<NGramTables.Node>.Reader
    let tails: Spool<NGramTables.Tail>.Reader
    /// Where the children of the place's node end.
    var end: Int
    /// What follows that node.
    var following: NGramTables.Tail?
  }

  private let nodes: Spool<NGramTables.Node>.Reader
  private var number: Int
  /// By order, from 1, below the sequence's own.
  private var places: [Place]
  /// Of the n-gram that was read last.
  private(set) var words: [Int32]

  init(_ tables: NGramTables, order: Int) {
    nodes = tables.nodes[order - 1].reader()
    number = tables.start(order: order) - 1
    words = [Int32](repeating: 0, count: order)
    // A place begins before its first node, whose children can't end before they begin.
    places = (1..<order).map { lower in
      Place(
        nodes: tables.nodes[lower - 1].reader(), tails: tables.tails[lower].reader(),
        end: tables.start(order: lower + 1), following: nil)
    }
    contextNumbers = (1..<order).map { tables.start(order: $0) - 1 }
    ends = (1..<order).map { tables.start(order: $0 + 2) }
  }

  private var contextNumbers: [Int]
  /// Where all children of an order end.
  private let ends: [Int]

  /// - Throws: `FileError`.
  mutating func next() throws(FileError) -> NGramTables.Node? {
    guard let node = try nodes.next() else { return nil }
    number += 1
    try moveContext(order: words.count - 1, to: number)
    words[words.count - 1] = node.word
    return node
  }

  /// Moves an order's place to the node whose children include `child`.
  private mutating func moveContext(order: Int, to child: Int) throws(FileError) {
    guard order > 0 else { return }
    let index = order - 1
    while child >= places[index].end {
      guard let node = try places[index].nodes.next() else { return }
      contextNumbers[index] += 1
      words[index] = node.word
      if places[index].following == nil { _ = try places[index].tails.next() }
      places[index].following = try places[index].tails.next()
      places[index].end = places[index].following.map { Int($0.firstChild) } ?? ends[index]
    }
    try moveContext(order: order - 1, to: contextNumbers[index])
  }
}
