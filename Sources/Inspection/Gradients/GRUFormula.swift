import Foundation
import Recurrence

/// The GRU's step and its Jacobian.
///
///     r, z = σ(a_r), σ(a_z),  a_k = W_k·x + U_k·h + b_k,   u = U_n·h + b_hn
///     n = tanh(W_n·x + b_n + r ⊙ u),   h′ = (1 − z) ⊙ n + z ⊙ h
///
///     ∂n/∂h  = diag(1 − n²)·(diag(r)·U_n + diag(u ⊙ r(1 − r))·U_r)
///     ∂h′/∂h = diag(z) + diag((h − n) ⊙ z(1 − z))·U_z + diag(1 − z)·∂n/∂h
///
/// and for x the same with W in the place of U, without diag(z) and without the r before U_n.
public struct GRUFormula: StepFormula {
  let weights: GateWeights<GRUCell.Gate>

  public var stateSize: Int { weights.hiddenSize }

  public func callAsFunction(_ x: [Double], _ h: [Double]) -> (
    state: [Double], jacobian: StepJacobian
  ) {
    let units = 0..<weights.hiddenSize
    func gate(_ gate: GRUCell.Gate) -> [Double] {
      sum(weights.fromInput(gate, x), weights.fromState(gate, h)).map(logistic)
    }
    let (r, z) = (gate(.reset), gate(.update))
    let u = weights.fromState(.candidate, h)
    let fromInput = weights.fromInput(.candidate, x)
    let n = units.map { tanh(fromInput[$0] + r[$0] * u[$0]) }

    let slopeN = units.map { (1 - z[$0]) * (1 - n[$0] * n[$0]) }
    let slopeR = units.map { slopeN[$0] * u[$0] * r[$0] * (1 - r[$0]) }
    let slopeZ = units.map { (h[$0] - n[$0]) * z[$0] * (1 - z[$0]) }
    var state = weights.recurrent(.candidate).scaledRows(units.map { slopeN[$0] * r[$0] })
    state.add(weights.recurrent(.reset), rowsTimes: slopeR)
    state.add(weights.recurrent(.update), rowsTimes: slopeZ)
    for unit in units { state[unit, unit] += z[unit] }
    var input = weights.input(.candidate).scaledRows(slopeN)
    input.add(weights.input(.reset), rowsTimes: slopeR)
    input.add(weights.input(.update), rowsTimes: slopeZ)
    return (
      units.map { (1 - z[$0]) * n[$0] + z[$0] * h[$0] },
      StepJacobian(layers: [.init(state: state, input: input)])
    )
  }
}

extension GRUCell: HasStepFormula {
  public var stepFormula: any StepFormula {
    GRUFormula(weights: GateWeights(weightIH, weightHH, biasIH, biasHH))
  }
}
