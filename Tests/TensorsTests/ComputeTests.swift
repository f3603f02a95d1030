import CKernels
import Foundation
import Synchronization
import Tensors
import Testing

/// The number of threads belongs to the whole process: one test at a time changes it, and puts it
/// back. Other suites may compute meanwhile, which must not matter.
@Suite(.serialized) struct ComputeTests {
  private func withThreads<R>(_ threads: Int, _ body: () -> R) -> R {
    let before = Compute.threads
    Compute.threads = threads
    defer { Compute.threads = before }
    return body()
  }

  @Test func theBestAvailableInstructionSetIsUsed() {
    let available = Compute.availableInstructionSets
    #expect(available.last == "portable")
    #expect(unfold_kernels_named("abacus") == nil)
    // Whoever asks for one that this machine lacks would test another without knowing.
    let asked = ProcessInfo.processInfo.environment["UNFOLD_KERNELS"] ?? ""
    #expect(Compute.instructionSet == (asked.isEmpty ? available[0] : asked))
    #expect(String(cString: unfold_kernels_best().pointee.name) == available[0])
  }

  /// The fewest parts that are even; the batch isn't cut where blocks are, nor into less than four.
  @Test(arguments: [
    (50, 16, 2, 1), (20, 21, 2, 2), (20, 21, 16, 3), (20, 7, 8, 1), (20, 7, 16, 2), (50, 4, 16, 4),
    (7, 21, 2, 1), (1, 1, 16, 1), (50, 4, 1, 1),
  ])
  func batchesAreCutWhereBlocksAreUneven(rows: Int, blocks: Int, threads: Int, parts: Int) {
    #expect(Compute.parts(of: rows, blocks: blocks, threads: threads) == parts)
  }

  @Test(arguments: [1, 2, 3, 7])
  func everyIndexComesOnce(threads: Int) {
    withThreads(threads) {
      #expect(Compute.threads == threads)
      for count in [0, 1, 2, 1000] {
        for cost in [0, 1_000_000] {
          let calls = (0..<count).map { _ in Counter() }
          Compute.forEach(count, cost: cost) { calls[$0].add() }
          #expect(calls.allSatisfy { $0.value == 1 })
        }
      }
    }
  }

  /// Every item once in every step, and no step before the one before is done, whatever the number
  /// of items beside that of threads.
  @Test(arguments: [1, 2, 3, 7], [1, 2, 5, 16])
  func stepsAreDoneInOrder(threads: Int, items: Int) {
    withThreads(threads) {
      let done = Counter()
      let early = Counter()
      let calls = (0..<1000 * items).map { _ in Counter() }
      Compute.forEachStep(1000, items: items, cost: 1_000_000) { step, item in
        if done.value < step * items { early.add() }
        calls[step * items + item].add()
        done.add()
      }
      #expect(early.value == 0)
      #expect(calls.allSatisfy { $0.value == 1 })
    }
  }

  /// A thread that is held up keeps only the item that it has begun; the others' threads go on.
  @Test func itemsOfASlowThreadAreTakenOver() {
    withThreads(2) {
      let isHeldUp = Mutex(false)
      let meanwhile = Counter()
      Compute.forEach(40, cost: 1_000_000) { item in
        if item == 0 {
          isHeldUp.withLock { $0 = true }
          usleep(300_000)
          isHeldUp.withLock { $0 = false }
        } else {
          usleep(2_000)
          if isHeldUp.withLock({ $0 }) { meanwhile.add() }
        }
      }
      // The other thread's own share is 20; all 39 take it 80 ms.
      #expect(meanwhile.value > 25)
    }
  }

  /// What the threads compute, large enough that they share it.
  private static func results() -> [[Float]] {
    let a = randomTensor([300, 270], seed: 1)
    let b = randomTensor([200, 270], seed: 2)
    let (few, table) = (a[0..<2], randomTensor([90, 300], seed: 4))
    let x = randomTensor([400, 300], seed: 3)
    let rows = (0..<400).map { Int32($0 * 7 % 90) }
    return [
      a.times(b.transposed).values, a.transposed.times(randomTensor([300, 50], seed: 5)).values,
      few.times(b.transposed).values, tanh(x + x * 0.3).values, x.columnSums.values,
      x.scattered(to: rows, of: table.shape).values, (x + table[0].broadcast).values,
      [x.crossEntropy(rows).item],
    ]
  }

  @Test func resultsDoNotDependOnTheNumberOfThreads() {
    let alone = withThreads(1) { Self.results() }
    for threads in [2, 3] { #expect(withThreads(threads) { Self.results() } == alone) }
  }

  /// A product of 50,010 operations, just enough to be divided, whose results are denormal: zero in
  /// a job of the team, and so they must be with any number of threads.
  @Test func denormalsDoNotDependOnTheNumberOfThreads() {
    let column = Tensor([15, 1], repeating: 0x1p-80)
    let row = Tensor([1, 1667], repeating: 0x1p-60)
    for threads in [1, 2, 3] {
      let product = withThreads(threads) { column.times(row) }
      #expect(product.values.allSatisfy { $0 == 0 }, "\(threads) threads")
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func callersAtOnceAreAllRight() async {
    let expected = Self.results()
    let before = Compute.threads
    Compute.threads = 3
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<3 { group.addTask { (0..<20).allSatisfy { _ in Self.results() == expected } } }
      for await isRight in group { #expect(isRight) }
    }
    Compute.threads = before
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3])
  func nestedWorkIsDone(threads: Int) {
    withThreads(threads) {
      let calls = (0..<100).map { _ in Counter() }
      Compute.forEach(10, cost: 1_000_000) { outer in
        Compute.forEach(10, cost: 1_000_000) { inner in calls[outer * 10 + inner].add() }
      }
      #expect(calls.allSatisfy { $0.value == 1 })
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func theTeamMayChangeWhileAnotherThreadComputes() async {
    let expected = Self.results()
    let before = Compute.threads
    let finished = Counter()
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        defer { finished.add() }
        return (0..<40).allSatisfy { _ in Self.results() == expected }
      }
      group.addTask {
        var threads = 1
        while finished.value == 0 {
          threads = threads % 3 + 1
          Compute.threads = threads
        }
        return true
      }
      for await isRight in group { #expect(isRight) }
    }
    Compute.threads = before
  }

  @Test func theTeamMayChangeFromInsideAJob() {
    withThreads(2) {
      let calls = Counter()
      Compute.forEach(2, cost: 1_000_000) { item in
        if item == 0 { Compute.threads = 3 }
        calls.add()
      }
      #expect(calls.value == 2 && Compute.threads == 3)
    }
  }
}

/// A number that any thread may raise.
private final class Counter: Sendable {
  private let count = Atomic(0)
  var value: Int { count.load(ordering: .acquiring) }
  func add() { count.add(1, ordering: .acquiringAndReleasing) }
}
