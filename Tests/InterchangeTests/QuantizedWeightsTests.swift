import Foundation
import Interchange
import Tensors
import Testing

@Suite struct QuantizedWeightsTests {
  private struct Model: Parameterized {
    let weight: Parameter
    let bias: Parameter

    init(seed: UInt64) {
      var generator = Philox(seed: seed)
      weight = Parameter(Tensor(uniform: [6, 10], bound: 1, using: &generator))
      bias = Parameter(Tensor(uniform: [6], bound: 1, using: &generator))
    }
  }

  @Test(arguments: WeightFormat.allCases)
  func comeBackAsTheyWere(format: WeightFormat) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    let model = Model(seed: 1)
    model.quantize(as: format)
    try model.writeWeights(to: url)
    let read = Model(seed: 2)
    try read.readWeights(from: url)
    #expect(read.weight.value.values == model.weight.value.values)
    #expect(read.bias.value.values == model.bias.value.values)
    #expect(read.weight.quantized != nil && read.bias.quantized == nil)

    let again = url.appendingPathExtension("again")
    defer { try? FileManager.default.removeItem(at: again) }
    try read.writeWeights(to: again)
    #expect(try Data(contentsOf: again) == Data(contentsOf: url))
  }

  @Test func scalesThatAreMissingAreNamed() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    let model = Model(seed: 1)
    let parts = [
      SafetensorsFile.Part(name: "weight", dtype: .i8, shape: [6, 10]) {
        try $0.write([Int8](repeating: 1, count: 60))
      },
      SafetensorsFile.Part(name: "bias", shape: [6], floats: model.bias.value.values),
    ]
    try SafetensorsFile.write(parts, to: url)
    let before = model.weight.value.values
    let error = #expect(throws: SafetensorsError.self) { try model.readWeights(from: url) }
    #expect(error.map { "\($0)".contains("weight.scale") } == true)
    #expect(model.weight.value.values == before)
  }
}
