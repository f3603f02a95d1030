/// A value made of tensors: what goes into a cell, what comes out, what it remembers.
///
/// `Tensor` is the simplest; a cell with more than one has a struct for them, as `LSTMState`.
public protocol TensorGroup: Sendable {
  /// The tensors, in a fixed order.
  var tensors: [Tensor] { get }
  /// The same structure with other tensors.
  ///
  /// - Precondition: as many as `tensors` has.
  func replacing(_ tensors: [Tensor]) -> Self
}

extension Tensor: TensorGroup {
  public var tensors: [Tensor] { [self] }
  public func replacing(_ tensors: [Tensor]) -> Tensor { tensors[0] }
}

extension Array: TensorGroup where Element: TensorGroup {
  public var tensors: [Tensor] { flatMap(\.tensors) }
  public func replacing(_ tensors: [Tensor]) -> [Element] {
    var rest = tensors[...]
    return map { element in
      let count = element.tensors.count
      defer { rest = rest.dropFirst(count) }
      return element.replacing([Tensor](rest.prefix(count)))
    }
  }
}

extension TensorGroup {
  /// The same structure with every tensor transformed.
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    replacing(tensors.map { transform($0) } as [Tensor])
  }

  /// The same numbers, through which no gradient flows: where truncated BPTT cuts.
  public var detached: Self { mapTensors { $0.detached } }
}
