import Interchange

/// A model's n-grams in the order in which a tree numbers them, too many perhaps for memory.
///
/// Node 0 is the empty n-gram; then come those of order 1, by token, and so on; within an order by
/// context and then by token.
struct NGramTables {
  struct Node: BitwiseCopyable {
    let word: Int32
    /// log₁₀ p.
    let logProbability: Float
    /// The node of the longest n-gram that ends this one.
    let suffix: UInt32
  }

  /// What a node below the highest order has besides.
  struct Tail: BitwiseCopyable {
    /// log₁₀.
    let backoff: Float
    /// The node at which its children begin; those of the next node's end them.
    let firstChild: UInt32
  }

  /// By order, from 1.
  private(set) var nodes: [Spool<Node>] = []
  /// By order, from 0, the highest left out.
  private(set) var tails: [Spool<Tail>] = []

  /// The highest order.
  var order: Int { nodes.count }
  /// How many n-grams there are, by order from 1.
  var counts: [Int] { nodes.map(\.count) }
  /// Where an order's nodes begin; order 0 is the root.
  func start(order: Int) -> Int { order == 0 ? 0 : counts[..<(order - 1)].reduce(1, +) }

  /// Adds the next order.
  mutating func append(_ nodes: Spool<Node>, contexts: Spool<Tail>) {
    self.nodes.append(nodes)
    tails.append(contexts)
  }
}
