/// Numbers for pairs of tokens, in the order in which the pairs come: open addressing with linear
/// probing, at most half full.
struct PairTable: Sendable {
  /// The left token above the right one, by number.
  private(set) var pairs: [UInt64] = []
  /// Numbers, −1 where a slot is free; the count is a power of two.
  private var slots = [Int32](repeating: -1, count: 1024)
  /// 64 − log₂(slots).
  private var shift: UInt64 = 54

  @inline(__always)
  static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The number of a pair; nil if it was never inserted.
  func index(of pair: UInt64) -> Int? {
    let index = Int(slots[slot(of: pair)])
    return index < 0 ? nil : index
  }

  /// The number of a pair, a new one if it wasn't there.
  mutating func insert(_ pair: UInt64) -> Int {
    let slot = slot(of: pair)
    if slots[slot] >= 0 { return Int(slots[slot]) }
    let index = pairs.count
    slots[slot] = Int32(index)
    pairs.append(pair)
    if pairs.count * 2 > slots.count { grow() }
    return index
  }

  private func slot(of pair: UInt64) -> Int {
    // Fibonacci hashing: the high bits of the product choose the slot.
    var slot = Int((pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while slots[slot] >= 0, pairs[Int(slots[slot])] != pair {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    shift -= 2
    for (index, pair) in pairs.enumerated() { slots[slot(of: pair)] = Int32(index) }
  }
}
