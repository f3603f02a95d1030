import Language

extension GradientVerdict {
  /// What to try, most promising first: what is of use to this cell, with the option of
  /// `unfold train` or the name in the library that does it.
  public var advice: [String] {
    switch kind {
    case .healthy: []
    case .exploding: againstExploding
    case .vanishing: againstVanishing
    }
  }

  private var againstExploding: [String] {
    let limits = [
      "limit the gradients’ norm more tightly (unfold train --clip-norm 0.25; its default is 1)",
      "lower the learning rate (--learning-rate)",
      "let gradients flow back over fewer steps (--window)",
    ]
    let start =
      "in the library, start with smaller recurrent matrices: "
      + "CellInitialiser(input: .glorotUniform, recurrent: .orthogonal(gain: 0.9))"
    let bounded: [String] =
      switch cell {
      case .elmanReLU:
        ["use a cell that keeps its state within bounds (unfold train --cell lstm, gru or elman)"]
      case .elman:
        ["use a cell whose gates hold the state within bounds (unfold train --cell lstm or gru)"]
      case .lstm, .gru, nil: []
      }
    // Against a state that grows by itself limits of the gradient are of no use.
    return overflow == nil ? limits + bounded + [start] : bounded + [start, limits[1]]
  }

  private var againstVanishing: [String] {
    let own: [String] =
      switch cell {
      case .elman:
        [
          "use a cell whose state can pass a step unchanged (unfold train --cell lstm or gru)",
          "in the library, start with an orthogonal recurrent matrix: CellInitialiser.orthogonal",
          Self.identity + ", with ReLU as the activation",
        ]
      case .elmanReLU:
        [
          Self.identity,
          "use a cell whose state can pass a step unchanged (unfold train --cell lstm or gru)",
        ]
      case .lstm:
        [
          "in the library, start with open forget gates: a CellInitialiser with a forgetBias from 1 "
            + "(as CellInitialiser.orthogonal) to 3",
          "train on (--epochs): forget gates open as the model learns what is worth keeping",
        ]
      case .gru:
        [
          Self.identity,
          "in the library, use an LSTMCell that starts with open forget gates: a CellInitialiser "
            + "with a forgetBias from 1 to 3",
          "train on (--epochs): update gates learn to hold what is worth keeping",
        ]
      case nil:
        [
          "let the state pass a step unchanged, by gates as those of LSTMCell and GRUCell",
          "start with an orthogonal recurrent matrix: Initialiser.orthogonal(gain: 1)",
        ]
      }
    guard reach > 0 else { return own }
    return own + [
      "leave the window of truncated BPTT (--window) at about \(reach) or less: what gradients "
        + "don’t reach costs time and brings nothing"
    ]
  }

  private static let identity =
    "in the library, start with the identity as the recurrent matrix: "
    + "CellInitialiser(input: .glorotUniform, recurrent: .identity(scale: 1))"
}
