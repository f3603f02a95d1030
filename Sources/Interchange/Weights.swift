import Foundation
import Tensors

/// Why weights don't fit a model.
public enum WeightsError: Error, Equatable, Sendable, CustomStringConvertible {
  case missing(file: String, name: String)
  case unexpected(file: String, name: String)
  case wrongShape(file: String, name: String, expected: [Int], found: [Int])

  public var description: String {
    switch self {
    case .missing(let file, let name):
      "\(file) has no tensor “\(name)”, which the model needs; it belongs to another model."
    case .unexpected(let file, let name):
      "\(file) has a tensor “\(name)”, for which the model has no place; it belongs to another "
        + "model."
    case .wrongShape(let file, let name, let expected, let found):
      "\(file): tensor “\(name)” has shape \(found), but the model needs \(expected); it belongs "
        + "to another model."
    }
  }
}

extension SafetensorsFile {
  /// The tensor of that name.
  public func tensor(named name: String) throws -> Tensor {
    try withFloats(named: name) { values, shape in
      Tensor(Shape(shape)) { base in
        if let from = values.baseAddress { base.update(from: from, count: values.count) }
      }
    }
  }

  /// Writes tensors as F32.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = ["format": "pt"],
    to url: URL
  ) throws {
    let parts = tensors.map { name, tensor in
      Part(name: name, dtype: .f32, shape: tensor.shape.dimensions) { writer in
        try tensor.withValues { try writer.write(UnsafeRawBufferPointer($0)) }
      }
    }
    try write(parts, metadata: metadata, to: url)
  }
}

extension Parameterized {
  /// Writes all parameters, by name, as a safetensors file.
  public func writeWeights(to url: URL) throws {
    try SafetensorsFile.write(parameters.map { ($0.name, $0.parameter.value) }, to: url)
  }

  /// Takes all parameters from a safetensors file with exactly their names and shapes.
  ///
  /// Nothing changes if anything doesn't fit.
  public func readWeights(from url: URL) throws {
    let file = try SafetensorsFile(contentsOf: url)
    let places = parameters
    let names = Set(places.map(\.name))
    if let entry = file.entries.first(where: { !names.contains($0.name) }) {
      throw WeightsError.unexpected(file: url.lastPathComponent, name: entry.name)
    }
    var values: [Tensor] = []
    for (name, parameter) in places {
      guard let entry = file.entry(named: name) else {
        throw WeightsError.missing(file: url.lastPathComponent, name: name)
      }
      guard entry.shape == parameter.shape.dimensions else {
        throw WeightsError.wrongShape(
          file: url.lastPathComponent, name: name, expected: parameter.shape.dimensions,
          found: entry.shape)
      }
      values.append(try file.tensor(named: name))
    }
    for (place, value) in zip(places, values) { place.parameter.value = value }
  }
}
