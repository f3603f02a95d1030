import Inspection
import Recurrence
import Tensors
import Testing

@Suite struct UnitRecordingTests {
  private func lstms(_ sizes: [Int], seed: UInt64 = 1) -> Stack<LSTMCell> {
    var generator = Philox(seed: seed)
    return Stack(
      zip([3] + sizes, sizes).map {
        LSTMCell(inputSize: $0, hiddenSize: $1, initialiser: nil, using: &generator)
      })
  }

  private func inputs(_ steps: Int, _ batch: Int, scale: Float = 3) -> Tensor {
    var generator = Philox(seed: 9)
    return Tensor(uniform: [steps, batch, 3], bound: scale, using: &generator)
  }

  @Test func recordsTheMemoryOfEveryUnitOfEveryLayer() throws {
    let stack = lstms([5, 5])
    let inputs = inputs(20, 2)
    let recording = try UnitRecording(of: stack, over: inputs)
    #expect(
      recording.layers.map(\.size) == [5, 5] && recording.layers.map(\.signal) == ["c", "c"])
    #expect(recording.count == 40 && recording.unitCount == 10)
    var state = stack.initialState(batch: 2)
    for step in 0..<20 {
      state = stack(inputs[step], state).state
      for layer in 0..<2 {
        for sequence in 0..<2 {
          for unit in 0..<5 {
            let position = sequence * 20 + step
            let recorded = recording.values(
              of: UnitName(layer: layer, unit: unit), at: position..<position + 1)[0]
            let c = state[layer].c[sequence].values[unit]
            // Half precision has 11 bits.
            #expect(abs(recorded - c) <= abs(c) * 0x1p-11 + 1e-6)
          }
        }
      }
    }
  }

  @Test func countsSaturatedGates() throws {
    let stack = lstms([6])
    let inputs = inputs(50, 1, scale: 20)
    let recording = try UnitRecording(of: stack, over: inputs)
    #expect(recording.layers[0].saturation.map(\.gate) == ["input", "forget", "output"])
    var state = stack.initialState(batch: 1)
    var (left, right) = ([Float](repeating: 0, count: 6), [Float](repeating: 0, count: 6))
    for step in 0..<50 {
      let gates = stack.layers[0].gates(inputs[step], state[0])
      for (unit, value) in gates[1].values.values.enumerated() {
        left[unit] += value < 0.1 ? 0.02 : 0
        right[unit] += value > 0.9 ? 0.02 : 0
      }
      state = stack(inputs[step], state).state
    }
    let forget = recording.layers[0].saturation[1]
    #expect(left.contains { $0 > 0 } && right.contains { $0 > 0 })
    for unit in 0..<6 {
      #expect(abs(forget.left[unit] - left[unit]) < 1e-5)
      #expect(abs(forget.right[unit] - right[unit]) < 1e-5)
    }
  }

  @Test func aUsersCellIsRecordedByItsState() throws {
    let recording = try UnitRecording([[0.5, -1, 2], [0, 4, 8]])
    #expect(recording.column(0) == [0.5, -1, 2] && recording.column(1) == [0, 4, 8])
    #expect(recording.layers[0].signal == "h" && recording.layers[0].saturation.isEmpty)
  }

  @Test func numbersBeyondHalfPrecisionAreItsLargest() throws {
    #expect(try UnitRecording([[1e6, -1e6]]).column(0) == [65504, -65504])
  }

  @Test func whatIsNoNumberIsRefused() {
    #expect(throws: RecordingError.notNumbers(layer: 0)) { try UnitRecording([[1, .nan, 2]]) }
  }

  @Test func namesOfUnits() {
    #expect(UnitName("1:37") == UnitName(layer: 1, unit: 37))
    for bad in ["", "1", "1:", ":2", "1:2:3", "-1:2", "a:b", "99999999999999999999:1"] {
      #expect(UnitName(bad) == nil, "\(bad)")
    }
  }
}
