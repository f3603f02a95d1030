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
/// Logarithms are to the base of 10, as in ARPA files.
///
/// - SeeAlso: C. Allauzen, M. Mohri, B. Roark, "Generalized Algorithms for Constructing Statistical
///   Language Models", ACL 2003, on backoff as failure transitions.
struct NGramTree: Sendable, Equatable {
  /// The empty n-gram.
  static let root: Int32 = 0

  private(set) var words: [Int32] = [-1]
  private(set) var logProbabilities: [Float] = [0]
  /// Of the nodes below the highest order.
  private(set) var backoffs: [Float] = [0]
  private(set) var suffixes: [Int32] = [0]
  /// Where the children of a node below the highest order begin; those of the next end them.
  private var firstChild: [Int32] = [1]
  /// Where each order's nodes begin, order 0 being the root; then the end of all.
  private(set) var starts = [0, 1]

  /// The highest order.
  var order: Int { starts.count - 2 }
  var count: Int { words.count }

  /// The nodes of an order.
  func nodes(order: Int) -> Range<Int> { starts[order]..<starts[order + 1] }

  /// Adds the next order. Order 1 holds every token, by number, and the beginning of a sentence.
  ///
  /// - Parameters:
  ///   - parents: nodes of the order before, ascending; for each the words ascend.
  ///   - suffixes: the longest suffixes; nil to look them up.
  mutating func append(
    parents: [Int32], words: [Int32], logProbabilities: [Float], suffixes: [Int32]?
  ) {
    require(count + parents.count < Int32.max, "\(count + parents.count) n-grams are too many")
    let contexts = nodes(order: order)
    firstChild.removeLast()
    var child = 0
    for context in contexts {
      firstChild.append(Int32(count + child))
      while child < parents.count, parents[child] == context { child += 1 }
    }
    require(child == parents.count, "n-grams aren't in the order of their contexts")
    firstChild.append(Int32(count + child))
    let links = suffixes ?? zip(parents, words).map { suffix(of: $0, $1) }
    self.words += words
    self.logProbabilities += logProbabilities
    self.suffixes += links
    starts.append(count)
    // The order before isn't the highest any more.
    backoffs += [Float](repeating: 0, count: contexts.upperBound - backoffs.count)
  }

  mutating func setBackoff(_ backoff: Float, of node: Int32) { backoffs[Int(node)] = backoff }

  private func suffix(of parent: Int32, _ word: Int32) -> Int32 {
    if parent == Self.root { return Self.root }
    var shorter = suffixes[Int(parent)]
    while true {
      if let node = child(of: shorter, word) { return node }
      shorter = suffixes[Int(shorter)]
    }
  }

  /// The n-gram of a context and a word; order 1 always has it.
  ///
  /// - Parameter node: a node below the highest order.
  /// - Complexity: O(log children).
  @inline(__always)
  func child(of node: Int32, _ word: Int32) -> Int32? {
    if node == Self.root { return word + 1 }
    let end = Int(firstChild[Int(node) + 1])
    var low = Int(firstChild[Int(node)])
    var high = end
    while low < high {
      let middle = (low + high) >> 1
      if words[middle] < word { low = middle + 1 } else { high = middle }
    }
    return low < end && words[low] == word ? Int32(low) : nil
  }

  /// log₁₀ p(word | context), and the context becomes what the word leaves of it.
  @inline(__always)
  func score(_ word: Int32, after context: inout Int32) -> Float {
    var score: Float = 0
    var node = context
    while true {
      if let found = child(of: node, word) {
        context = found < starts[order] ? found : suffixes[Int(found)]
        return score + logProbabilities[Int(found)]
      }
      score += backoffs[Int(node)]
      node = suffixes[Int(node)]
    }
  }

  /// log₁₀ p(w | context) of all V words.
  func scores(after context: Int32, vocabularySize: Int) -> [Float] {
    var chain = [(node: context, backoff: Float(0))]
    while let last = chain.last, last.node != Self.root {
      chain.append(
        (suffixes[Int(last.node)], last.backoff + backoffs[Int(last.node)]))
    }
    var scores = [Float](repeating: 0, count: vocabularySize)
    for (node, backoff) in chain.reversed() {
      for child in Int(firstChild[Int(node)])..<Int(firstChild[Int(node) + 1])
      where words[child] < vocabularySize {
        scores[Int(words[child])] = backoff + logProbabilities[child]
      }
    }
    return scores
  }

  /// The words of a node, first to last.
  func spelling(of node: Int, parents: [Int32]) -> [Int32] {
    var spelling: [Int32] = []
    var node = node
    while node != Self.root {
      spelling.append(words[node])
      node = Int(parents[node])
    }
    return spelling.reversed()
  }

  /// Each node's parent; the root is its own.
  func parents() -> [Int32] {
    var parents = [Int32](repeating: 0, count: count)
    for node in 0..<starts[order] {
      for child in Int(firstChild[node])..<Int(firstChild[node + 1]) {
        parents[child] = Int32(node)
      }
    }
    return parents
  }
}
