import Synchronization

/// Where the time of training goes, if somebody has asked: seconds and arithmetic by phase.
package enum Profile {
  /// The phases of a training step. Raw values are what a person reads.
  package enum Phase: String, CaseIterable, Sendable {
    case embedding = "embedding and its gradient"
    case packing = "packing weights"
    case inputProducts = "input products"
    case recurrentForward = "recurrence forward"
    case recurrentBackward = "recurrence backward"
    case stepProducts = "products of single steps"
    case weightGradients = "weight gradients"
    case inputGradients = "input gradients"
    case readout = "readout"
    case loss = "softmax and loss"
    case readoutWeightGradients = "readout, weight gradients"
    case readoutHiddenGradients = "readout, hidden gradients"
    case clip = "clipping"
    case update = "update"
  }

  package struct Entry: Sendable {
    package var seconds = 0.0
    /// Floating-point operations of the products, as they are really done.
    package var operations = 0.0
  }

  private static let isOn = Atomic(false)
  private static let entries = Mutex<[Phase: Entry]>([:])

  /// Runs `body` and notes how long each phase took in it.
  package static func record(_ body: () throws -> Void) rethrows -> [Phase: Entry] {
    entries.withLock { $0 = [:] }
    isOn.store(true, ordering: .relaxed)
    defer { isOn.store(false, ordering: .relaxed) }
    try body()
    return entries.withLock { $0 }
  }

  /// Runs a part of a phase. Phases don't nest.
  ///
  /// - Parameter operations: of its products: 2 for each multiplication and addition.
  @inline(__always)
  package static func measure<R>(
    _ phase: Phase, operations: @autoclosure () -> Int = 0, _ body: () throws -> R
  ) rethrows -> R {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    let clock = ContinuousClock()
    let begin = clock.now
    let result = try body()
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let done = Double(operations())
    entries.withLock {
      $0[phase, default: Entry()].seconds += seconds
      $0[phase, default: Entry()].operations += done
    }
    return result
  }
}
