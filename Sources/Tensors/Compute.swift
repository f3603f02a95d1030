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
    ["avx512vnni", "avx512", "avx2vnni", "avx2", "neon", "portable"]
      .filter { unfold_kernels_named($0) != nil }
  }

  /// The instruction set in use: the best, or the one that the environment variable
  /// `UNFOLD_KERNELS` names, if this machine can run it (see `checkEnvironment`).
  public static var instructionSet: String { String(cString: kernels.name) }

  /// The number of threads that share the work of one operation.
  ///
  /// At the start as many as there are performance cores, or as the environment variable
  /// `UNFOLD_THREADS` says, if that is a number from 1 to 1024 (see `checkEnvironment`).
  public static var threads: Int {
    get { team.withLock { $0.threads } }
    set {
      require(newValue > 0, "the number of threads must be positive, not \(newValue)")
      team.withLock { if $0.threads != newValue { $0 = Team(threads: newValue) } }
    }
  }

  package static let kernels: unfold_kernels = {
    (Environment.kernels.flatMap { unfold_kernels_named($0) } ?? unfold_kernels_best()).pointee
  }()

  /// Columns of a packed panel, and hidden units of a block.
  package static var panelWidth: Int { Int(kernels.panel_width) }

  private static let team: Mutex<Team> = {
    Mutex(Team(threads: Environment.threadCount ?? Processors.cores))
  }()

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
    team.withLock { $0 }.run(steps: 1, items: count) { _, item in body(item) }
  }

  /// Into how many parts the rows of a batch are divided where blocks of columns alone don't divide
  /// evenly among threads: the fewest for which a thread has at most 3 % more than the mean, or else
  /// the fewest of those that divide best. Each has four rows at least: the product of fewer takes as
  /// long as that of four.
  package static func parts(of rows: Int, blocks: Int, threads: Int) -> Int {
    var best = (parts: 1, evenness: 0.0)
    for parts in 1...max(1, min(threads, rows / 4)) where best.evenness < 0.97 {
      let items = blocks * parts
      let largest = (items + threads - 1) / threads
      let evenness = Double(items) / Double(largest * threads)
      if evenness > best.evenness { best = (parts, evenness) }
    }
    return best.parts
  }

  /// Calls `body` for all items of step 0, then for all of step 1, and so on, the items of a step
  /// divided among the threads if there is enough work in it.
  ///
  /// An item goes to the same thread in each step, if that doesn't lag behind. If another caller has
  /// the team at work, all is done on this thread: later, but with the same result.
  ///
  /// - Parameter cost: floating-point operations of one step, roughly.
  package static func forEachStep(
    _ steps: Int, items: Int, cost: Int, _ body: (_ step: Int, _ item: Int) -> Void
  ) {
    let team = cost > 200_000 ? team.withLock { $0 } : .alone
    team.run(steps: steps, items: items, body)
  }
}

/// Owns a team of C threads.
final class Team: @unchecked Sendable {
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

  /// A closure where C can point to it.
  private struct Work {
    let body: (_ step: Int, _ item: Int) -> Void
  }

  private static let call: unfold_work = { context, step, item in
    context.assumingMemoryBound(to: Work.self).pointee.body(step, item)
  }

  func run(steps: Int, items: Int, _ body: (_ step: Int, _ item: Int) -> Void) {
    withExtendedLifetime(self) {
      withoutActuallyEscaping(body) { body in
        var work = Work(body: body)
        withUnsafeMutablePointer(to: &work) { context in
          if !runTogether(steps: steps, items: items, context) {
            unfold_run_alone(steps, items, Self.call, context)
          }
        }
      }
    }
  }

  /// False, and nothing done, if there is no team or it is at work for another caller.
  private func runTogether(steps: Int, items: Int, _ context: UnsafeMutablePointer<Work>) -> Bool {
    guard let handle else { return false }
    return withPooled(Int.self, count: 8 * max(items, 1)) { claims in
      claims.baseAddress.map {
        unfold_team_run(handle, steps, items, $0, Self.call, context) != 0
      } ?? false
    }
  }
}
