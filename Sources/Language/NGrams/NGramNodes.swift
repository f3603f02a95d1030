import Interchange
import Tensors

/// The memory of a tree's nodes: its own, or that of a mapped file.
///
/// Sendable: nothing is written once the tree is made.
final class NGramNodes: @unchecked Sendable {
  /// A node below the highest order.
  struct Inner: BitwiseCopyable {
    var logProbability: Float
    var backoff: Float
    var suffix: UInt32
    /// Those of the next node end the children of this one.
    var firstChild: UInt32
  }

  /// A node of the highest order.
  struct Leaf: BitwiseCopyable {
    var logProbability: Float
    var suffix: UInt32
  }

  /// Where each order's nodes begin, order 0 being the root; then the end of all.
  let starts: [Int]
  /// The last word of each node; the root has −1.
  let words: UnsafeMutablePointer<Int32>
  /// One more than there are nodes, to end the children of the last.
  let inner: UnsafeMutablePointer<Inner>
  let leaves: UnsafeMutablePointer<Leaf>
  /// What the memory belongs to, if not to this.
  private let file: MappedFile?

  var order: Int { starts.count - 2 }
  var count: Int { starts[starts.count - 1] }
  var innerCount: Int { starts[starts.count - 2] }

  /// Room for so many n-grams, by order from 1; only the root is there.
  init(counts: [Int]) {
    starts = Self.starts(counts)
    let (count, innerCount) = (starts[starts.count - 1], starts[starts.count - 2])
    require(count < Int32.max, "\(count) n-grams are too many")
    words = .allocate(capacity: count)
    inner = .allocate(capacity: innerCount + 1)
    leaves = .allocate(capacity: max(1, count - innerCount))
    words[0] = -1
    let root = Inner(
      logProbability: 0, backoff: 0, suffix: UInt32(NGramTree.root), firstChild: 1)
    inner.update(repeating: root, count: innerCount + 1)
    inner[innerCount].firstChild = UInt32(count)
    file = nil
  }

  /// Nodes that lie in a file, which is at least as long as they need.
  init(
    counts: [Int], file: MappedFile, words: UnsafeRawPointer, inner: UnsafeRawPointer,
    leaves: UnsafeRawPointer
  ) {
    starts = Self.starts(counts)
    func bound<Element>(_ pointer: UnsafeRawPointer, _ type: Element.Type)
      -> UnsafeMutablePointer<Element>
    {
      UnsafeMutableRawPointer(mutating: pointer).assumingMemoryBound(to: type)
    }
    self.words = bound(words, Int32.self)
    self.inner = bound(inner, Inner.self)
    self.leaves = bound(leaves, Leaf.self)
    self.file = file
  }

  deinit {
    guard file == nil else { return }
    words.deallocate()
    inner.deallocate()
    leaves.deallocate()
  }

  /// All nodes of a model that was estimated.
  ///
  /// - Throws: `FileError`.
  convenience init(_ tables: NGramTables) throws(FileError) {
    self.init(counts: tables.counts)
    for order in 1...tables.order {
      let nodes = tables.nodes[order - 1].reader()
      for node in starts[order]..<starts[order + 1] {
        guard let entry = try nodes.next() else { break }
        set(
          node, word: entry.word, logProbability: entry.logProbability, suffix: entry.suffix)
      }
      let tails = tables.tails[order - 1].reader()
      for node in starts[order - 1]..<starts[order] {
        guard let tail = try tails.next() else { break }
        inner[node].backoff = tail.backoff
        inner[node].firstChild = tail.firstChild
      }
    }
  }

  /// Whether each order's first node has the first children of the next order, and the last n-gram
  /// a suffix: all zeros, as an interrupted copy leaves them, don't have that.
  ///
  /// - Complexity: O(order).
  var seemsWhole: Bool {
    guard words[0] == -1,
      (0...order).allSatisfy({ Int(inner[starts[$0]].firstChild) == starts[$0 + 1] })
    else { return false }
    // A single token has the empty n-gram as its suffix, which is number 0.
    return order == 1 || count == innerCount || leaves[count - innerCount - 1].suffix > 0
  }

  func set(_ node: Int, word: Int32, logProbability: Float, suffix: UInt32) {
    words[node] = word
    if node < innerCount {
      inner[node].logProbability = logProbability
      inner[node].suffix = suffix
    } else {
      leaves[node - innerCount] = Leaf(logProbability: logProbability, suffix: suffix)
    }
  }

  static func starts(_ counts: [Int]) -> [Int] {
    counts.reduce(into: [0, 1]) { $0.append($0[$0.count - 1] + $1) }
  }
}
