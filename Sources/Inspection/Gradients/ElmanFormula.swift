import Foundation
import Recurrence
import Tensors

/// The Elman network's step and its Jacobian.
///
///     a = W^x·x + W^h·s + b,   s′ = φ(a)
///     ∂s′/∂s = diag(φ′(a))·W^h        φ = tanh: φ′ = 1 − s′²;   ReLU: φ′ = 1 where s′ > 0
///     ∂s′/∂x = diag(φ′(a))·W^x
public struct ElmanFormula: StepFormula {
  let input: DoubleMatrix  // [H, I]
  let recurrent: DoubleMatrix  // [H, H]
  let bias: [Double]
  let activation: Activation

  public var stateSize: Int { recurrent.rows }

  public func callAsFunction(_ x: [Double], _ s: [Double]) -> (
    state: [Double], jacobian: StepJacobian
  ) {
    let a = sum(input.times(x), recurrent.times(s), bias)
    let next = a.map { activation == .tanh ? tanh($0) : max($0, 0) }
    let slope = next.map { activation == .tanh ? 1 - $0 * $0 : $0 > 0 ? 1 : 0 }
    return (
      next,
      StepJacobian(layers: [
        .init(state: recurrent.scaledRows(slope), input: input.scaledRows(slope))
      ])
    )
  }
}

extension ElmanCell: HasStepFormula {
  public var stepFormula: any StepFormula {
    ElmanFormula(
      input: DoubleMatrix(weightIH.value), recurrent: DoubleMatrix(weightHH.value),
      bias: sum(doubles(biasIH), doubles(biasHH)), activation: activation)
  }
}

extension ConcatenatedElmanCell: HasStepFormula {
  public var stepFormula: any StepFormula {
    let hidden = bias.shape[0]
    let parts = weight.value.split(widths: [weight.shape[1] - hidden, hidden])
    return ElmanFormula(
      input: DoubleMatrix(parts[0]), recurrent: DoubleMatrix(parts[1]), bias: doubles(bias),
      activation: activation)
  }
}
