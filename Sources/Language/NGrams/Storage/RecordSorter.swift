import Interchange

/// Sorts records, however many: runs that fit into memory are sorted there, and then merged.
///
/// - SeeAlso: D. Knuth, "The Art of Computer Programming" 3, section 5.4.1.
final class RecordSorter<Record: Keyed> {
  private let bits: Int
  private let scratch: Scratch
  private let records: UnsafeMutableBufferPointer<Record>
  private let other: UnsafeMutableBufferPointer<Record>
  private var fill = 0
  private var runs: [Spool<Record>] = []

  /// - Parameters:
  ///   - bits: keys are below 2 to this power.
  ///   - count: as many records as will come at most.
  init(bits: Int, atMost count: Int, _ scratch: Scratch) {
    self.bits = bits
    self.scratch = scratch
    let room = max(1024, scratch.memory / 8 / MemoryLayout<Record>.stride)
    records = .allocate(capacity: max(1, min(room, count)))
    other = .allocate(capacity: records.count)
  }

  deinit {
    records.deallocate()
    other.deallocate()
  }

  /// - Throws: `FileError`.
  @inline(__always)
  func append(_ record: Record) throws(FileError) {
    if fill == records.count { try endRun() }
    records[fill] = record
    fill += 1
  }

  /// Calls `body` with all records, ascending by key.
  ///
  /// - Throws: `FileError`, and what `body` throws.
  func visit(_ body: (Record) throws -> Void) throws {
    guard !runs.isEmpty else {
      sortBuffer()
      for index in 0..<fill { try body(records[index]) }
      return
    }
    if fill > 0 { try endRun() }
    var merge = try Merge(runs.map { $0.reader() })
    while let record = try merge.next() { try body(record) }
  }

  private func sortBuffer() {
    radixSort(
      .init(rebasing: records[..<fill]), using: .init(rebasing: other[..<fill]), bits: bits)
  }

  private func endRun() throws(FileError) {
    sortBuffer()
    let run = Spool<Record>(scratch)
    for index in 0..<fill { try run.append(records[index]) }
    runs.append(run)
    fill = 0
  }
}

/// Sorted runs as one: a heap of their first records, least on top.
private struct Merge<Record: Keyed> {
  private var heap: [(record: Record, run: Spool<Record>.Reader)] = []

  init(_ runs: [Spool<Record>.Reader]) throws(FileError) {
    for run in runs {
      if let record = try run.next() { heap.append((record, run)) }
    }
    for index in heap.indices.reversed() { sink(index) }
  }

  mutating func next() throws(FileError) -> Record? {
    guard let (record, run) = heap.first else { return nil }
    if let following = try run.next() {
      heap[0].record = following
    } else {
      heap[0] = heap[heap.count - 1]
      heap.removeLast()
    }
    sink(0)
    return record
  }

  /// Moves an entry down to where none below it is less.
  private mutating func sink(_ index: Int) {
    var index = index
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].record.key < heap[child].record.key { child += 1 }
      guard heap[child].record.key < heap[index].record.key else { return }
      heap.swapAt(child, index)
      index = child
    }
  }
}
