import CKernels

extension Compute {
  /// The most floating-point operations a second that this machine has been seen to do: fused
  /// multiply-adds (2 operations each), or multiplications and additions where there are none, in
  /// registers only. What a training reaches is measured against this.
  ///
  /// The best of ten rounds of some milliseconds, on `threads` threads at once.
  package static func peakRate(threads: Int) -> Double {
    let team = Team(threads: threads)
    let rounds = 1 << 22
    let clock = ContinuousClock()
    let rates = (0..<10).map { _ in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: threads) { done in
        let time = clock.measure {
          team.run(steps: 1, items: threads) { _, item in done[item] = kernels.peak(rounds) }
        }
        return Double(done.reduce(0, +)) / (time / .seconds(1))
      }
    }
    return rates.max() ?? 0
  }

  /// The most bytes a second that this machine has been seen to read from memory, from beyond caches
  /// of less than 256 MiB: what bounds the generation of one text by a large model, which reads most
  /// weights for each token.
  ///
  /// The best of eight readings of 256 MiB, a part on each of `threads` threads.
  package static func readRate(threads: Int) -> Double {
    let team = Team(threads: threads)
    let count = (1 << 26) / threads
    let parts = (0..<threads).map { _ in Storage(count: count) }
    // By who reads it: where there are several memories, it then lies in the nearest.
    team.run(steps: 1, items: threads) { _, item in
      parts[item].base.update(repeating: 0, count: count)
    }
    let clock = ContinuousClock()
    let rates = (0..<8).map { _ in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: threads) { sums in
        let time = clock.measure {
          team.run(steps: 1, items: threads) { _, item in
            sums[item] = kernels.sum(count, parts[item].base)
          }
        }
        return Double(4 * count * threads) / (time / .seconds(1))
      }
    }
    return rates.max() ?? 0
  }
}
