import Tensors

/// The order in which the gates of a cell stand in its weights: a gate is asked for by name.
public protocol GateOrder: CaseIterable, RawRepresentable, Sendable where RawValue == Int {}

/// The values of all gates, cut apart.
struct Gates<Order: GateOrder> {
  private let parts: [Tensor]

  /// - Parameter values: of all gates side by side, `[B, gates × H]`.
  init(_ values: Tensor) { parts = values.split(into: Order.allCases.count) }

  /// One gate's values, `[B, H]`.
  subscript(gate: Order) -> Tensor { parts[gate.rawValue] }
}
