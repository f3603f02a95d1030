import Foundation
import Interchange
import Language
import Synchronization
import Tensors

/// At which lag cells still learn: trials over tasks, cells, lags and seeds, several at a time.
///
/// The lags rise; when no seed of a cell has learned a task at one, longer ones aren't tried. At each
/// lag every cell has its first seed before any has its second, so that all have come equally far when
/// the time is up. What a trial gives never depends on the time. Each result is a line of a file at
/// once, and a study that goes on skips those that it holds.
public struct MemoryStudy: Sendable {
  public var settings = MemorySettings()
  /// In the order in which they are tried.
  public var cells: [CellKind] = [.lstm, .gru, .elman]
  public var lags = [10, 20, 50, 100, 200, 500]
  public var seeds: [UInt64] = [1, 2, 3]
  /// After how long a run ends: trials that haven't ended by then are left out. Nil for when all are
  /// done. As a trial looks at the clock only when it is tested, leave a minute more.
  public var budget: Duration? = .seconds(19 * 60)

  public init() {}

  /// What a study tells while it runs.
  public struct Progress: Sendable {
    public let done: Int
    public let total: Int
    public let last: MemoryResult
  }

  /// Runs what the file doesn't hold yet.
  ///
  /// - Parameters:
  ///   - file: results, a JSON object a line; made if it is missing.
  ///   - lanes: how many trials run at a time. They are too small to share threads: with one for
  ///     each, `Compute.threads` had better be 1.
  ///   - shouldStop: asked now and then, from any thread.
  ///   - progress: called after each trial, from any thread, one call at a time.
  /// - Returns: all results of these settings that the file now holds; ``missing(in:)`` tells what
  ///   is left to do.
  /// - Throws: `FileError`, or `SettingError` for settings out of range.
  public func run(
    keeping file: URL, lanes: Int = 1, shouldStop: @escaping @Sendable () -> Bool,
    progress: @escaping @Sendable (Progress) -> Void
  ) throws -> [MemoryResult] {
    let record = Record(self, file: file, progress: progress)
    let clock = ContinuousClock()
    let end = budget.map { clock.now + $0 }
    let isOver = { @Sendable () -> Bool in shouldStop() || end.map { clock.now >= $0 } ?? false }
    var rows = rows
    for lag in lags where !rows.isEmpty {
      let trials = seeds.flatMap { seed in rows.map { $0.trial(lag: lag, seed: seed) } }
      runAll(trials, lanes: lanes, record, isOver)
      if isOver() { break }
      let known = rows.count
      rows.removeAll { row in
        !seeds.contains { record.hasLearned(row.trial(lag: lag, seed: $0)) }
      }
      let longer = lags.filter { $0 > lag }.count
      record.skip((known - rows.count) * longer * seeds.count)
    }
    return try record.finished()
  }

  /// A cell on a task.
  private struct Row {
    let task: MemoryTrial.Task
    let cell: CellKind

    func trial(lag: Int, seed: UInt64) -> MemoryTrial {
      MemoryTrial(task: task, cell: cell, lag: lag, seed: seed)
    }
  }

  private var rows: [Row] {
    MemoryTrial.Task.allCases.flatMap { task in cells.map { Row(task: task, cell: $0) } }
  }

  private func runAll(
    _ trials: [MemoryTrial], lanes: Int, _ record: Record, _ isOver: @escaping @Sendable () -> Bool
  ) {
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(max(lanes, 1), trials.count)) { _ in
      while !isOver() {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < trials.count, record.result(of: trials[index], isOver) != nil else { return }
      }
    }
  }

  /// The trials that a study of which there are these results still has to run, as far as that can
  /// be told: at longer lags there may be more.
  public func missing(in results: [MemoryResult]) -> [MemoryTrial] {
    let known = Dictionary(results.map { ($0.trial, $0.isLearned) }, uniquingKeysWith: { $1 })
    return rows.flatMap { row -> [MemoryTrial] in
      var missing: [MemoryTrial] = []
      for lag in lags {
        let trials = seeds.map { row.trial(lag: lag, seed: $0) }
        missing += trials.filter { known[$0] == nil }
        if !trials.contains(where: { known[$0] == true }) { break }
      }
      return missing
    }
  }

  /// The results that a file holds for the settings of its last line, by task, cell, lag and seed.
  /// A line that was cut off is left out.
  public static func results(in file: URL) -> [MemoryResult] {
    let lines = lines(of: file)
    return sorted(lines.filter { $0.settings == lines.last?.settings })
  }

  private static func lines(of file: URL) -> [MemoryResult] {
    guard let data = try? Data(contentsOf: file) else { return [] }
    let decoder = JSONDecoder()
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(MemoryResult.self, from: $0)
    }
  }

  /// In an order that doesn't depend on which was first.
  private static func sorted(_ results: some Sequence<MemoryResult>) -> [MemoryResult] {
    results.sorted { a, b in
      let (x, y) = (a.trial, b.trial)
      return (x.task.rawValue, x.cell.rawValue, x.lag, x.seed)
        < (y.task.rawValue, y.cell.rawValue, y.lag, y.seed)
    }
  }

  /// The results so far, in memory and in the file.
  private final class Record: Sendable {
    private struct State {
      var results: [MemoryTrial: MemoryResult] = [:]
      var done = 0
      var error: (any Error)?
    }

    private let study: MemoryStudy
    private let file: URL
    private let progress: @Sendable (Progress) -> Void
    private let total: Int
    private let state: Mutex<State>

    init(_ study: MemoryStudy, file: URL, progress: @escaping @Sendable (Progress) -> Void) {
      (self.study, self.file, self.progress) = (study, file, progress)
      total =
        MemoryTrial.Task.allCases.count * study.cells.count * study.lags.count * study.seeds.count
      var kept = State()
      for result in MemoryStudy.lines(of: file) where result.settings == study.settings {
        kept.results[result.trial] = result
      }
      state = Mutex(kept)
    }

    func hasLearned(_ trial: MemoryTrial) -> Bool {
      state.withLock { $0.results[trial]?.isLearned == true }
    }

    /// A trial's result, from the file or by running it; nil if that was stopped or failed.
    func result(of trial: MemoryTrial, _ shouldStop: () -> Bool) -> MemoryResult? {
      let (known, hasFailed) = state.withLock { ($0.results[trial], $0.error != nil) }
      if hasFailed { return nil }
      if let known {
        note(known, isNew: false)
        return known
      }
      do {
        guard let result = try trial.run(study.settings, shouldStop: shouldStop) else { return nil }
        note(result, isNew: true)
        return state.withLock { $0.error == nil ? result : nil }
      } catch {
        state.withLock { $0.error = error }
        return nil
      }
    }

    private func note(_ result: MemoryResult, isNew: Bool) {
      state.withLock { state in
        state.done += 1
        state.results[result.trial] = result
        if isNew {
          do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            var finite = result
            finite.error = min(result.error, 1e9)
            let line = String(decoding: try encoder.encode(finite), as: UTF8.self)
            try Folder.append(line: line, to: file)
          } catch { state.error = error }
        }
        progress(Progress(done: state.done, total: total, last: result))
      }
    }

    /// Counts trials that aren't run, since shorter lags have failed.
    func skip(_ count: Int) { state.withLock { $0.done += count } }

    func finished() throws -> [MemoryResult] {
      try state.withLock { state in
        if let error = state.error { throw error }
        return MemoryStudy.sorted(state.results.values)
      }
    }
  }
}
