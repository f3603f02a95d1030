import Tensors

/// What a unit did, as levels: its distinct numbers in ascending order, and 256 ranges of them with
/// about equally many positions each.
struct UnitLevels {
  /// Levels of `coarse`.
  static let coarseCount = 256

  /// The number of each level, ascending.
  let numbers: [Float]
  /// By position, the level.
  let fine: [UInt16]
  let coarse: [UInt16]

  /// - Complexity: O(N + 65,536): half precision has so many numbers, so that counting sorts.
  init(_ recording: UnitRecording, unit: Int) {
    let count = recording.count
    let codes = [UInt16](unsafeUninitializedCapacity: count) { buffer, initialized in
      recording.values.withUnsafeBufferPointer { values in
        let column = values[unit * count..<(unit + 1) * count]
        for (index, bits) in column.enumerated() { buffer[index] = Self.order(of: bits) }
      }
      initialized = count
    }
    var counts = [Int32](repeating: 0, count: 1 << 16)
    counts.withUnsafeMutableBufferPointer { counts in
      for code in codes { counts[Int(code)] &+= 1 }
    }
    var used: [UInt16] = []
    var fineOf = [UInt16](repeating: 0, count: 1 << 16)
    var coarseOf = fineOf
    var below = 0
    for code in counts.indices where counts[code] > 0 {
      fineOf[code] = UInt16(used.count)
      coarseOf[code] = UInt16(below * Self.coarseCount / count)
      used.append(UInt16(code))
      below += Int(counts[code])
    }
    fine = codes.map { fineOf[Int($0)] }
    coarse = codes.map { coarseOf[Int($0)] }
    numbers = Self.numbers(used)
  }

  /// A number between those of a level and of the one before it.
  func threshold(before level: Int) -> Float {
    level == 0 ? numbers[0] : (numbers[level - 1] + numbers[level]) / 2
  }

  /// The bits of half precision as a number with the same order; −0 is 0.
  private static func order(of bits: UInt16) -> UInt16 {
    bits & 0x8000 == 0 ? bits | 0x8000 : bits == 0x8000 ? 0x8000 : ~bits
  }

  private static func numbers(_ orders: [UInt16]) -> [Float] {
    let bits = orders.map { $0 & 0x8000 != 0 ? $0 & 0x7FFF : ~$0 }
    return [Float](unsafeUninitializedCapacity: bits.count) { buffer, count in
      bits.withUnsafeBufferPointer { bits in
        if let from = bits.baseAddress, let to = buffer.baseAddress {
          Compute.kernels.from_float16(bits.count, from, to)
        }
      }
      count = bits.count
    }
  }
}
