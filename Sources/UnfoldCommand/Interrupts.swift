import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a wish to stop that is looked at between two steps; a second one
/// ends the process at once.
///
/// Unchecked: `sources` is changed by the initialiser and `end` only, and `asked` is atomic.
final class Interrupts: @unchecked Sendable {
  private let asked = Atomic(false)
  private var sources: [any DispatchSourceSignal] = []
  private static let signals = [SIGINT, SIGTERM]

  init() {
    for number in Self.signals {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        // Not `exit`, which would tear down what the main thread still works with.
        if asked.exchange(true, ordering: .relaxed) { _exit(130) }
        Console.say(
          (Console.isAnimated ? "\n" : "") + "Stopping after this step; once more stops at once.")
      }
      source.resume()
      sources.append(source)
    }
  }

  var isAskedToStop: Bool { asked.load(ordering: .relaxed) }

  /// From now on signals end the process, as they usually do.
  func end() {
    for source in sources { source.cancel() }
    for number in Self.signals { signal(number, SIG_DFL) }
  }
}
