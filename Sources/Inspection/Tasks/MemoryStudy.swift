import Foundation
import Interchange
import Language
import Synchronization
import Tensors

/// At which lag cells still learn: trials over tasks, cells, lags and seeds, several at a time.
///
/// For each task and cell the lags rise; when no seed has learned at one, longer ones aren't tried.
/// Each result is a line of a file at once, and a study that goes on skips those that it holds.
public struct MemoryStudy: Sendable {
  public var settings = MemorySettings()
  public var cells: [CellKind] = [.elman, .gru, .lstm]
  public var lags = [10, 20, 50, 100, 200, 500]
  public var seeds: [UInt64] = [1, 2, 3]

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
  /// - Returns: all results of these settings that the file now holds.
  /// - Throws: `FileError`, or `SettingError` for settings out of range.
  public func run(
    keeping file: URL, lanes: Int = 1, shouldStop: @escaping @Sendable () -> Bool,
    progress: @escaping @Sendable (Progress) -> Void
  ) throws -> [MemoryResult] {
    let record = Record(self, file: file, progress: progress)
    let rows = MemoryTrial.Task.allCases.flatMap { task in cells.map { (task, $0) } }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(max(lanes, 1), rows.count)) { _ in
      while !shouldStop() {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < rows.count else { return }
        runRow(rows[index].0, rows[index].1, record, shouldStop)
      }
    }
    return try record.finished()
  }

  private func runRow(
    _ task: MemoryTrial.Task, _ cell: CellKind, _ record: Record, _ shouldStop: () -> Bool
  ) {
    for lag in lags {
      var learned = false
      for seed in seeds {
        let trial = MemoryTrial(task: task, cell: cell, lag: lag, seed: seed)
        guard let result = record.result(of: trial, shouldStop) else { return }
        learned = learned || result.isLearned
      }
      if !learned { return record.skip(lags.filter { $0 > lag }.count * seeds.count) }
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

    /// A trial's result, from the file or by running it; nil if that was stopped or failed.
    func result(of trial: MemoryTrial, _ shouldStop: () -> Bool) -> MemoryResult? {
      if let known = state.withLock({ $0.results[trial] }) {
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
