import Recurrence
import Tensors

/// Collects traces, window by window, into a recording.
///
/// Memory: two bytes a unit and position, and nothing of a window after it has been appended.
public final class UnitRecorder {
  private struct Layer {
    let size: Int
    let signal: String
    let first: Int
    /// By gate: how often each unit's was shut, and open.
    var gates: [(name: String, left: [Int32], right: [Int32])]
    var hasNonNumbers = false
  }

  private let count: Int
  private let wanted: String?
  private var recorded = 0
  /// What the layers have.
  private var names: [String] = []
  private var layers: [Layer] = []
  private var values: [UInt16] = []

  /// - Parameters:
  ///   - positions: N, of the whole recording.
  ///   - signal: what is recorded, by its name in a trace: a part of the state or a gate. Nil for the
  ///     memory c of a cell that has one, else its first state.
  public init(positions: Int, signal: String? = nil) { (count, wanted) = (positions, signal) }

  /// Records the steps of a window that belong to the recording.
  ///
  /// - Parameters:
  ///   - traces: of each layer, `[T, B, …]`; the same layers in each window.
  ///   - starts: the position of each sequence's first step.
  ///   - ranges: the positions that each sequence is to record; its other steps are passed over.
  public func append(_ traces: [LayerTrace], starts: [Int], recorded ranges: [Range<Int>]) {
    if layers.isEmpty { begin(traces) }
    if layers.isEmpty { return }  // No layer has what is wanted, as `finish` will tell.
    require(
      traces.count == layers.count && starts.count == ranges.count,
      "a window of \(traces.count) layers after one of \(layers.count)")
    for (index, trace) in traces.enumerated() {
      guard let signal = Self.signal(wanted, of: trace) else { continue }
      let (steps, batch) = (signal.values.shape[0], signal.values.shape[1])
      require(batch == starts.count, "\(batch) sequences, \(starts.count) starts")
      let rows = Rows(steps: steps, starts: starts, recorded: ranges)
      if index == 0 { recorded += rows.rows.count }
      store(signal.values, rows, layer: index)
      for (gate, values) in trace.gates.enumerated() {
        countSaturated(values.values, rows, layer: index, gate: gate)
      }
    }
  }

  /// - Throws: ``RecordingError``.
  /// - Precondition: every position has been recorded.
  public func finish() throws(RecordingError) -> UnitRecording {
    if let wanted, layers.isEmpty { throw .noSignal(wanted, known: names) }
    guard !values.isEmpty else { throw .noUnits }
    require(recorded == count, "\(recorded) of \(count) positions have been recorded")
    for (index, layer) in layers.enumerated() where layer.hasNonNumbers {
      throw .notNumbers(layer: index)
    }
    let total = Float(count)
    let finished = layers.map { layer in
      UnitRecording.Layer(
        size: layer.size, signal: layer.signal, first: layer.first,
        saturation: layer.gates.map { gate in
          GateSaturation(
            gate: gate.name, left: gate.left.map { Float($0) / total },
            right: gate.right.map { Float($0) / total })
        })
    }
    return UnitRecording(layers: finished, count: count, values: values)
  }

  /// What is recorded of a layer: see `init`.
  static func signal(_ name: String? = nil, of trace: LayerTrace) -> TracedTensor? {
    if let name { return (trace.states + trace.gates).first { $0.name == name } }
    return trace.states.first { $0.name == "c" } ?? trace.states.first
  }

  /// The units of a tensor `[T, B, …]`.
  static func unitCount(_ tensor: TracedTensor) -> Int {
    tensor.values.shape.dimensions.dropFirst(2).reduce(1, *)
  }

  private func begin(_ traces: [LayerTrace]) {
    var first = 0
    names = traces.first.map { ($0.states + $0.gates).map(\.name) } ?? []
    layers = traces.compactMap { trace in
      guard let signal = Self.signal(wanted, of: trace) else { return nil }
      let size = Self.unitCount(signal)
      defer { first += size }
      let gates = trace.gates.map { gate in
        let units = Self.unitCount(gate)
        return (gate.name, [Int32](repeating: 0, count: units), [Int32](repeating: 0, count: units))
      }
      return Layer(size: size, signal: signal.name, first: first, gates: gates)
    }
    values = [UInt16](repeating: 0, count: first * count)
  }

  /// Rows of a window, t·B + b, that are recorded, and their positions.
  private struct Rows {
    var rows: [(row: Int, position: Int)] = []

    init(steps: Int, starts: [Int], recorded: [Range<Int>]) {
      for (stream, start) in starts.enumerated() {
        for step in 0..<steps where recorded[stream].contains(start + step) {
          rows.append((step * starts.count + stream, start + step))
        }
      }
    }
  }

  /// Rounds to half precision, and turns `[T, B, U]` into columns `[U, N]`.
  private func store(_ tensor: Tensor, _ rows: Rows, layer index: Int) {
    let (size, first, total) = (layers[index].size, layers[index].first, tensor.count)
    var rounded = [UInt16](repeating: 0, count: total)
    let width = 64
    let blocks = (size + width - 1) / width
    var isOdd = [Bool](repeating: false, count: blocks)
    rounded.withUnsafeMutableBufferPointer { rounded in
      values.withUnsafeMutableBufferPointer { values in
        isOdd.withUnsafeMutableBufferPointer { isOdd in
          guard let half = rounded.baseAddress, let out = values.baseAddress,
            let odd = isOdd.baseAddress
          else { return }
          tensor.withValues { from in
            guard let from = from.baseAddress else { return }
            let chunk = 1 << 14
            Compute.forEach((total + chunk - 1) / chunk, cost: chunk * 4) { part in
              let at = part * chunk
              Compute.kernels.to_float16(min(chunk, total - at), from + at, half + at)
            }
          }
          Compute.forEach(blocks, cost: rows.rows.count * width * 4) { block in
            let units = block * width..<min((block + 1) * width, size)
            for (row, position) in rows.rows {
              for unit in units {
                var bits = half[row * size + unit]
                if bits & 0x7C00 == 0x7C00 {
                  if bits & 0x3FF != 0 { odd[block] = true }
                  bits = bits & 0x8000 | 0x7BFF  // The largest number there is, ±65,504.
                }
                out[(first + unit) * self.count + position] = bits
              }
            }
          }
        }
      }
    }
    if isOdd.contains(true) { layers[index].hasNonNumbers = true }
  }

  private func countSaturated(_ tensor: Tensor, _ rows: Rows, layer: Int, gate: Int) {
    var (_, shut, open) = layers[layer].gates[gate]
    let size = shut.count
    let (low, high) = (GateSaturation.bound, 1 - GateSaturation.bound)
    shut.withUnsafeMutableBufferPointer { left in
      open.withUnsafeMutableBufferPointer { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return }
        let width = 128
        tensor.withValues { values in
          guard let values = values.baseAddress else { return }
          Compute.forEach((size + width - 1) / width, cost: rows.rows.count * width * 2) { block in
            let units = block * width..<min((block + 1) * width, size)
            for (row, _) in rows.rows {
              for unit in units {
                let value = values[row * size + unit]
                left[unit] &+= value < low ? 1 : 0
                right[unit] &+= value > high ? 1 : 0
              }
            }
          }
        }
      }
    }
    layers[layer].gates[gate].left = shut
    layers[layer].gates[gate].right = open
  }
}
