import Foundation
import Recurrence
import Tensors

/// A cell's weights, gate by gate, in Double.
struct GateWeights<Gate: GateOrder>: Sendable {
  private let input: [DoubleMatrix]  // [H, I] each
  private let recurrent: [DoubleMatrix]  // [H, H] each
  private let biases: [(input: [Double], recurrent: [Double])]

  init(_ weightIH: Parameter, _ weightHH: Parameter, _ biasIH: Parameter, _ biasHH: Parameter) {
    let size = weightHH.shape[1]
    let rows = Gate.allCases.map { $0.rawValue * size..<($0.rawValue + 1) * size }
    input = rows.map { DoubleMatrix(weightIH.value[$0]) }
    recurrent = rows.map { DoubleMatrix(weightHH.value[$0]) }
    let (b, c) = (doubles(biasIH), doubles(biasHH))
    biases = rows.map { (Array(b[$0]), Array(c[$0])) }
  }

  var hiddenSize: Int { recurrent[0].rows }
  var inputSize: Int { input[0].columns }

  /// W^x of a gate.
  func input(_ gate: Gate) -> DoubleMatrix { input[gate.rawValue] }
  /// W^h of a gate.
  func recurrent(_ gate: Gate) -> DoubleMatrix { recurrent[gate.rawValue] }
  /// W^x·x + b^x.
  func fromInput(_ gate: Gate, _ x: [Double]) -> [Double] {
    sum(input[gate.rawValue].times(x), biases[gate.rawValue].input)
  }
  /// W^h·h + b^h.
  func fromState(_ gate: Gate, _ h: [Double]) -> [Double] {
    sum(recurrent[gate.rawValue].times(h), biases[gate.rawValue].recurrent)
  }
}

/// The numbers of a parameter.
func doubles(_ parameter: Parameter) -> [Double] { parameter.value.values.map(Double.init) }

/// The elementwise sum of vectors of equal length.
func sum(_ first: [Double], _ others: [Double]...) -> [Double] {
  others.reduce(first) { total, other in zip(total, other).map { $0 + $1 } }
}

/// The logistic function.
func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension DoubleMatrix {
  /// diag(`factors`)·A.
  func scaledRows(_ factors: [Double]) -> DoubleMatrix {
    var result = DoubleMatrix(rows: rows, columns: columns)
    result.add(self, rowsTimes: factors)
    return result
  }
}
