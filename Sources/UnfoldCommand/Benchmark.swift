import ArgumentParser
import Foundation
import Language
import Learning
import Tensors

/// The sizes that every library is measured on.
struct BenchmarkConfiguration: Sendable {
  let name: String
  let cell: CellKind
  let layers: Int
  let size: Int
  let batch: Int
  let window: Int
  let vocabulary: Int

  static let training = [
    BenchmarkConfiguration(
      name: "a", cell: .lstm, layers: 2, size: 128, batch: 50, window: 50, vocabulary: 65),
    BenchmarkConfiguration(
      name: "b", cell: .lstm, layers: 2, size: 512, batch: 50, window: 50, vocabulary: 96),
    BenchmarkConfiguration(
      name: "c", cell: .lstm, layers: 2, size: 200, batch: 20, window: 20, vocabulary: 10_000),
    BenchmarkConfiguration(
      name: "d", cell: .lstm, layers: 2, size: 650, batch: 20, window: 35, vocabulary: 10_000),
    BenchmarkConfiguration(
      name: "e", cell: .elman, layers: 1, size: 512, batch: 32, window: 64, vocabulary: 96),
    BenchmarkConfiguration(
      name: "f", cell: .gru, layers: 2, size: 512, batch: 64, window: 50, vocabulary: 96),
  ]

  var architecture: ModelConfiguration {
    ModelConfiguration(cell: cell, layers: layers, hiddenSize: size)
  }

  /// Floating-point operations of the products for one token, forward and backward, counted as if
  /// nothing were looked up: 2 for each weight forward, 4 backward.
  var operationsPerToken: Double {
    let gates = cell == .lstm ? 4.0 : cell == .gru ? 3.0 : 1.0
    let recurrent = Double(layers) * 2 * gates * Double(size * size)
    return 6 * (recurrent + Double(size * vocabulary))
  }
}

struct Benchmark: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast this machine trains.",
    discussion: """
      Trains on random tokens: forward, backward, clipping by global norm, update, with the state
      carried. Prints a line per configuration: tokens a second over the median step.

        a  characters, LSTM 2×128, batch 50, window 50, vocabulary 65
        b  characters, LSTM 2×512, batch 50, window 50, vocabulary 96
        c  words,      LSTM 2×200, batch 20, window 20, vocabulary 10,000
        d  words,      LSTM 2×650, batch 20, window 35, vocabulary 10,000
        e  characters, Elman 1×512, batch 32, window 64, vocabulary 96
        f  characters, GRU 2×512, batch 64, window 50, vocabulary 96
      """)

  @Option(help: "Which configurations, for example a or abc.") var config = "abcdef"
  @Option(help: "How long to measure each, in seconds.") var seconds = 5.0
  @Option(help: "The update rule: \(OptimiserConfiguration.Method.names).")
  var optimiser: OptimiserConfiguration.Method = .sgd
  @Option(help: "How many threads.") var threads: Int?
  @Flag(help: "Print a JSON object per line.") var json = false

  func execute() throws {
    if let threads { Compute.threads = threads }
    for letter in config {
      guard
        let sizes = BenchmarkConfiguration.training.first(where: { $0.name == String(letter) })
      else { throw ValidationError("There is no configuration \(letter); there are a to f.") }
      try measure(sizes)
    }
  }

  private func measure(_ sizes: BenchmarkConfiguration) throws {
    let times = try stepTimes(
      sizes.architecture.model(vocabularySize: sizes.vocabulary, seed: 1), sizes)
    let median = times.sorted()[times.count / 2]
    let rate = Double(sizes.batch * sizes.window) / median
    print(
      sizes.name, Int(rate), "tokens/s", String(format: "%.2f ms", median * 1e3),
      String(format: "%.0f GFLOP/s", rate * sizes.operationsPerToken / 1e9), "peak",
      peakResidentMebibytes(), "MiB")
  }

  private func stepTimes<Model: RecurrentModel>(_ model: Model, _ sizes: BenchmarkConfiguration)
    throws -> [Double]
  {
    var generator = Philox(seed: 1)
    let length = 64 * sizes.window
    let tokens = (0...length * sizes.batch).map { _ in
      Int32(generator.next() % UInt64(sizes.vocabulary))
    }
    let streams = Streams(tokens, batch: sizes.batch)
    let truncation = TruncatedBPTT(window: sizes.window)
    let parameters = model.parameters
    let optimiser = try Optimiser(OptimiserConfiguration(optimiser), parameters: parameters)
    let clipping = Clipping(maximumNorm: 5)
    let rate: Float = self.optimiser == .sgd ? 0.1 : 1e-3
    var state: Model.State?
    var times: [Double] = []
    let clock = ContinuousClock()
    let begin = clock.now
    var step = 0
    while times.count < 8 || begin.duration(to: clock.now) < .seconds(seconds) {
      let start = clock.now
      var result = truncation.gradients(
        of: model, on: streams, update: step % 64, from: state, mode: .inference)
      let outcome = clipping.clip(&result.gradients, of: parameters)
      optimiser.update(
        with: result.gradients, learningRate: rate, gradientScale: outcome.scale)
      state = result.state
      if step >= 3 { times.append(start.duration(to: clock.now) / .seconds(1)) }
      step += 1
    }
    return times
  }
}

/// The most memory that this process has had resident, in MiB.
func peakResidentMebibytes() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
  #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss / (1024 * 1024)
  #endif
}
