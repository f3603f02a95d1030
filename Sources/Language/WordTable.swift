import Foundation

/// Numbers byte strings in the order in which they are first seen.
///
/// Words are compared byte for byte: `String` would take two spellings of "é" for one, and would
/// have to be made for every word of a text. Open addressing with linear probing, at most half
/// full; all spellings lie in one buffer.
///
/// - Complexity: O(length of the word) per look-up; no allocation for a word already known.
struct WordTable: Sendable {
  private var spellings: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  /// Word numbers, −1 where a slot is free; the count is a power of two.
  private var slots = [Int32](repeating: -1, count: 64)

  var count: Int { ends.count }

  subscript(index: Int) -> ArraySlice<UInt8> {
    spellings[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The number of `word`, or nil if it was never inserted.
  func index(of word: UnsafeRawBufferPointer) -> Int32? {
    let found = slots[slot(of: word, hash: Self.hash(word))]
    return found < 0 ? nil : found
  }

  /// The number of `word`, a new one if it wasn't there.
  mutating func insert(_ word: UnsafeRawBufferPointer) -> Int32 {
    let hash = Self.hash(word)
    let slot = slot(of: word, hash: hash)
    if slots[slot] >= 0 { return slots[slot] }
    let index = Int32(count)
    slots[slot] = index
    spellings.append(contentsOf: word)
    ends.append(spellings.count)
    hashes.append(hash)
    if count * 2 > slots.count { grow() }
    return index
  }

  /// The slot that holds `word`, or the free one where it would go.
  private func slot(of word: UnsafeRawBufferPointer, hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] >= 0, !matches(Int(slots[slot]), word, hash) {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func matches(_ index: Int, _ word: UnsafeRawBufferPointer, _ hash: UInt64) -> Bool {
    guard hashes[index] == hash else { return false }
    let begin = index == 0 ? 0 : ends[index - 1]
    return ends[index] - begin == word.count
      && spellings.withUnsafeBytes { spellings in
        guard let base = spellings.baseAddress, let other = word.baseAddress else { return true }
        return memcmp(base + begin, other, word.count) == 0
      }
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(index)
    }
  }

  /// FNV-1a, its high bits folded onto the low ones that choose the slot.
  private static func hash(_ word: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash ^ hash >> 32
  }
}
