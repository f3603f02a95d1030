import Synchronization

/// A trainable tensor: the one thing in a model that changes.
///
/// Its value may be read while it is being replaced: a reader keeps the numbers that it got.
public final class Parameter: Sendable {
  private let current: Mutex<Tensor>
  let leaf: Node
  public let shape: Shape

  public init(_ value: Tensor) {
    shape = value.shape
    leaf = Node(leaf: value.shape)
    current = Mutex(value.detached)
  }

  /// The numbers, as a tensor for which `backward()` answers.
  public var tensor: Tensor {
    var value = current.withLock { $0 }
    value.source = Tensor.Source(node: leaf, output: 0)
    value.keepsPacked = true
    return value
  }

  /// The numbers.
  ///
  /// - Precondition: a new value has the same shape.
  public var value: Tensor {
    get { current.withLock { $0 } }
    set {
      require(newValue.shape == shape, "a value of shape \(newValue.shape), not \(shape)")
      current.withLock { $0 = newValue.detached }
    }
  }

  /// Changes the numbers in place, unless somebody still reads them: then in a copy.
  package func update(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    current.withLock { $0.update(body) }
  }

  /// The transpose of a matrix, for `times`.
  public var transposed: Transposed { tensor.transposed }
  /// This vector, added to or multiplied with every row.
  public var broadcast: Broadcast { tensor.broadcast }
}

/// Something with trainable parameters: a cell, a layer, a model.
public protocol Parameterized: Sendable {
  /// All parameters, each with a name that is unique here. The order is part of the contract:
  /// optimisers and checkpoints rely on it.
  var parameters: [(name: String, parameter: Parameter)] { get }
}

extension Parameterized {
  /// By default, the stored properties that are parameters, or have some, in order of declaration.
  public var parameters: [(name: String, parameter: Parameter)] {
    Mirror(reflecting: self).children.flatMap { child -> [(name: String, parameter: Parameter)] in
      let label = child.label ?? ""
      if let parameter = child.value as? Parameter { return [(label, parameter)] }
      if let nested = child.value as? any Parameterized {
        return nested.parameters.map { ("\(label).\($0.name)", $0.parameter) }
      }
      return []
    }
  }

  /// The number of trainable numbers.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.shape.count } }
}
