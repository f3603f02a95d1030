import Inspection
import Recurrence
import Tensors

/// A cell whose state is its input, so that a recording holds what a test wants it to.
struct Echo: RecurrentCell {
  let size: Int

  func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, size]) }
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) { (x, x) }
}

extension UnitRecording {
  /// Units that did what is given, `[units][positions]`.
  init(_ units: [[Float]]) throws {
    let steps = units[0].count
    let inputs = Tensor([steps, 1, units.count]) { out in
      for step in 0..<steps {
        for unit in units.indices { out[step * units.count + unit] = units[unit][step] }
      }
    }
    try self.init(of: Echo(size: units.count), over: inputs)
  }

  /// What a unit is recorded to have done everywhere.
  func column(_ unit: Int) -> [Float] {
    values(of: UnitName(layer: 0, unit: unit), at: 0..<count)
  }
}
