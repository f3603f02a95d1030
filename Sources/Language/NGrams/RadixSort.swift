/// Sorts `keys` by their lowest `bits` bits, and moves `payload` along; equal keys keep their order.
///
/// Least significant digit first, 11 bits at a time; digits that are all alike are passed over.
///
/// - Complexity: O(keys · bits); needs as much memory again.
func radixSort(_ keys: inout [UInt64], carrying payload: inout [UInt32], bits: Int) {
  let width = 11
  let mask = UInt64(1 << width - 1)
  var otherKeys = [UInt64](repeating: 0, count: keys.count)
  var otherPayload = [UInt32](repeating: 0, count: keys.count)
  for shift in stride(from: 0, to: bits, by: width) {
    var ends = [Int](repeating: 0, count: 1 << width)
    for key in keys { ends[Int(key >> UInt64(shift) & mask)] += 1 }
    if ends.contains(keys.count) { continue }
    var sum = 0
    for digit in ends.indices { (ends[digit], sum) = (sum, sum + ends[digit]) }
    for index in keys.indices {
      let digit = Int(keys[index] >> UInt64(shift) & mask)
      otherKeys[ends[digit]] = keys[index]
      otherPayload[ends[digit]] = payload[index]
      ends[digit] += 1
    }
    swap(&keys, &otherKeys)
    swap(&payload, &otherPayload)
  }
}

/// How many bits the numbers below `count` take.
func bitsNeeded(below count: Int) -> Int { Int.bitWidth - max(count - 1, 1).leadingZeroBitCount }
