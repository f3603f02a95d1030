import CKernels
import Tensors
import Testing

/// The kernels of one instruction set that this machine can run, as a test's argument.
struct KernelSet: Sendable, CustomTestStringConvertible {
  let name: String
  let functions: unfold_kernels

  var panel: Int { Int(functions.panel_width) }
  var vector: Int { panel / 2 }
  var tile: Int { Int(functions.tile_rows) }
  var testDescription: String { name }

  static let all = Compute.availableInstructionSets.map { name in
    KernelSet(name: name, functions: unfold_kernels_named(name)!.pointee)
  }

  /// Lengths with every tail of a vector, of a run of four vectors, and some longer ones.
  var raggedLengths: [Int] {
    Array(0...(4 * vector + 3)) + [8 * vector - 1, 1000, 4095, 4096, 4097]
  }
}

/// Half the distance from 1 to the next Float: the largest relative error of one rounding.
let roundoff = 0x1p-24

/// A number that no computation yields, to see whether memory has been left alone.
let canary = Float(bitPattern: 0xC2F6_E979)

/// Numbers drawn uniformly from a range.
func randomFloats(
  _ count: Int, in range: ClosedRange<Float> = -1...1, seed: UInt64
) -> [Float] {
  var generator = Philox(seed: seed)
  return (0..<count).map { _ in
    range.lowerBound + (range.upperBound - range.lowerBound) * generator.uniform()
  }
}

/// Calls `body` with a buffer that holds `values` and then canaries; true if these are still there.
func leavesTheRest(
  of values: inout [Float], body: (UnsafeMutablePointer<Float>) -> Void
) -> Bool {
  let guarded = 40
  var buffer = values + Array(repeating: canary, count: guarded)
  buffer.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  values = Array(buffer.prefix(values.count))
  return buffer.suffix(guarded).allSatisfy { $0 == canary }
}

/// The largest of |found − expected| / bound. NaN counts as infinitely wrong.
func worstRatio(_ found: [Float], _ expected: [Double], bound: (Int) -> Double) -> Double {
  var worst = found.count == expected.count ? 0 : Double.infinity
  for index in 0..<min(found.count, expected.count) {
    let error = abs(Double(found[index]) - expected[index])
    if error == 0 { continue }
    let ratio = error / bound(index)
    worst = ratio.isNaN ? .infinity : max(worst, ratio)
  }
  return worst
}
