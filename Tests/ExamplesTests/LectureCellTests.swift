import Examples
import Foundation
import Testing
import Unfold

/// The lecture's cell, in a user's twelve lines, against the numbers of `lecture_cell.json`.
@Suite struct LectureCellTests {
  let reference = LectureReference.stored

  private var cell: LectureCell { LectureCell(reference.weight.tensor, reference.bias.tensor) }
  private var inputs: Tensor { reference.inputs.tensor.reshaped([7, 1, 3]) }
  private var start: Tensor { reference.start.tensor.reshaped([1, 3]) }

  @Test func outputsEqualTheReference() {
    let outputs = sevenOutputs(of: cell, over: inputs, from: start)
    #expect(difference(outputs, reference.outputs) < 1e-5)
  }

  /// Float32 on both sides: within 1e-5 of the largest element.
  @Test func gradientsEqualTheReference() throws {
    let (cell, x, s) = (cell, inputs.watched, start.watched)
    let weights = reference.lossWeight.tensor.reshaped([7, 1, 3])
    let gradients = (sevenOutputs(of: cell, over: x, from: s) * weights).sum().backward()
    let found = [
      "W": gradients[cell.weight], "b": gradients[cell.bias], "X": gradients[x], "s0": gradients[s],
    ]
    #expect(Set(found.keys) == Set(reference.gradients.keys))
    for (name, expected) in reference.gradients {
      let gradient = try #require(found[name] ?? nil)
      let scale = expected.values.map(abs).max() ?? 0
      #expect(difference(gradient, expected) < 1e-5 * scale, "\(name)")
    }
  }

  /// ∂s₇/∂s_t by going back from each unit of the last state to the state after output t.
  @Test func jacobiansEqualTheReference() throws {
    let expected = reference.jacobians
    #expect(expected.count == 7)
    for (t, jacobian) in expected.enumerated() {
      let state = unfold(cell, over: inputs[0..<t + 1], from: start).last.watched
      let last = t == 6 ? state : unfold(cell, over: inputs[t + 1..<7], from: state).last
      #expect(jacobian.shape == [3, 3])
      let scale = jacobian.values.map(abs).max() ?? 0
      for unit in 0..<3 {
        let row = jacobian.values[3 * unit..<3 * unit + 3]
        var seed: [Float] = [0, 0, 0]
        seed[unit] = 1
        let gradients = last.backward(from: Tensor(seed, shape: [1, 3]))
        let found = try #require(gradients[state])
        #expect(
          zip(found.values, row).allSatisfy { abs($0 - $1) <= 1e-5 * max(scale, 1) },
          "∂s₇[\(unit)]/∂s_\(t): \(found.values), not \(row)")
      }
    }
  }

  @Test func obeysTheLaws() throws {
    try CellLaws.check(cell, inputSize: 3)
  }

  @Test func takesTwelveLinesAtMost() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let source = try String(
      contentsOf: root.appending(path: "Examples/LectureCell.swift"), encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let first = try #require(lines.firstIndex { $0.hasPrefix("public struct LectureCell") })
    let last = try #require(lines[first...].firstIndex { $0 == "}" })
    #expect(last - first + 1 <= 12)
    #expect(lines.allSatisfy { $0.count <= 100 })
    #expect(lines.filter { $0.hasPrefix("import") } == ["import Unfold"])
  }

  private func difference(_ found: Tensor, _ expected: LectureReference.Array) -> Float {
    #expect(found.count == expected.values.count)
    let differences = zip(found.values, expected.values).map { abs($0 - $1) }
    return differences.contains(where: \.isNaN) ? .infinity : differences.max() ?? 0
  }
}

/// `Fixtures/lecture_cell.json`.
struct LectureReference: Decodable {
  struct Array: Decodable {
    let shape: [Int]
    let values: [Float]
    var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
  }

  let weight, bias, inputs, start, outputs, lossWeight: Array
  /// By the names of the file.
  let gradients: [String: Array]
  /// Row: unit of the last state. Column: unit of the state after output t, for t = 0 … 6.
  let jacobians: [Array]

  enum CodingKeys: String, CodingKey {
    case weight = "W"
    case bias = "b"
    case inputs = "X"
    case start = "s0"
    case outputs = "H"
    case lossWeight = "loss_weight"
    case gradients
    case jacobians = "jacobian_last_state_by_state_t"
  }

  static let stored: LectureReference = {
    guard
      let url = Bundle.module.url(
        forResource: "lecture_cell", withExtension: "json", subdirectory: "Fixtures"),
      let data = try? Data(contentsOf: url),
      let reference = try? JSONDecoder().decode(LectureReference.self, from: data)
    else { fatalError("Fixtures/lecture_cell.json can't be read") }
    return reference
  }()
}
