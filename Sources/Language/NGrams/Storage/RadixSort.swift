import Tensors

/// What can be sorted by a whole number.
protocol Keyed: BitwiseCopyable, Sendable {
  var key: UInt64 { get }
}

/// Sorts records by the lowest `bits` bits of their keys; equal keys keep their order.
///
/// Least significant digit first, 11 bits at a time; digits that are all alike are passed over. The
/// records are divided among the threads, each of which knows where its own ones go.
///
/// - Parameter other: room for as many records.
/// - Complexity: O(records · bits).
func radixSort<Record: Keyed>(
  _ records: UnsafeMutableBufferPointer<Record>, using other: UnsafeMutableBufferPointer<Record>,
  bits: Int
) {
  let width = 11
  let parts = records.count > 1 << 15 ? Compute.threads : 1
  let length = (records.count + parts - 1) / parts
  nonisolated(unsafe) var (from, to) = (records, other)
  nonisolated(unsafe) let places = UnsafeMutableBufferPointer<Int>.allocate(
    capacity: parts << width)
  defer { places.deallocate() }
  for shift in stride(from: 0, to: bits, by: width) {
    @inline(__always) func digit(_ record: Record) -> Int {
      Int(truncatingIfNeeded: record.key >> UInt64(shift)) & (1 << width - 1)
    }
    func forEachPart(_ body: (Range<Int>, UnsafeMutablePointer<Int>) -> Void) {
      Compute.forEach(parts, work: records.count * 10) { part in
        let begin = min(part * length, records.count)
        guard let base = places.baseAddress else { return }
        body(begin..<min(begin + length, records.count), base + part << width)
      }
    }
    places.update(repeating: 0)
    forEachPart { range, counts in
      for index in range { counts[digit(from[index])] += 1 }
    }
    if findPlaces(places, parts: parts, digits: 1 << width, total: records.count) { continue }
    forEachPart { range, places in
      for index in range {
        let digit = digit(from[index])
        to[places[digit]] = from[index]
        places[digit] += 1
      }
    }
    swap(&from, &to)
  }
  if from.baseAddress != records.baseAddress { _ = records.update(fromContentsOf: from) }
}

/// Turns how often each part has each digit into where its records with that digit go.
///
/// - Returns: whether all records have the same digit.
private func findPlaces(
  _ places: UnsafeMutableBufferPointer<Int>, parts: Int, digits: Int, total: Int
) -> Bool {
  var sum = 0
  for digit in 0..<digits {
    let before = sum
    for part in 0..<parts {
      let count = places[part * digits + digit]
      places[part * digits + digit] = sum
      sum += count
    }
    if sum - before == total { return true }
  }
  return false
}

/// How many bits the numbers below `count` take.
func bitsNeeded(below count: Int) -> Int { Int.bitWidth - max(count - 1, 1).leadingZeroBitCount }
