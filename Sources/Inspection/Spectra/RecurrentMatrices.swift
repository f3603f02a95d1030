import Recurrence
import Tensors

/// W^s: what a cell multiplies its last output with, in one of its gates.
public struct RecurrentMatrix: Sendable {
  /// "forget gate", "layer 1, candidate".
  public var name: String
  /// `[H, H]`.
  public var matrix: DoubleMatrix

  public init(name: String, matrix: DoubleMatrix) {
    self.name = name
    self.matrix = matrix
  }
}

/// A cell that shows its recurrent matrices, so that their spectra can be seen. A user's own cell
/// needs a line for it:
///
///     var recurrentMatrices: [RecurrentMatrix] {
///       [RecurrentMatrix(name: "W", matrix: DoubleMatrix(weight.value))]
///     }
public protocol HasRecurrentMatrices {
  /// With the weights of now. The one that the state passes through without a gate around it, the
  /// candidate's, is the last.
  var recurrentMatrices: [RecurrentMatrix] { get }
}

extension ElmanCell: HasRecurrentMatrices {
  public var recurrentMatrices: [RecurrentMatrix] {
    [RecurrentMatrix(name: "recurrent matrix", matrix: DoubleMatrix(weightHH.value))]
  }
}

extension ConcatenatedElmanCell: HasRecurrentMatrices {
  public var recurrentMatrices: [RecurrentMatrix] {
    let hidden = bias.shape[0]
    let part = weight.value.split(widths: [weight.shape[1] - hidden, hidden])[1]
    return [RecurrentMatrix(name: "recurrent matrix", matrix: DoubleMatrix(part))]
  }
}

extension LSTMCell: HasRecurrentMatrices {
  public var recurrentMatrices: [RecurrentMatrix] {
    let gates: [(Gate, String)] = [
      (.input, "input gate"), (.forget, "forget gate"), (.output, "output gate"),
      (.cell, "candidate"),
    ]
    return gates.map { gate, name in
      RecurrentMatrix(name: name, matrix: weightHH.block(gate.rawValue))
    }
  }
}

extension GRUCell: HasRecurrentMatrices {
  public var recurrentMatrices: [RecurrentMatrix] {
    let gates: [(Gate, String)] = [
      (.reset, "reset gate"), (.update, "update gate"), (.candidate, "candidate"),
    ]
    return gates.map { gate, name in
      RecurrentMatrix(name: name, matrix: weightHH.block(gate.rawValue))
    }
  }
}

extension Stack: HasRecurrentMatrices where Layer: HasRecurrentMatrices {
  public var recurrentMatrices: [RecurrentMatrix] {
    layers.enumerated().flatMap { index, layer in
      layer.recurrentMatrices.map {
        layers.count == 1
          ? $0 : RecurrentMatrix(name: "layer \(index), \($0.name)", matrix: $0.matrix)
      }
    }
  }
}

extension Parameter {
  /// Gate number `index` of weights `[G·H, H]`.
  fileprivate func block(_ index: Int) -> DoubleMatrix {
    let size = shape[1]
    return DoubleMatrix(value[index * size..<(index + 1) * size])
  }
}
