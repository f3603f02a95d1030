/// A cell that comes with a fused form: its arithmetic is known by name.
protocol FusedCell: RecurrentCell {
  func fused(in mode: Mode) -> FusedUnfold
}

/// A core that is one fused cell after the other, from the bottom up.
protocol FusedCore {
  var fusedLayers: [FusedUnfold] { get }
}

extension FusedCell {
  var fusedLayers: [FusedUnfold] { [fused(in: .inference)] }
}

extension Stack: FusedCore where Layer: FusedCell {
  var fusedLayers: [FusedUnfold] { layers.map { $0.fused(in: .inference) } }
}
