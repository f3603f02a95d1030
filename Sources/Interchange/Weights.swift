import Foundation
import Tensors

/// Why weights don't fit a model, or are no use to it.
public enum WeightsError: Error, Equatable, Sendable, CustomStringConvertible {
  case missing(file: String, name: String)
  case unexpected(file: String, name: String)
  case wrongShape(file: String, name: String, expected: [Int], found: [Int])
  case notFinite(model: String, name: String)
  case tooLargeForHalfPrecision(model: String, name: String)

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
    case .notFinite(let model, let name):
      "\(model) can't be used: some weights of its tensor “\(name)” aren't finite numbers, so it "
        + "can't be whole; copy it again, or make it anew."
    case .tooLargeForHalfPrecision(let model, let name):
      "\(model) doesn't fit half precision, which ends at 65,504: its tensor “\(name)” has larger "
        + "weights; use int8."
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
    try write(
      tensors.map { Part(name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: url)
  }
}

extension Parameterized {
  /// Writes all parameters, by name, as a safetensors file: in Float32, or as they were quantized.
  /// An 8-bit matrix `w` has its scales beside it, in a tensor `w.scale` `[N]`.
  public func writeWeights(to url: URL) throws {
    let parts = parameters.flatMap { name, parameter -> [SafetensorsFile.Part] in
      switch parameter.quantized?.contents {
      case .int8(let values, let scales):
        let shape = parameter.shape.dimensions
        return [
          SafetensorsFile.Part(name: name, dtype: .i8, shape: shape) { try $0.write(values) },
          SafetensorsFile.Part(name: name + scaleSuffix, shape: [scales.count], floats: scales),
        ]
      case .float16(let values):
        let shape = parameter.shape.dimensions
        return [
          SafetensorsFile.Part(name: name, dtype: .f16, shape: shape) { try $0.write(values) }
        ]
      case nil: return [SafetensorsFile.Part(name: name, tensor: parameter.value)]
      }
    }
    try SafetensorsFile.write(parts, to: url)
  }

  /// Takes all parameters from a safetensors file with exactly their names and shapes.
  ///
  /// Nothing changes if anything doesn't fit.
  public func readWeights(from url: URL) throws {
    let file = try SafetensorsFile(contentsOf: url)
    let places = parameters
    var names = Set(places.map(\.name))
    for entry in file.entries where entry.dtype == .i8 { names.insert(entry.name + scaleSuffix) }
    if let entry = file.entries.first(where: { !names.contains($0.name) }) {
      throw WeightsError.unexpected(file: url.lastPathComponent, name: entry.name)
    }
    for (name, parameter) in places {
      guard let entry = file.entry(named: name) else {
        throw WeightsError.missing(file: url.lastPathComponent, name: name)
      }
      guard entry.shape == parameter.shape.dimensions else {
        throw WeightsError.wrongShape(
          file: url.lastPathComponent, name: name, expected: parameter.shape.dimensions,
          found: entry.shape)
      }
    }
    let values = try places.map { try file.weight(named: $0.name) }
    for (place, value) in zip(places, values) {
      switch value {
      case .full(let tensor): place.parameter.value = tensor
      case .quantized(let matrix): place.parameter.setQuantized(matrix)
      }
    }
  }
}

private let scaleSuffix = ".scale"

extension SafetensorsFile {
  fileprivate enum Weight {
    case full(Tensor)
    case quantized(QuantizedMatrix)
  }

  /// A tensor in one of the formats that weights are kept in.
  fileprivate func weight(named name: String) throws -> Weight {
    guard let entry = entry(named: name), entry.shape.count == 2,
      entry.dtype == .i8 || entry.dtype == .f16
    else { return .full(try tensor(named: name)) }
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    let contents: QuantizedMatrix.Contents
    if entry.dtype == .i8 {
      let scales = try tensor(named: name + scaleSuffix)
      guard scales.shape == [rows] else {
        throw WeightsError.wrongShape(
          file: file, name: name + scaleSuffix, expected: [rows],
          found: scales.shape.dimensions)
      }
      let values = try withBytes(named: name) { bytes, _ in [Int8](bytes.bindMemory(to: Int8.self))
      }
      contents = .int8(values, scales: scales.values)
    } else {
      let values = try withBytes(named: name) { bytes, _ in
        (0..<rows * columns).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
      }
      contents = .float16(values)
    }
    return .quantized(QuantizedMatrix(rows: rows, columns: columns, contents: contents))
  }
}

extension SafetensorsFile.Part {
  /// A tensor in Float32.
  fileprivate init(name: String, tensor: Tensor) {
    self.init(name: name, dtype: .f32, shape: tensor.shape.dimensions) { writer in
      try tensor.withValues { try writer.write(UnsafeRawBufferPointer($0)) }
    }
  }
}
