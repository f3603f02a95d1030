import Foundation
import Recurrence
import Tensors
import Testing

/// The 32 cases of `Fixtures/recurrent.json`, computed by PyTorch 2.15 in float32.
struct Reference: Decodable {
  struct Array: Decodable {
    let shape: [Int]
    let values: [Float]
    var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
  }

  struct Case: Decodable, CustomTestStringConvertible {
    let kind: String
    let layers: Int
    let bidirectional: Bool
    let lengths: [Int]?
    let weights: [String: Array]
    let input, h0, output, hn: Array
    let c0, cn: Array?
    let lossWeightOutput, lossWeightHn: Array
    let lossWeightCn: Array?
    let loss: Float
    let gradients: [String: Array]

    var testDescription: String {
      "\(kind), \(layers) layers, \(bidirectional ? "both directions" : "forward"), "
        + "lengths \(lengths?.description ?? "full")"
    }
  }

  let cases: [Case]

  static let recurrent: Reference = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard
      let url = Bundle.module.url(
        forResource: "recurrent", withExtension: "json", subdirectory: "Fixtures"),
      let data = try? Data(contentsOf: url),
      let reference = try? decoder.decode(Reference.self, from: data)
    else { fatalError("Fixtures/recurrent.json can't be read") }
    return reference
  }()
}

/// The largest difference of two tensors, divided by the largest magnitude in the second.
func relativeDifference(_ found: Tensor, _ expected: Tensor) -> Float {
  #expect(found.shape == expected.shape)
  let scale = max(expected.values.map(abs).max() ?? 0, 1e-12)
  let differences = zip(found.values, expected.values).map { abs($0 - $1) }
  return differences.contains(where: \.isNaN) ? .infinity : (differences.max() ?? 0) / scale
}

/// The largest difference of two tensors.
func difference(_ found: Tensor, _ expected: Tensor) -> Float {
  #expect(found.shape == expected.shape)
  let differences = zip(found.values, expected.values).map { abs($0 - $1) }
  return differences.contains(where: \.isNaN) ? .infinity : differences.max() ?? 0
}

/// A cell without its fused unfold: the plain path of the same weights.
struct Stepwise<Cell: RecurrentCell>: RecurrentCell {
  typealias Input = Cell.Input
  typealias Output = Cell.Output
  typealias State = Cell.State
  let cell: Cell
  func initialState(batch: Int) -> Cell.State { cell.initialState(batch: batch) }
  func callAsFunction(_ input: Cell.Input, _ state: Cell.State)
    -> (output: Cell.Output, state: Cell.State)
  { cell(input, state) }
  var parameters: [(name: String, parameter: Parameter)] { cell.parameters }
}
