import Foundation
import Recurrence

/// The LSTM's step and its Jacobian. The state is (h, c).
///
///     i, f, o = σ(a_i), σ(a_f), σ(a_o),  g = tanh(a_g),  a_k = W_k·x + U_k·h + b_k
///     c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′)
///
///     ∂c′/∂c = diag(f)
///     ∂c′/∂h = diag(c ⊙ f(1 − f))·U_f + diag(g ⊙ i(1 − i))·U_i + diag(i ⊙ (1 − g²))·U_g
///     ∂h′/∂c = diag(o ⊙ (1 − tanh² c′))·∂c′/∂c
///     ∂h′/∂h = diag(o ⊙ (1 − tanh² c′))·∂c′/∂h + diag(tanh c′ ⊙ o(1 − o))·U_o
///
/// and the same for x with W in the place of U. The way through c alone is diag(f): the carousel on
/// which an error lives as long as the forget gate is open.
public struct LSTMFormula: StepFormula {
  let weights: GateWeights<LSTMCell.Gate>

  public var stateSize: Int { 2 * weights.hiddenSize }

  public func callAsFunction(_ x: [Double], _ s: [Double]) -> (
    state: [Double], jacobian: StepJacobian
  ) {
    let size = weights.hiddenSize
    let (h, c) = (Array(s[..<size]), Array(s[size...]))
    func a(_ gate: LSTMCell.Gate) -> [Double] {
      sum(weights.fromInput(gate, x), weights.fromState(gate, h))
    }
    let (i, f) = (a(.input).map(logistic), a(.forget).map(logistic))
    let (g, o) = (a(.cell).map(tanh), a(.output).map(logistic))
    let units = 0..<size
    let cNext = units.map { f[$0] * c[$0] + i[$0] * g[$0] }
    let squashed = cNext.map(tanh)

    let throughC = units.map { o[$0] * (1 - squashed[$0] * squashed[$0]) }
    let throughO = units.map { squashed[$0] * o[$0] * (1 - o[$0]) }
    let slopes: [(LSTMCell.Gate, [Double])] = [
      (.forget, units.map { c[$0] * f[$0] * (1 - f[$0]) }),
      (.input, units.map { g[$0] * i[$0] * (1 - i[$0]) }),
      (.cell, units.map { i[$0] * (1 - g[$0] * g[$0]) }),
    ]
    /// The rows (h′, c′) of what depends on x or h by these matrices.
    func rows(_ matrix: (LSTMCell.Gate) -> DoubleMatrix) -> DoubleMatrix {
      var forC = DoubleMatrix(rows: size, columns: matrix(.cell).columns)
      for (gate, slope) in slopes { forC.add(matrix(gate), rowsTimes: slope) }
      var forH = forC.scaledRows(throughC)
      forH.add(matrix(.output), rowsTimes: throughO)
      var both = DoubleMatrix(rows: 2 * size, columns: forC.columns)
      both.set(forH, row: 0, column: 0)
      both.set(forC, row: size, column: 0)
      return both
    }
    var state = DoubleMatrix(rows: 2 * size, columns: 2 * size)
    state.set(rows(weights.recurrent), row: 0, column: 0)
    for unit in units {
      state[unit, size + unit] = throughC[unit] * f[unit]
      state[size + unit, size + unit] = f[unit]
    }
    return (
      units.map { o[$0] * squashed[$0] } + cNext,
      StepJacobian(layers: [.init(state: state, input: rows(weights.input))])
    )
  }
}

extension LSTMCell: HasStepFormula {
  public var stepFormula: any StepFormula {
    LSTMFormula(weights: GateWeights(weightIH, weightHH, biasIH, biasHH))
  }
}
