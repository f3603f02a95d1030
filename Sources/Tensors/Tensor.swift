/// An immutable array of Float32 numbers with a shape, row-major, and the operation that made it.
///
/// Operations on tensors that need gradients are recorded (see `Node`); `backward()` differentiates
/// them. Shapes must fit exactly; nothing broadcasts unless the code says so with `.broadcast`.
public struct Tensor: Sendable {
  public let shape: Shape
  package var storage: Storage
  package let offset: Int
  /// Which operation made this tensor, if gradients are to flow to it or it is a gathering.
  package var source: Source?
  /// True for weights: many products use them between two updates, so their packed form is kept.
  package var keepsPacked = false

  package struct Source: Sendable {
    package let node: Node
    package let output: Int
  }

  package init(storage: Storage, offset: Int = 0, shape: Shape, source: Source? = nil) {
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.source = source
  }

  /// A tensor whose elements `fill` writes, all of them, to the uninitialised buffer that it gets.
  public init(_ shape: Shape, fill: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
    storage = Storage(count: shape.count)
    offset = 0
    self.shape = shape
    try fill(storage.base)
  }

  /// - Precondition: as many values as the shape has elements.
  public init(_ values: some Collection<Float>, shape: Shape) {
    require(
      values.count == shape.count, "\(values.count) values don't fill a tensor of shape \(shape)")
    self.init(shape) { base in
      for (index, value) in values.enumerated() { base[index] = value }
    }
  }

  /// A scalar, of shape `[]`.
  public init(_ value: Float) { self.init([], repeating: value) }

  /// A tensor of one number, again and again.
  public init(_ shape: Shape, repeating value: Float) {
    self.init(shape) { $0.update(repeating: value, count: shape.count) }
  }

  /// A tensor of zeros.
  public init(zeros shape: Shape) { self.init(shape, repeating: 0) }

  /// Numbers drawn uniformly from [−bound, bound).
  public init(uniform shape: Shape, bound: Float, using generator: inout Philox) {
    self.init(shape) { base in
      for index in 0..<shape.count { base[index] = (generator.uniform() * 2 - 1) * bound }
    }
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The elements, row-major.
  public var values: [Float] { withValues { Array($0) } }

  /// The one element of a tensor that has one.
  public var item: Float {
    require(count == 1, "a tensor of shape \(shape) is no single number")
    return withValues { $0[0] }
  }

  /// Calls `body` with the elements, row-major. The buffer is valid during the call only.
  public func withValues<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.base + offset, count: count))
    }
  }

  /// The first element. Valid while this tensor's storage is alive: see `borrowing`.
  package var base: UnsafeMutablePointer<Float> { storage.base + offset }

  /// The same numbers, cut off from what made them: no gradient flows through.
  public var detached: Tensor { Tensor(storage: storage, offset: offset, shape: shape) }

  /// True if `backward()` from something made of this tensor reaches it or its makers.
  public var needsGradient: Bool { source?.node.needsGradient ?? false }

  /// Changes the numbers in place if nobody else holds them, or else in a copy.
  package mutating func update(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    if !isKnownUniquelyReferenced(&storage) || offset != 0 {
      self = Tensor(shape) { $0.update(from: base, count: count) }
    }
    storage.packed.withLock { $0.removeAll() }
    storage.quantized.withLock { $0 = nil }
    body(storage.base)
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    let shown = values.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor\(shape)(\(shown)\(count > 8 ? ", …" : ""))"
  }
}

/// Keeps the storage of a tensor alive while `body` works on its pointer.
package func borrowing<R>(_ tensor: Tensor?, body: () throws -> R) rethrows -> R {
  try withExtendedLifetime(tensor, body)
}

/// As above, for some tensors.
package func borrowing<R>(_ tensors: Tensor?..., body: () throws -> R) rethrows -> R {
  try withExtendedLifetime(tensors, body)
}
