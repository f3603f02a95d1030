import Foundation
import Tensors

/// Scores all units on a graded probe, and on the same with rotated labels: correlations.
///
///     r = (n·Σxy − Σx·Σy) / √((n·Σx² − (Σx)²)·(n·Σy² − (Σy)²))
///
/// The sign is chosen on the first half, so a unit's score is r on the second half, times that sign.
/// All sums with labels are one product of matrices, [U, N]·[N, 1 + S], block by block.
struct CorrelationRanking {
  let recording: UnitRecording
  let labels: ProbeLabels

  struct Result {
    /// On the half that chose the sign, and on the other.
    var training: Float = 0
    var correlation: Float = 0
    /// The scores with each of the rotated labels.
    var control: [Float] = []

    /// r on the second half with the sign of the first.
    var score: Float { training < 0 ? -correlation : correlation }
  }

  private static let block = 2048

  /// By unit (of all layers).
  func results() -> [Result] {
    let mean = labels.values.reduce(0) { $0 + Double($1) } / Double(max(labels.count, 1))
    let centred = labels.values.map { $0 - Float(mean) }
    let halves = [0..<labels.training, labels.training..<labels.count].map { range in
      correlations(in: range, centred)
    }
    return (0..<recording.unitCount).map { unit in
      let (first, second) = (halves[0][unit], halves[1][unit])
      return Result(
        training: first[0], correlation: second[0],
        control: zip(first, second).dropFirst().map { $0 < 0 ? -$1 : $1 })
    }
  }

  /// By unit and rotation (the first is the truth), over a part of the positions.
  private func correlations(in range: Range<Int>, _ centred: [Float]) -> [[Float]] {
    let (units, columns) = (recording.unitCount, labels.rotations.count)
    var sums = Sums(units: units, columns: columns)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.block) {
      sums.add(
        recording.block(labels, start..<min(start + Self.block, range.upperBound)),
        labels: rotated(start..<min(start + Self.block, range.upperBound), centred))
    }
    return (0..<units).map { unit in
      (0..<columns).map { sums.correlation(unit: unit, column: $0, count: range.count) }
    }
  }

  /// Labels by position and rotation, and a column of ones: `[n, 1 + S + 1]`.
  private func rotated(_ range: Range<Int>, _ centred: [Float]) -> Tensor {
    let columns = labels.rotations.count
    return Tensor([range.count, columns + 1]) { out in
      for (row, index) in range.enumerated() {
        let row = out + row * (columns + 1)
        for (column, rotation) in labels.rotations.enumerated() {
          row[column] = centred[labels.source(of: index, rotation)]
        }
        row[columns] = 1
      }
    }
  }
}

/// Σx, Σx², Σy, Σy² and Σxy, in double precision, of blocks of positions.
private struct Sums {
  let columns: Int
  var x, squaredX: [Double]
  var y, squaredY: [Double]
  var products: [Double]

  init(units: Int, columns: Int) {
    self.columns = columns
    x = [Double](repeating: 0, count: units)
    squaredX = x
    y = [Double](repeating: 0, count: columns)
    squaredY = y
    products = [Double](repeating: 0, count: units * columns)
  }

  /// - Parameters:
  ///   - block: x, `[U, n]`.
  ///   - labels: y, and a column of ones, `[n, columns + 1]`.
  mutating func add(_ block: Tensor, labels: Tensor) {
    let n = block.shape[1]
    let values = withoutGradients { block.times(labels) }.values
    for unit in x.indices {
      let row = unit * (columns + 1)
      for column in 0..<columns {
        products[unit * columns + column] += Double(values[row + column])
      }
      x[unit] += Double(values[row + columns])
      squaredX[unit] += block.withValues { values in
        values.baseAddress.map { Compute.kernels.sum_of_squares(n, $0 + unit * n) } ?? 0
      }
    }
    labels.withValues { values in
      for row in 0..<n {
        for column in 0..<columns {
          let value = Double(values[row * (columns + 1) + column])
          y[column] += value
          squaredY[column] += value * value
        }
      }
    }
  }

  /// 0 where one of the two never changes.
  func correlation(unit: Int, column: Int, count: Int) -> Float {
    let n = Double(count)
    let spreadX = n * squaredX[unit] - x[unit] * x[unit]
    let spreadY = n * squaredY[column] - y[column] * y[column]
    let common = n * products[unit * columns + column] - x[unit] * y[column]
    let scale = (max(spreadX, 0) * max(spreadY, 0)).squareRoot()
    // What rounding leaves of a unit that never changes is no spread.
    guard spreadX > 1e-10 * n * squaredX[unit], scale > 0 else { return 0 }
    return Float(min(max(common / scale, -1), 1))
  }
}

extension UnitRecording {
  /// The numbers of some units where a probe applies, `[U, n]`.
  ///
  /// - Parameter range: numbers of `labels.positions`.
  func block(_ labels: ProbeLabels, _ range: Range<Int>, units: Range<Int>? = nil) -> Tensor {
    block(at: labels.positions[range], units: units)
  }

  /// The numbers of some units at ascending positions, `[U, n]`.
  func block(at positions: ArraySlice<Int32>, units: Range<Int>? = nil) -> Tensor {
    let units = units ?? 0..<unitCount
    let n = positions.count
    guard let first = positions.first.map(Int.init), let last = positions.last.map(Int.init) else {
      return Tensor(zeros: [units.count, 0])
    }
    return Tensor([units.count, n]) { out in
      Compute.forEach(units.count, cost: 4 * (last - first + 1)) { index in
        let unit = units.lowerBound + index
        let row = out + index * n
        guard last - first + 1 > n else { return decode(unit, first..<last + 1, into: row) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: last - first + 1) { span in
          guard let base = span.baseAddress else { return }
          decode(unit, first..<last + 1, into: base)
          for (column, position) in positions.enumerated() {
            row[column] = base[Int(position) - first]
          }
        }
      }
    }
  }
}
