import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a wish to stop that is looked at between two steps; a second one
/// ends the process at once.
///
/// Unchecked: `sources` is written by the initialiser only, and `asked` is atomic.
final class Interrupts: @unchecked Sendable {
  private let asked = Atomic(false)
  private var sources: [any DispatchSourceSignal] = []

  init() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        if asked.exchange(true, ordering: .relaxed) { exit(130) }
        Console.say("\nStopping after this step; once more stops at once.")
      }
      source.resume()
      sources.append(source)
    }
  }

  var isAskedToStop: Bool { asked.load(ordering: .relaxed) }
}
