import Recurrence
import Tensors
import Testing

/// DropConnect on recurrent weights.
@Suite struct DropConnectTests {
  enum Kind: CaseIterable { case elman, lstm, gru }

  private static let generator = Philox(seed: 12)
  private let inputs: Tensor = {
    var generator = Philox(seed: 11)
    return Tensor(uniform: [7, 3, 4], bound: 1, using: &generator)
  }()

  private func withCell(
    _ kind: Kind, dropout: Float,
    _ body: (any RecurrentCell, (Tensor, Mode) -> Tensor) throws -> Void
  ) rethrows {
    var generator = Philox(seed: 13)
    func check<Cell: RecurrentCell>(_ cell: Cell) throws
    where Cell.Input == Tensor, Cell.Output == Tensor {
      try body(cell) { unfold(cell, over: $0, mode: $1).outputs }
    }
    switch kind {
    case .elman:
      try check(
        ElmanCell(inputSize: 4, hiddenSize: 9, recurrentDropout: dropout, using: &generator))
    case .lstm:
      try check(
        LSTMCell(inputSize: 4, hiddenSize: 9, recurrentDropout: dropout, using: &generator))
    case .gru:
      try check(GRUCell(inputSize: 4, hiddenSize: 9, recurrentDropout: dropout, using: &generator))
    }
  }

  /// One mask for all steps: the same as a cell whose weights were dropped beforehand, unfolded
  /// without dropout; its gradient, masked once more, is that of the weights.
  @Test(arguments: Kind.allCases) func equalsACellWithDroppedWeights(kind: Kind) throws {
    var found: (outputs: Tensor, gradients: [Tensor?])?
    var weights: Tensor?
    withCell(kind, dropout: 0.4) { cell, unfold in
      let outputs = unfold(inputs, .training(Self.generator))
      let gradients = (outputs * outputs).sum().backward()
      found = (outputs, cell.parameters.map { gradients[$0.parameter] })
      weights = cell.parameters[1].parameter.value
    }
    let original = try #require(weights)
    let dropped = original.dropout(0.4, using: Self.generator)
    let zeros = dropped.values.count { $0 == 0 }
    #expect(zeros > dropped.count / 4 && zeros < dropped.count / 2 + dropped.count / 10)
    try withCell(kind, dropout: 0) { cell, unfold in
      #expect(cell.parameters[1].name == "weight_hh")
      cell.parameters[1].parameter.value = dropped
      let outputs = unfold(inputs, .inference)
      let gradients = (outputs * outputs).sum().backward()
      let (foundOutputs, foundGradients) = try #require(found)
      #expect(relativeDifference(foundOutputs, outputs) < 1e-6)
      for (index, entry) in cell.parameters.enumerated() {
        var expected = try #require(gradients[entry.parameter])
        if index == 1 { expected = expected * (dropped / original).detached }
        let difference = relativeDifference(try #require(foundGradients[index]), expected)
        #expect(difference < 1e-5, "\(entry.name)")
      }
    }
  }

  @Test(arguments: Kind.allCases) func actsInTrainingOnly(kind: Kind) throws {
    var plain: [Float] = []
    withCell(kind, dropout: 0) { plain = $1(inputs, .inference).values }
    withCell(kind, dropout: 0.4) {
      #expect($1(inputs, .inference).values == plain)
      #expect($1(inputs, .training(Self.generator)).values != plain)
    }
  }
}
