/// Counts of n-grams that are packed into an integer: open addressing, at most half full.
struct CountTable: Sendable {
  /// A packed key plus one, 0 where a slot is free; the count of slots is a power of two.
  private var keys = [UInt64](repeating: 0, count: 1024)
  private var counts = [UInt32](repeating: 0, count: 1024)
  private var used = 0
  /// 64 − log₂(slots).
  private var shift: UInt64 = 54

  /// The count of a key below 2⁶⁴ − 1; 0 for one never seen.
  subscript(key: UInt64) -> Int { Int(counts[slot(of: key)]) }

  mutating func increment(_ key: UInt64) {
    let slot = slot(of: key)
    if keys[slot] == 0 {
      keys[slot] = key + 1
      used += 1
    }
    counts[slot] += 1
    if used * 2 > keys.count { grow() }
  }

  private func slot(of key: UInt64) -> Int {
    // Fibonacci hashing: the high bits of the product choose the slot.
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != 0, keys[slot] != key + 1 { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }

  private mutating func grow() {
    let (oldKeys, oldCounts) = (keys, counts)
    keys = [UInt64](repeating: 0, count: oldKeys.count * 4)
    counts = [UInt32](repeating: 0, count: keys.count)
    shift -= 2
    for (key, count) in zip(oldKeys, oldCounts) where key != 0 {
      let slot = slot(of: key - 1)
      (keys[slot], counts[slot]) = (key, count)
    }
  }
}
