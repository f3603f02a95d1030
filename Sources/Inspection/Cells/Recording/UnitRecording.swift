import Recurrence
import Tensors

/// What every unit of every layer did at every position of a text: one number each, in half
/// precision (11 bits), so that 1,000 units over 100,000 characters take 200 MB.
///
/// The number is the unit's memory c where a cell has one, as an LSTM does, and else its state h; or
/// what else of its state or which gate was asked for.
public struct UnitRecording: Sendable {
  /// The units of one layer.
  public struct Layer: Sendable {
    /// How many units it has.
    public let size: Int
    /// What was recorded: `c`, `h`, or what a cell calls its state.
    public let signal: String
    /// The number of its first unit among those of all layers.
    let first: Int
    /// How often each gate was shut and open.
    public let saturation: [GateSaturation]

    var units: Range<Int> { first..<first + size }
  }

  public let layers: [Layer]
  /// The number of positions, N.
  public let count: Int
  /// `[units of all layers, N]`, bits of half precision.
  let values: [UInt16]

  /// The number of units of all layers.
  public var unitCount: Int { layers.reduce(0) { $0 + $1.size } }

  /// What a unit did at some positions.
  public func values(of unit: UnitName, at positions: Range<Int>) -> [Float] {
    require(layers.indices.contains(unit.layer), "there is no layer \(unit.layer)")
    require(0..<layers[unit.layer].size ~= unit.unit, "there is no unit \(unit.unit)")
    return [Float](unsafeUninitializedCapacity: positions.count) { buffer, count in
      if let base = buffer.baseAddress {
        decode(layers[unit.layer].first + unit.unit, positions, into: base)
      }
      count = positions.count
    }
  }

  /// As above, by a unit's number among those of all layers.
  func decode(_ unit: Int, _ positions: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    require(positions.upperBound <= count, "positions \(positions) of \(count)")
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      Compute.kernels.from_float16(
        positions.count, base + unit * count + positions.lowerBound, out)
    }
  }

  /// The name of a unit by its number among those of all layers.
  func name(of unit: Int) -> UnitName {
    let layer = layers.lastIndex { $0.first <= unit } ?? 0
    return UnitName(layer: layer, unit: unit - layers[layer].first)
  }
}

/// Which unit: its layer from the bottom, and its place there, both from 0.
public struct UnitName: Hashable, Sendable, Codable, CustomStringConvertible {
  public let layer: Int
  public let unit: Int

  public init(layer: Int, unit: Int) {
    self.layer = layer
    self.unit = unit
  }

  /// Reads "L:N", both counted from 0.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let layer = Int(parts[0]), let unit = Int(parts[1]), layer >= 0,
      unit >= 0
    else { return nil }
    self.init(layer: layer, unit: unit)
  }

  public var description: String { "\(layer):\(unit)" }
}

/// For each unit, the fraction of time that a gate of it was nearly shut and nearly open.
///
/// - SeeAlso: A. Karpathy, J. Johnson, L. Fei-Fei, "Visualizing and Understanding Recurrent
///   Networks", 2015, section 4.2.
public struct GateSaturation: Sendable, Equatable, Codable {
  /// A gate is left-saturated below this and right-saturated above 1 − this.
  public static let bound: Float = 0.1

  public let gate: String
  public let left: [Float]
  public let right: [Float]
}

extension UnitRecording {
  /// Records a cell of any kind, or a stack of such, over sequences side by side.
  ///
  /// - Parameter inputs: x₁ … x_T, each tensor `[T, B, …]`. Position b·T + t of the recording is
  ///   step t of sequence b.
  /// - Throws: ``RecordingError``.
  public init<Cell: RecurrentCell>(
    of cell: Cell, over inputs: Cell.Input, from state: Cell.State? = nil
  ) throws(RecordingError) {
    let (_, _, layers) = withoutGradients { cell.traced(over: inputs, from: state) }
    guard let shape = inputs.tensors.first?.shape else { throw .noUnits }
    let recorder = UnitRecorder(positions: shape[0] * shape[1])
    let streams = (0..<shape[1]).map { $0 * shape[0]..<($0 + 1) * shape[0] }
    recorder.append(layers, starts: streams.map(\.lowerBound), recorded: streams)
    self = try recorder.finish()
  }
}

/// Why a network's units can't be recorded.
public enum RecordingError: Error, Equatable, Sendable, CustomStringConvertible {
  case notNumbers(layer: Int)
  case noPredictions
  case noUnits
  case noSignal(String, known: [String])

  public var description: String {
    switch self {
    case .notNumbers(let layer):
      "The states of layer \(layer) aren't numbers: the model's weights aren't whole, or its states "
        + "outgrow Float32 on this text (see unfold gradients); train it again."
    case .noPredictions:
      "The model's predictions aren't numbers, so its weights can't be whole; train it again."
    case .noSignal(let name, let known):
      "The units of this model have no “\(name)”; choose \(known.joined(separator: ", "))."
    case .noUnits: "There is no unit to record; the network has no state."
    }
  }
}
