import CKernels
import Foundation
import Testing

/// The gate kernels of cells.h against the cells' equations in double precision: forward by value,
/// backward by central differences of the same equations.
///
/// An activation errs by at most 8 roundoffs of 1 (see `VectorKernelTests`); a step puts two in a
/// row and combines values of size 2 in some ten roundings: 64 roundoffs. Differences of width
/// 2·10⁻⁴ in double precision add 10⁻⁸ of their own.
@Suite struct CellKernelTests {
  private let tolerance = 64 * roundoff
  private let gradientTolerance = 64 * roundoff + 1e-8

  /// A block of PANEL units for some rows, with gaps between rows that nothing may touch.
  private struct Block {
    let rows: Int
    let panel: Int
    let gateCount: Int
    var gatesStride: Int { gateCount * panel + 5 }
    var stateStride: Int { panel + 7 }

    func description(of gates: UnsafeMutablePointer<Float>) -> unfold_block {
      unfold_block(
        rows: Int32(rows), gates: gates, gates_stride: gatesStride, state_stride: stateStride)
    }

    /// Random gates or state, rows apart by their stride, canaries between.
    func gates(seed: UInt64, in range: ClosedRange<Float> = -3...3) -> [Float] {
      fill(width: gateCount * panel, stride: gatesStride, range, seed)
    }
    func state(seed: UInt64) -> [Float] { fill(width: panel, stride: stateStride, -1...1, seed) }

    private func fill(
      width: Int, stride: Int, _ range: ClosedRange<Float>, _ seed: UInt64
    ) -> [Float] {
      var values = randomFloats(rows * stride, in: range, seed: seed)
      for index in values.indices where index % stride >= width { values[index] = canary }
      return values
    }

    func gate(_ values: [Float], _ gate: Int, _ row: Int, _ unit: Int) -> Double {
      Double(values[row * gatesStride + gate * panel + unit])
    }
    func state(_ values: [Float], _ row: Int, _ unit: Int) -> Double {
      Double(values[row * stateStride + unit])
    }
    func gapsAreIntact(gates: [Float]) -> Bool {
      gates.indices.allSatisfy { $0 % gatesStride < gateCount * panel || gates[$0] == canary }
    }
    func gapsAreIntact(state: [Float]) -> Bool {
      state.indices.allSatisfy { $0 % stateStride < panel || state[$0] == canary }
    }
    func forEachUnit(_ body: (Int, Int) -> Void) {
      for row in 0..<rows { for unit in 0..<panel { body(row, unit) } }
    }
  }

  /// The derivative of `function` by each argument.
  private func derivatives(_ at: [Double], _ function: ([Double]) -> Double) -> [Double] {
    let h = 1e-4
    return at.indices.map { index in
      var (above, below) = (at, at)
      above[index] += h
      below[index] -= h
      return (function(above) - function(below)) / (2 * h)
    }
  }

  private func expect(
    _ found: [Double], _ expected: [Double], within tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isClose = zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
    #expect(isClose, "\(found) ≠ \(expected)", sourceLocation: sourceLocation)
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }

  /// z: preactivations of i, f, g, o, and c.
  private func lstm(_ z: [Double]) -> (c: Double, h: Double) {
    let c = sigmoid(z[1]) * z[4] + sigmoid(z[0]) * tanh(z[2])
    return (c, sigmoid(z[3]) * tanh(c))
  }

  @Test(arguments: KernelSet.all, [1, 3])
  func lstmMatchesItsEquations(set: KernelSet, rows: Int) {
    let block = Block(rows: rows, panel: set.panel, gateCount: 4)
    let z = block.gates(seed: 1)
    let c = block.state(seed: 2)
    var gates = z
    var (next, h) = (block.state(seed: 3), block.state(seed: 4))
    set.functions.lstm_forward(block.description(of: &gates), c, &next, &h)
    let activations = gates
    let dh = randomFloats(rows * set.panel, seed: 5)
    let dcNext = block.state(seed: 6)
    var dc = dcNext
    set.functions.lstm_backward(block.description(of: &gates), c, next, dh, &dc)

    block.forEachUnit { row, unit in
      let at = (0..<4).map { block.gate(z, $0, row, unit) } + [block.state(c, row, unit)]
      let expected = lstm(at)
      expect(
        [block.state(next, row, unit), block.state(h, row, unit)], [expected.c, expected.h],
        within: tolerance)
      expect(
        (0..<4).map { block.gate(activations, $0, row, unit) },
        [sigmoid(at[0]), sigmoid(at[1]), tanh(at[2]), sigmoid(at[3])], within: tolerance)
      let (d, memory) = (Double(dh[row * set.panel + unit]), block.state(dcNext, row, unit))
      expect(
        (0..<4).map { block.gate(gates, $0, row, unit) } + [block.state(dc, row, unit)],
        derivatives(at) { d * lstm($0).h + memory * lstm($0).c }, within: gradientTolerance)
    }
    #expect(block.gapsAreIntact(gates: gates))
    #expect([next, h, dc].allSatisfy { block.gapsAreIntact(state: $0) })
  }

  /// z: preactivations of r, z and n without its hidden part, then that (with its bias), and h.
  private func gru(_ z: [Double]) -> Double {
    let n = tanh(z[2] + sigmoid(z[0]) * z[3])
    return (1 - sigmoid(z[1])) * n + sigmoid(z[1]) * z[4]
  }

  @Test(arguments: KernelSet.all, [1, 3])
  func gruMatchesItsEquations(set: KernelSet, rows: Int) {
    let block = Block(rows: rows, panel: set.panel, gateCount: 3)
    let z = block.gates(seed: 1)
    let (product, h) = (block.state(seed: 2), block.state(seed: 3))
    let bias = randomFloats(set.panel, seed: 4)
    var (gates, hidden, next) = (z, product, block.state(seed: 5))
    set.functions.gru_forward(block.description(of: &gates), &hidden, bias, h, &next)
    let activations = gates
    let dh = randomFloats(rows * set.panel, seed: 6)
    var (carry, dhidden) = (block.state(seed: 7), block.gates(seed: 8))
    set.functions.gru_backward(block.description(of: &gates), hidden, h, dh, &carry, &dhidden)

    block.forEachUnit { row, unit in
      let q = block.state(product, row, unit) + Double(bias[unit])
      let at = (0..<3).map { block.gate(z, $0, row, unit) } + [q, block.state(h, row, unit)]
      let (r, update) = (sigmoid(at[0]), sigmoid(at[1]))
      expect(
        [block.state(next, row, unit), block.state(hidden, row, unit)], [gru(at), q],
        within: tolerance)
      expect(
        (0..<3).map { block.gate(activations, $0, row, unit) }, [r, update, tanh(at[2] + r * q)],
        within: tolerance)
      let d = Double(dh[row * set.panel + unit])
      let expected = derivatives(at) { d * gru($0) }
      expect(
        (0..<3).map { block.gate(gates, $0, row, unit) }, Array(expected[0..<3]),
        within: gradientTolerance)
      // The products with h get the gradients of r, z and q; past them h gets what is left.
      expect(
        (0..<3).map { block.gate(dhidden, $0, row, unit) } + [block.state(carry, row, unit)],
        [expected[0], expected[1], expected[3], expected[4]], within: gradientTolerance)
    }
    #expect(block.gapsAreIntact(gates: gates) && block.gapsAreIntact(gates: dhidden))
    #expect([hidden, next, carry].allSatisfy { block.gapsAreIntact(state: $0) })
  }

  @Test(arguments: KernelSet.all, [false, true])
  func elmanMatchesItsEquations(set: KernelSet, relu: Bool) {
    let block = Block(rows: 3, panel: set.panel, gateCount: 1)
    let equation: (Double) -> Double = { relu ? max($0, 0) : tanh($0) }
    let z = block.gates(seed: 1)
    var (gates, h) = (z, block.state(seed: 2))
    set.functions.elman_forward(block.description(of: &gates), relu ? 1 : 0, &h)
    #expect(block.gapsAreIntact(state: h))
    let activations = gates
    let dh = randomFloats(3 * set.panel, seed: 3)
    set.functions.elman_backward(block.description(of: &gates), relu ? 1 : 0, dh)
    #expect(block.gapsAreIntact(gates: gates))

    block.forEachUnit { row, unit in
      let at = block.gate(z, 0, row, unit)
      expect(
        [block.state(h, row, unit), block.gate(activations, 0, row, unit)],
        [equation(at), equation(at)], within: tolerance)
      let d = Double(dh[row * set.panel + unit])
      expect(
        [block.gate(gates, 0, row, unit)], derivatives([at]) { d * equation($0[0]) },
        within: gradientTolerance)
    }
  }

  @Test(arguments: KernelSet.all)
  func reluHasNoGradientAtZeroAndLetsNotANumberThrough(set: KernelSet) {
    let block = Block(rows: 1, panel: set.panel, gateCount: 1)
    var (gates, h) = (block.gates(seed: 1), block.state(seed: 2))
    (gates[0], gates[1]) = (0, .nan)
    set.functions.elman_forward(block.description(of: &gates), 1, &h)
    #expect(h[0] == 0 && h[1].isNaN)
    let dh = [Float](repeating: 1, count: set.panel)
    set.functions.elman_backward(block.description(of: &gates), 1, dh)
    #expect(gates[0] == 0)
  }
}
