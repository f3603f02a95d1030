import Tensors

/// Makes a tree of n-grams that come order by order, where suffixes aren't known.
struct NGramTreeBuilder {
  private let nodes: NGramNodes
  private var order = 0

  /// - Parameter counts: how many n-grams will come, by order from 1.
  init(counts: [Int]) { nodes = NGramNodes(counts: counts) }

  /// The n-grams that have come so far; not to be asked any more after others have come.
  var tree: NGramTree { NGramTree(nodes, order: order) }

  /// Adds the next order. Order 1 holds every token, by number, and the beginning of a sentence.
  ///
  /// - Parameters:
  ///   - parents: nodes of the order before, ascending; for each the words ascend.
  mutating func append<Entries: Collection>(
    _ entries: Entries,
    _ value: (Entries.Element) -> (
      parent: Int32, word: Int32, logProbability: Float, backoff: Float
    )
  ) {
    let known = tree
    let start = nodes.starts[order + 1]
    var context = nodes.starts[order]
    var node = start
    for entry in entries {
      let (parent, word, logProbability, backoff) = value(entry)
      while context <= parent {
        nodes.inner[context].firstChild = UInt32(node)
        context += 1
      }
      nodes.set(
        node, word: word, logProbability: logProbability,
        suffix: UInt32(suffix(of: parent, word, in: known)))
      if node < nodes.innerCount { nodes.inner[node].backoff = backoff }
      node += 1
    }
    require(node == nodes.starts[order + 2], "there are fewer n-grams than were said to come")
    while context < start {
      nodes.inner[context].firstChild = UInt32(node)
      context += 1
    }
    // Ends the children of the last context.
    nodes.inner[min(start, nodes.innerCount)].firstChild = UInt32(node)
    order += 1
  }

  private func suffix(of parent: Int32, _ word: Int32, in tree: NGramTree) -> Int32 {
    if parent == NGramTree.root { return NGramTree.root }
    var shorter = tree.suffix(of: parent)
    while true {
      if let node = tree.child(of: shorter, word) { return node }
      shorter = tree.suffix(of: shorter)
    }
  }
}
