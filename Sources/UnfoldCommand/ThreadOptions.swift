import ArgumentParser
import Tensors

struct ThreadOptions: ParsableArguments {
  @Option(help: "How many threads; by default as many as there are performance cores.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, not \(threads).")
    }
  }

  func apply() {
    if let threads { Compute.threads = threads }
  }
}

/// Seconds from outside: text that is no number, or one beyond what a clock can count, is refused.
struct Seconds: ExpressibleByArgument {
  let value: Double
  /// About thirty years.
  private static let most = 1e9

  init?(argument: String) {
    guard let value = Double(argument), (0...Self.most).contains(value) else { return nil }
    self.value = value
  }

  init(_ value: Double) { self.value = value }

  var duration: Duration { .seconds(value) }
  var defaultValueDescription: String { "\(value)" }
}
