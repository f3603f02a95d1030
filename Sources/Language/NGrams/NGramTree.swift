import Interchange
import Tensors

/// N-grams with their log-probabilities and backoffs, as a tree that is also an automaton.
///
/// A node is an n-gram; its parent is its context. Nodes are numbered by order, and within an order
/// by parent and token, so that the children of a node are neighbours and need only a first index.
/// Each node also knows its suffix, the longest n-gram in the tree that ends it: to back off is to
/// follow that link, and no context is ever looked up twice.
///
///     log p(w | h) = log p(h w)            if the tree holds h w
///                  = bow(h) + log p(w | h′)  otherwise; bow(h) = 0 if the tree lacks h
///
/// Logarithms are to the base of 10, as in ARPA files. The nodes may be those of a mapped file, of
/// which little but its size has been checked: whatever they hold, no question leaves their memory,
/// and each ends.
///
/// - SeeAlso: C. Allauzen, M. Mohri, B. Roark, "Generalized Algorithms for Constructing Statistical
///   Language Models", ACL 2003, on backoff as failure transitions.
struct NGramTree: Sendable {
  /// The empty n-gram.
  static let root: Int32 = 0
  /// As large as log₁₀ of a backoff may be.
  ///
  /// A backoff is what a context leaves of its probability, at most 1, over what the shorter context
  /// leaves of the same words; single precision doesn't tell less than 2⁻²⁴ of that from nothing, so
  /// that the quotient's logarithm is at most 7.2. Above 10 there is a mistake.
  static let largestBackoff: Float = 10

  private let nodes: NGramNodes
  /// Where each order's nodes begin, order 0 being the root; then the end of all.
  let starts: [Int]
  private let innerCount: Int32

  /// - Parameter order: the highest order that is asked for, where more nodes follow.
  init(_ nodes: NGramNodes, order: Int? = nil) {
    self.nodes = nodes
    starts = Array(nodes.starts[...((order ?? nodes.order) + 1)])
    innerCount = Int32(nodes.innerCount)
  }

  /// The highest order.
  var order: Int { starts.count - 2 }
  var count: Int { starts[starts.count - 1] }

  /// The nodes of an order.
  func nodes(order: Int) -> Range<Int> { starts[order]..<starts[order + 1] }

  /// The n-gram of a context and a word; order 1 always has it.
  ///
  /// - Parameter node: a node below the highest order.
  /// - Complexity: O(log children).
  @inline(__always)
  func child(of node: Int32, _ word: Int32) -> Int32? {
    if node == Self.root { return word + 1 }
    let children = children(of: node)
    var low = children.lowerBound
    var length = children.count
    // Without a branch that depends on the comparison, which nobody can predict.
    while length > 1 {
      let half = length >> 1
      low = nodes.words[low + half] <= word ? low + half : low
      length -= half
    }
    return length == 1 && nodes.words[low] == word ? Int32(truncatingIfNeeded: low) : nil
  }

  /// The children of a node below the highest order.
  @inline(__always)
  func children(of node: Int32) -> Range<Int> {
    let begin = Int(nodes.inner[Int(node)].firstChild)
    let end = min(Int(nodes.inner[Int(node) + 1].firstChild), nodes.count)
    return min(begin, end)..<end
  }

  /// The longest n-gram that ends a node: one below the highest order, with a smaller number.
  @inline(__always)
  func suffix(of node: Int32) -> Int32 {
    let isInner = node < innerCount
    let suffix =
      isInner
      ? nodes.inner[Int(node)].suffix : nodes.leaves[Int(node - innerCount)].suffix
    return suffix < UInt32(bitPattern: isInner ? node : innerCount)
      ? Int32(bitPattern: suffix) : Self.root
  }

  @inline(__always)
  func logProbability(of node: Int32) -> Float {
    node < innerCount
      ? nodes.inner[Int(node)].logProbability
      : nodes.leaves[Int(node - innerCount)].logProbability
  }

  /// log₁₀ p(word | context), and the context becomes what the word leaves of it.
  @inline(__always)
  func score(_ word: Int32, after context: inout Int32) -> Float {
    var score: Float = 0
    var node = context
    while true {
      if let found = child(of: node, word) {
        context = found < innerCount ? found : suffix(of: found)
        return score + logProbability(of: found)
      }
      score += nodes.inner[Int(node)].backoff
      node = suffix(of: node)
    }
  }

  /// log₁₀ p(w | context) of all V words.
  func scores(after context: Int32, vocabularySize: Int) -> [Float] {
    var chain = [(node: context, backoff: Float(0))]
    while let last = chain.last, last.node != Self.root {
      chain.append(
        (suffix(of: last.node), last.backoff + nodes.inner[Int(last.node)].backoff))
    }
    var scores = [Float](repeating: -99, count: vocabularySize)
    for (node, backoff) in chain.reversed() {
      for child in children(of: node) {
        let word = Int(nodes.words[child])
        guard scores.indices.contains(word) else { continue }
        scores[word] = backoff + logProbability(of: Int32(child))
      }
    }
    return scores
  }

  /// The words of a node, first to last.
  ///
  /// - Complexity: O(nodes).
  func spelling(of node: Int) -> [Int32] {
    var spelling: [Int32] = []
    var node = node
    for order in stride(
      from: (1...order).first { nodes(order: $0).contains(node) } ?? 0, to: 0, by: -1)
    {
      spelling.append(nodes.words[node])
      node =
        nodes(order: order - 1).last { children(of: Int32($0)).contains(node) }
        ?? Int(Self.root)
    }
    return spelling.reversed()
  }

  /// All nodes, to be written.
  ///
  /// - Throws: ``NGramFileError/damaged(file:reason:)`` if they don't make a tree, or hold numbers
  ///   that no ARPA file may.
  func tables(_ scratch: Scratch, name: String) throws -> NGramTables {
    func damaged(_ reason: String) -> NGramFileError { .damaged(file: name, reason: reason) }
    var tables = NGramTables()
    for order in 1...order {
      let (table, tails) = (Spool<NGramTables.Node>(scratch), Spool<NGramTables.Tail>(scratch))
      for node in nodes(order: order) {
        guard (0..<Int32(nodes(order: 1).count)).contains(nodes.words[node]) else {
          throw damaged("it holds a word without a spelling")
        }
        let (logProbability, suffix) = (
          logProbability(of: Int32(node)), suffix(of: Int32(node))
        )
        guard logProbability.isFinite, logProbability <= 0 else {
          throw damaged("it holds the log-probability \(logProbability)")
        }
        try table.append(
          .init(
            word: nodes.words[node], logProbability: logProbability, suffix: UInt32(suffix)))
      }
      var end = nodes(order: order).lowerBound
      for node in nodes(order: order - 1) {
        let inner = nodes.inner[node]
        guard Int(inner.firstChild) >= end, Int(inner.firstChild) <= starts[order + 1] else {
          throw damaged("its n-grams have no order")
        }
        guard inner.backoff.isFinite, inner.backoff <= Self.largestBackoff else {
          throw damaged("it holds the backoff \(inner.backoff)")
        }
        end = Int(inner.firstChild)
        try tails.append(.init(backoff: inner.backoff, firstChild: inner.firstChild))
      }
      tables.append(table, contexts: tails)
    }
    return tables
  }
}
