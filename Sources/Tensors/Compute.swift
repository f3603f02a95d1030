import CKernels
import Foundation
import Synchronization

/// What this process computes with: the instruction set of the kernels, and a team of threads.
///
/// Results don't depend on the number of threads: work is divided so that every number is computed
/// by one thread, in an order that the division doesn't change.
public enum Compute {
  /// The instruction sets that this machine can run, best first.
  public static var availableInstructionSets: [String] {
    ["avx512", "avx2", "portable"].filter { unfold_kernels_named($0) != nil }
  }

  /// The instruction set in use: the best, or the one that `UNFOLD_KERNELS` names.
  public static var instructionSet: String { String(cString: kernels.name) }

  /// The number of threads that share the work of one operation.
  ///
  /// At the start `UNFOLD_THREADS`, or as many as there are processors.
  public static var threads: Int {
    get { team.withLock { $0.threads } }
    set {
      require(newValue > 0, "the number of threads must be positive, not \(newValue)")
      team.withLock { if $0.threads != newValue { $0 = Team(threads: newValue) } }
    }
  }

  package static let kernels: unfold_kernels = {
    if let name = ProcessInfo.processInfo.environment["UNFOLD_KERNELS"],
      let kernels = unfold_kernels_named(name)
    {
      return kernels.pointee
    }
    return unfold_kernels_best().pointee
  }()

  /// Columns of a packed panel, and hidden units of a block.
  package static var panelWidth: Int { Int(kernels.panel_width) }

  private static let team: Mutex<Team> = {
    let process = ProcessInfo.processInfo
    let asked = process.environment["UNFOLD_THREADS"].flatMap { Int($0) } ?? 0
    let isPossible = (1...1024).contains(asked)
    return Mutex(Team(threads: isPossible ? asked : process.activeProcessorCount))
  }()

  /// Runs `body` once on every thread of the team.
  ///
  /// If another caller has the team at work, `body` runs on this thread alone, as the only worker:
  /// later, but with the same result.
  package static func run(_ body: (Worker) -> Void) { team.withLock { $0 }.run(body) }

  /// As `run`, or on this thread alone when there is too little work to share.
  ///
  /// - Parameter cost: floating-point operations between two barriers, roughly.
  package static func run(cost: Int, _ body: (Worker) -> Void) {
    if cost > 200_000 { run(body) } else { Team.alone.run(body) }
  }

  /// Calls `body` for every index below `count`, divided among the threads if there is enough work.
  ///
  /// - Parameter cost: floating-point operations of one call, roughly.
  package static func forEach(_ count: Int, cost: Int, _ body: (Int) -> Void) {
    forEach(count, work: count * cost, body)
  }

  /// As above, given the cost of all calls: where `count` depends on the number of threads, whether
  /// they are used (and with them, denormals are zero) mustn't.
  package static func forEach(_ count: Int, work: Int, _ body: (Int) -> Void) {
    guard count > 1, work > 50_000 else {
      for index in 0..<count { body(index) }
      return
    }
    run { worker in
      while let index = worker.next(below: count) { body(index) }
    }
  }
}

/// One thread of a team, inside a job.
package struct Worker {
  package let index: Int
  package let count: Int
  fileprivate let team: OpaquePointer?
  fileprivate let alone: Counter

  fileprivate final class Counter { var next = 0 }

  /// Waits for all workers of the job.
  package func barrier() {
    if count > 1, let team { unfold_team_barrier(team) }
  }

  /// The next piece of work that nobody has taken yet.
  package func next(below limit: Int) -> Int? {
    let index: Int
    if let team {
      index = unfold_team_next(team)
    } else {
      index = alone.next
      alone.next += 1
    }
    return index < limit ? index : nil
  }

  /// This worker's share of `total` items, contiguous.
  package func share(of total: Int) -> Range<Int> {
    (total * index / count)..<(total * (index + 1) / count)
  }
}

/// Owns a team of C threads.
private final class Team: @unchecked Sendable {
  static let alone = Team(threads: 1)

  let threads: Int
  private let handle: OpaquePointer?

  init(threads: Int) {
    self.threads = threads
    handle = threads > 1 ? unfold_team_create(Int32(threads)) : nil
  }

  deinit {
    if let handle { unfold_team_destroy(handle) }
  }

  private struct Job {
    let body: (Worker) -> Void
    let team: OpaquePointer?
  }

  private static let call: unfold_job = { context, index, count in
    let job = context.assumingMemoryBound(to: Job.self).pointee
    let worker = Worker(
      index: Int(index), count: Int(count), team: job.team, alone: Worker.Counter())
    job.body(worker)
  }

  func run(_ body: (Worker) -> Void) {
    let isDone = withExtendedLifetime(self) {
      withoutActuallyEscaping(body) { body in
        var job = Job(body: body, team: handle)
        return withUnsafeMutablePointer(to: &job) { context in
          handle.map { unfold_team_run($0, Self.call, context) != 0 } ?? false
        }
      }
    }
    if !isDone { Self.runAlone(body) }
  }

  /// Runs `body` on this thread only, with the same treatment of denormals as a team.
  static func runAlone(_ body: (Worker) -> Void) {
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body, team: nil)
      withUnsafeMutablePointer(to: &job) { unfold_run_alone(call, $0) }
    }
  }
}
