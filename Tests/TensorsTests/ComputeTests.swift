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
    let asked = ProcessInfo.processInfo.environment["UNFOLD_KERNELS"] ?? available[0]
    #expect(Compute.instructionSet == asked)
    #expect(String(cString: unfold_kernels_best().pointee.name) == available[0])
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

  @Test(arguments: [1, 2, 3, 7])
  func sharesCoverEverythingInOrder(threads: Int) {
    withThreads(threads) {
      let seen = Mutex<[Int: Range<Int>]>([:])
      Compute.run { worker in
        seen.withLock { $0[worker.index] = worker.share(of: 100) }
      }
      let shares = seen.withLock { $0 }
      let indices = shares.keys.sorted().flatMap { Array(shares[$0]!) }
      #expect(indices == Array(0..<100))
    }
  }

  /// No worker passes a barrier before all have arrived, a thousand times over.
  @Test(arguments: [1, 2, 3])
  func barriersHoldAllBack(threads: Int) {
    withThreads(threads) {
      let arrived = Counter()
      let early = Counter()
      Compute.run { worker in
        for round in 1...1000 {
          arrived.add()
          worker.barrier()
          if arrived.value < round * worker.count { early.add() }
          worker.barrier()
        }
      }
      #expect(early.value == 0)
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
      Compute.run { worker in
        if worker.index == 0 { Compute.threads = 3 }
        worker.barrier()
        calls.add()
      }
      #expect(calls.value >= 1 && Compute.threads == 3)
    }
  }
}

/// A number that any thread may raise.
private final class Counter: Sendable {
  private let count = Atomic(0)
  var value: Int { count.load(ordering: .acquiring) }
  func add() { count.add(1, ordering: .acquiringAndReleasing) }
}
