import Tensors

/// The laws that every cell obeys, as a check on any cell, a user's own too.
///
///     let violations = CellLaws.violations(of: cell, inputSize: 4)
///
/// Everything is computed on small sequences of random numbers with a fixed seed, so that the same
/// cell gets the same answer every time. The layer's parameters are changed while the check runs,
/// and have their values again afterwards: nobody else should use the layer meanwhile.
///
/// Equality is that of float32. A cell with weights so large that its state is chaotic multiplies
/// rounding errors too, and may fail laws 2, 4, 5 and 6 for no other fault: check it with the
/// weights that it starts from.
///
/// A layer that isn't a `RecurrentCell` (one that reads its sequence from both ends, say) has no
/// steps; then the laws that speak of steps aren't checked: all of `fusedUnfold` and `chunks`, and
/// the shorter windows of `truncation`.
public enum CellLaws {
  /// Makes random inputs, each tensor `[T, B, …]`, for a number of steps and a batch size.
  public typealias InputMaker<Input> = (
    _ steps: Int, _ batch: Int, _ generator: inout Philox
  ) -> Input

  /// Checks all laws on a layer whose input is one tensor `[T, B, I]`.
  ///
  /// - Parameter inputSize: I.
  /// - Returns: what was found, law by law; empty if all is well.
  public static func violations<Layer: Unfoldable>(of layer: Layer, inputSize: Int) -> [Violation]
  where Layer.Input == Tensor {
    violations(of: layer) { steps, batch, generator in
      Tensor(uniform: [steps, batch, inputSize], bound: 1, using: &generator)
    }
  }

  /// Checks all laws on a layer with any input.
  ///
  /// - Parameter inputs: makes inputs; a function of its arguments only.
  /// - Returns: what was found, law by law; empty if all is well.
  public static func violations<Layer: Unfoldable>(
    of layer: Layer, inputs: InputMaker<Layer.Input>
  ) -> [Violation] {
    let kept = layer.parameters.map { ($0.parameter, $0.parameter.value) }
    defer { for (parameter, value) in kept { parameter.value = value } }
    func trial(steps: Int, batch: Int) -> CellTrial<Layer> {
      CellTrial(layer, steps: steps, batch: batch, inputs: inputs)
    }
    return Law.allCases.flatMap { law in
      switch law {
      case .gradients: trial(steps: 4, batch: 3).gradientViolations()
      case .fusedUnfold: [1, 3, 17].flatMap { trial(steps: 5, batch: $0).fusedViolations() }
      case .zeroState: trial(steps: 3, batch: 3).zeroStateViolations()
      case .chunks: trial(steps: 7, batch: 3).chunkViolations()
      case .batches: trial(steps: 5, batch: 17).batchViolations()
      case .truncation: trial(steps: 5, batch: 3).truncationViolations()
      case .sameBytes:
        trial(steps: 3, batch: 3).savingViolations()
          + trial(steps: 3, batch: Self.sharedBatch(layer)).threadViolations()
      }
    }
  }

  /// Throws the first violation of a law by a layer whose input is one tensor `[T, B, I]`.
  public static func check<Layer: Unfoldable>(_ layer: Layer, inputSize: Int) throws(Violation)
  where Layer.Input == Tensor {
    if let first = violations(of: layer, inputSize: inputSize).first { throw first }
  }

  /// Throws the first violation of a law by a layer with any input.
  ///
  /// - Parameter inputs: makes inputs; a function of its arguments only.
  public static func check<Layer: Unfoldable>(
    _ layer: Layer, inputs: InputMaker<Layer.Input>
  ) throws(Violation) {
    if let first = violations(of: layer, inputs: inputs).first { throw first }
  }

  /// A batch for which one step is work enough (some 400,000 operations, two for each weight and
  /// row) to be divided among threads.
  private static func sharedBatch(_ layer: some Unfoldable) -> Int {
    min(max(200_000 / max(layer.parameterCount, 1), 3), 512)
  }
}
