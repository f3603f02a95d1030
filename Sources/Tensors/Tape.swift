/// One recorded operation: what it was made from, and how gradients flow back through it.
///
/// The nodes form the tape, a graph that is kept alive by the tensors that came out of it.
/// `Tensor.backward()` walks it from the result to the leaves.
///
/// Unchecked: changed only by its release, when nobody else has it.
package final class Node: @unchecked Sendable {
  /// Passes the gradients of the outputs (nil where nothing used that output) on to the inputs.
  package typealias Pullback = @Sendable ([Tensor?], inout GradientSink) -> Void

  private(set) var inputs: [Tensor.Source?]
  let shapes: [Shape]
  /// The longest way to a leaf. An operation's inputs are always less deep than itself.
  let depth: Int
  let needsGradient: Bool
  private(set) var pullback: Pullback?
  /// For a gathering of rows: from what, and which. A fused unfold multiplies the table instead.
  package private(set) var lookup: Lookup?

  init(
    inputs: [Tensor.Source?], shapes: [Shape], needsGradient: Bool, lookup: Lookup? = nil,
    pullback: Pullback?
  ) {
    self.inputs = inputs
    self.shapes = shapes
    self.needsGradient = needsGradient
    self.lookup = lookup
    self.pullback = pullback
    depth = inputs.reduce(0) { max($0, ($1?.node.depth ?? -1) + 1) }
  }

  /// A leaf: a tensor whose gradient the caller wants.
  convenience init(leaf shape: Shape) {
    self.init(inputs: [], shapes: [shape], needsGradient: true, pullback: nil)
  }

  /// Releases the nodes that only this one has kept alive, and those that only they have, one by
  /// one: if each released its inputs itself, a long chain would overflow the stack.
  deinit {
    var nodes = dismantled()
    while var node = nodes.popLast() {
      if isKnownUniquelyReferenced(&node) { nodes += node.dismantled() }
    }
  }

  /// The nodes that this one has kept alive, after it has let go of them.
  private func dismantled() -> [Node] {
    guard !inputs.isEmpty || lookup != nil else { return [] }
    let kept = inputs.compactMap { $0?.node } + [lookup?.table.source?.node].compactMap { $0 }
    (inputs, pullback, lookup) = ([], nil, nil)
    return kept
  }
}

/// Rows of a table: `table[rows[i]]`.
package struct Lookup: Sendable {
  package let table: Tensor
  package let rows: [Int32]

  package init(table: Tensor, rows: [Int32]) {
    self.table = table
    self.rows = rows
  }
}

/// Whether operations are recorded.
package enum Recording {
  @TaskLocal package static var isOn = true
}

/// Runs `body` without recording operations: for evaluation, where no gradient is wanted.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
  try Recording.$isOn.withValue(false, operation: body)
}

extension Tensor {
  /// The same numbers as a leaf, for whose gradient `backward()` will answer.
  public var watched: Tensor {
    Tensor(
      storage: storage, offset: offset, shape: shape,
      source: Source(node: Node(leaf: shape), output: 0))
  }

  /// Marks tensors as the outputs of an operation on `inputs`, if one of these needs a gradient.
  package static func record(
    _ outputs: [Tensor], from inputs: [Tensor], pullback: @escaping Node.Pullback
  ) -> [Tensor] {
    guard Recording.isOn, inputs.contains(where: \.needsGradient) else { return outputs }
    let node = Node(
      inputs: inputs.map { $0.needsGradient ? $0.source : nil }, shapes: outputs.map(\.shape),
      needsGradient: true, pullback: pullback)
    return outputs.enumerated().map { index, output in
      Tensor(
        storage: output.storage, offset: output.offset, shape: output.shape,
        source: Source(node: node, output: index))
    }
  }

  /// As `record`, for an operation with one output.
  package func recorded(
    from inputs: Tensor..., pullback: @escaping @Sendable (Tensor, inout GradientSink) -> Void
  ) -> Tensor {
    Tensor.record([self], from: inputs) { gradients, sink in
      if let gradient = gradients[0] { pullback(gradient, &sink) }
    }[0]
  }

  /// The gradients of this scalar with respect to all parameters and watched tensors behind it.
  ///
  /// - Precondition: one element. For another tensor give the gradient to start from.
  public func backward() -> Gradients {
    require(count == 1, "backward() starts from one number, not from shape \(shape)")
    return backward(from: Tensor(shape, repeating: 1))
  }

  /// The gradients of the sum of this tensor's elements, each multiplied by that of `seed`.
  public func backward(from seed: Tensor) -> Gradients {
    require(seed.shape == shape, "a gradient of shape \(seed.shape) for one of \(shape)")
    guard let source, source.node.needsGradient else { return Gradients(byLeaf: [:]) }
    var sink = GradientSink()
    sink.add(seed, to: source)
    return sink.propagated(from: source.node)
  }
}

/// The gradients that `backward()` found.
public struct Gradients: Sendable {
  package var byLeaf: [ObjectIdentifier: Tensor]
  /// Kept alive, lest another leaf be taken for one of them.
  private let leaves: [Node]

  package init(byLeaf: [ObjectIdentifier: Tensor], leaves: [Node] = []) {
    self.byLeaf = byLeaf
    self.leaves = leaves
  }

  /// The gradient for a watched tensor, or nil if the result doesn't depend on it.
  public subscript(tensor: Tensor) -> Tensor? {
    tensor.source.flatMap { byLeaf[ObjectIdentifier($0.node)] }
  }

  /// The gradient for a parameter, or nil if the result doesn't depend on it.
  public subscript(parameter: Parameter) -> Tensor? {
    get { byLeaf[ObjectIdentifier(parameter.leaf)] }
    set { byLeaf[ObjectIdentifier(parameter.leaf)] = newValue }
  }
}

/// Collects gradients on their way back.
package struct GradientSink {
  /// Per node that has been reached but not yet walked through, the gradients of its outputs.
  private var pending: [ObjectIdentifier: [Tensor?]] = [:]
  private var nodesByDepth: [[Node]] = []
  /// Per leaf, products leftᵀ·right that are still to be added to its gradient.
  private var products: [ObjectIdentifier: [(left: Tensor, right: Tensor)]] = [:]
  private var inputs: [Tensor.Source?] = []

  /// True if the operation's input number `index` wants a gradient.
  package func wants(_ index: Int) -> Bool { inputs[index] != nil }

  /// Adds a gradient for the whole of input number `index`.
  package mutating func add(_ gradient: Tensor, toInput index: Int) {
    if let source = inputs[index] { add(gradient, to: source) }
  }

  /// Adds a gradient for a contiguous part of input number `index`, `start` elements into it.
  package mutating func add(_ gradient: Tensor, toInput index: Int, at start: Int) {
    guard let source = inputs[index] else { return }
    let shape = source.node.shapes[source.output]
    if gradient.count == shape.count {
      return add(gradient.reshapedValues(shape), to: source)
    }
    var total = reach(source) ?? Tensor(zeros: shape)
    pending[ObjectIdentifier(source.node)]?[source.output] = nil
    let n = gradient.count
    total.update { base in
      borrowing(gradient) { Compute.kernels.add(n, base + start, gradient.base, base + start) }
    }
    pending[ObjectIdentifier(source.node)]?[source.output] = total
  }

  /// Adds leftᵀ·right, `[R, M]` and `[R, N]` → `[M, N]`, to the gradient of input number `index`.
  ///
  /// For a leaf, the weights of a cell, this waits for the products of all other time steps: one
  /// product of many rows is much faster than many of few.
  package mutating func addProduct(_ left: Tensor, _ right: Tensor, toInput index: Int) {
    guard let source = inputs[index] else { return }
    guard source.node.pullback == nil else {
      return add(left.detached.transposed.times(right.detached), to: source)
    }
    _ = reach(source)
    products[ObjectIdentifier(source.node), default: []].append((left.detached, right.detached))
  }

  /// The sum of the products that have been collected for a leaf.
  private mutating func takeProducts(for leaf: Node) -> Tensor? {
    guard let pairs = products.removeValue(forKey: ObjectIdentifier(leaf)) else { return nil }
    return joined(pairs.map(\.left)).transposed.times(joined(pairs.map(\.right)))
  }

  fileprivate mutating func add(_ gradient: Tensor, to source: Tensor.Source) {
    let id = ObjectIdentifier(source.node)
    guard var total = reach(source) else {
      pending[id]?[source.output] = gradient.detached
      return
    }
    pending[id]?[source.output] = nil
    let n = gradient.count
    total.update { base in
      borrowing(gradient) {
        forChunks(of: n) { range in
          let at = range.lowerBound
          Compute.kernels.add(range.count, base + at, gradient.base + at, base + at)
        }
      }
    }
    pending[id]?[source.output] = total
  }

  /// Notes that a node has been reached; the gradient collected for this output so far.
  private mutating func reach(_ source: Tensor.Source) -> Tensor? {
    let node = source.node
    if let collected = pending[ObjectIdentifier(node)] { return collected[source.output] }
    pending[ObjectIdentifier(node)] = Array(repeating: nil, count: node.shapes.count)
    while nodesByDepth.count <= node.depth { nodesByDepth.append([]) }
    nodesByDepth[node.depth].append(node)
    return nil
  }

  /// Walks from the deepest node to the leaves. A node's gradient is whole when its turn comes,
  /// since all users of its outputs are deeper.
  fileprivate mutating func propagated(from root: Node) -> Gradients {
    var byLeaf: [ObjectIdentifier: Tensor] = [:]
    var leaves: [Node] = []
    for depth in stride(from: root.depth, through: 0, by: -1) {
      while let node = nodesByDepth[depth].popLast() {
        let gradients = pending.removeValue(forKey: ObjectIdentifier(node)) ?? []
        if let pullback = node.pullback {
          inputs = node.inputs
          pullback(gradients, &self)
        } else {
          let parts = [gradients.first ?? nil, takeProducts(for: node)].compactMap { $0 }
          guard let first = parts.first else { continue }
          byLeaf[ObjectIdentifier(node)] = parts.dropFirst().reduce(first, +)
          leaves.append(node)
        }
      }
    }
    return Gradients(byLeaf: byLeaf, leaves: leaves)
  }
}
