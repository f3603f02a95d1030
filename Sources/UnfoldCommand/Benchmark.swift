import ArgumentParser
import Foundation
import Language
import Learning
import Plots
import Recurrence
import Tensors

/// The sizes that every library is measured on.
struct BenchmarkConfiguration: Sendable {
  let name: String
  let cell: CellKind
  let layers: Int
  let size: Int
  var batch: Int
  var window: Int
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

  /// The same model of cells that are unfolded step by step.
  var modelOfOwnCells: any RecurrentModel {
    var generator = Philox(seed: 1)
    let cells = (0..<layers).map { _ in
      OwnCell(cell: LSTMCell(inputSize: size, hiddenSize: size, using: &generator))
    }
    return RecurrentLanguageModel(
      vocabularySize: vocabulary, embeddingSize: size, hiddenSize: size, core: Stack(cells),
      coreName: "lstm", seed: 1)
  }
}

struct Benchmark: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast this machine trains.",
    discussion: """
      Trains on random tokens: forward, backward, clipping by global norm, update, with the state
      carried. Prints a line per configuration: tokens a second over the median step. Peak memory is
      that of the process so far: measure it with one configuration at a time.

        a  characters, LSTM 2×128, batch 50, window 50, vocabulary 65
        b  characters, LSTM 2×512, batch 50, window 50, vocabulary 96
        c  words,      LSTM 2×200, batch 20, window 20, vocabulary 10,000
        d  words,      LSTM 2×650, batch 20, window 35, vocabulary 10,000
        e  characters, Elman 1×512, batch 32, window 64, vocabulary 96
        f  characters, GRU 2×512, batch 64, window 50, vocabulary 96

      GFLOP/s counts the products as they are really done, 2 operations for a multiplication and an
      addition; gates, softmax, clipping and update aren't counted. A first layer over a vocabulary
      smaller than half the window's tokens multiplies each token of the vocabulary once, not each
      input, and is counted so; units that fill up a last block are counted, and so is, going back,
      the window's first step, whose product nobody needs. `unfold doctor` measures the peak that this
      is a part of.

      With --generate it measures how fast text is written instead, with how many --streams and what \
      --weights.
      """)

  @Option(help: "Which configurations, for example a or abc.") var config = "abcdef"
  @Option(
    help: "Measure generation instead: char (LSTM 2×512, 96) or word (LSTM 2×1024, 10,000).")
  var generate: String?
  @Option(help: "How many texts are generated side by side.") var streams = 1
  @Option(help: "The weights to generate with: float32, float16 or int8.")
  var weights = "float32"
  @Option(help: "How long to measure each, in seconds.") var seconds = Seconds(5)
  @Option(help: "Measure exactly so many steps instead, after the first three.") var steps: Int?
  @Option(help: "Another batch than the configuration's.") var batch: Int?
  @Option(help: "Another window than the configuration's.") var window: Int?
  @Option(help: "The update rule: \(OptimiserConfiguration.Method.names).")
  var optimiser: OptimiserConfiguration.Method = .sgd
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "For configurations with an LSTM, one as a user would write it, step by step.")
  var ownCell = false
  @Flag(help: "Print where the time goes.") var profile = false
  @Flag(help: "Print a JSON object per line.") var json = false

  func validate() throws {
    let letters = BenchmarkConfiguration.training.map(\.name)
    guard !config.isEmpty, config.allSatisfy({ letters.contains(String($0)) }) else {
      throw ValidationError("--config must be of the letters a to f, not “\(config)”.")
    }
    for (name, value) in [("steps", steps), ("batch", batch), ("window", window)] {
      guard let value, !(1...4096).contains(value) else { continue }
      throw ValidationError("--\(name) must be from 1 to 4096, not \(value).")
    }
    guard 1...4096 ~= streams else {
      throw ValidationError("--streams must be from 1 to 4096, not \(streams).")
    }
    guard weights == "float32" || WeightFormat(rawValue: weights) != nil else {
      throw ValidationError("--weights must be float32, float16 or int8, not “\(weights)”.")
    }
    guard generate != nil || (streams == 1 && weights == "float32") else {
      throw ValidationError("--streams and --weights go with --generate.")
    }
    let isForTraining =
      ownCell || profile || optimiser != .sgd || [steps, batch, window].contains { $0 != nil }
    guard generate == nil || !isForTraining else {
      throw ValidationError(
        "--own-cell, --profile, --optimiser, --steps, --batch and --window go with training, not "
          + "with --generate.")
    }
    guard !ownCell || chosen.count > 0 else {
      throw ValidationError("--own-cell is an LSTM, and --config \(config) has none; try a to d.")
    }
  }

  /// The configurations that are measured.
  private var chosen: [BenchmarkConfiguration] {
    BenchmarkConfiguration.training.filter {
      config.contains($0.name) && (!ownCell || $0.cell == .lstm)
    }
  }

  func execute() throws {
    threads.apply()
    if let generate { return try measureGeneration(generate) }
    for sizes in chosen {
      var sizes = sizes
      sizes.batch = batch ?? sizes.batch
      sizes.window = window ?? sizes.window
      try measure(sizes)
    }
  }

  private func measureGeneration(_ name: String) throws {
    guard let benchmark = GenerationBenchmark.all.first(where: { $0.name == name }) else {
      throw ValidationError("There is no generation benchmark \(name); there are char and word.")
    }
    let result = try benchmark.measure(
      seconds: seconds.value, streams: streams, weights: WeightFormat(rawValue: weights))
    try Console.print(
      json
        ? Console.json(result)
        : "\(name)  \(Int(result.tokensPerSecond).grouped) tokens/s, first token after "
          + "\((result.firstTokenSeconds * 1e3).text(0)) ms, peak \(result.peakRssMib) MiB")
  }

  private struct Result: Encodable {
    let config, optimiser: String
    let threads, batch, window: Int
    let tokensPerSecond, bestTokensPerSecond, stepMs, gflops: Double
    let peakRssMib: Int
    let loss: Float
  }

  private func measure(_ sizes: BenchmarkConfiguration) throws {
    let model =
      ownCell
      ? sizes.modelOfOwnCells
      : sizes.architecture.model(vocabularySize: sizes.vocabulary, seed: 1)
    var run = Run()
    let phases = try Profile.record { run = try steps(of: model, sizes) }
    let median = run.times.sorted()[run.times.count / 2]
    let best = run.times.min() ?? median
    let tokens = Double(sizes.batch * sizes.window)
    let operations = phases.values.reduce(0) { $0 + $1.operations } / Double(run.steps)
    let result = Result(
      config: sizes.name, optimiser: optimiser.rawValue, threads: Compute.threads,
      batch: sizes.batch, window: sizes.window, tokensPerSecond: (tokens / median).rounded(),
      bestTokensPerSecond: (tokens / best).rounded(),
      stepMs: median * 1e3, gflops: operations / median / 1e9, peakRssMib: peakResidentMebibytes(),
      loss: run.loss)
    if json {
      try Console.print(Console.json(result))
    } else {
      try Console.print(
        "\(result.config)  \(Int(result.tokensPerSecond).grouped) tokens/s  "
          + "\(result.stepMs.text(2)) ms a step  \(result.gflops.text(0)) GFLOP/s  "
          + "peak \(result.peakRssMib) MiB")
    }
    if profile { try printProfile(phases, steps: run.steps) }
  }

  private func printProfile(_ phases: [Profile.Phase: Profile.Entry], steps: Int) throws {
    var rows = [["  phase", "ms", "GFLOP/s"]]
    for phase in Profile.Phase.allCases {
      guard let entry = phases[phase] else { continue }
      let rate = entry.operations > 0 ? (entry.operations / entry.seconds / 1e9).text(0) : ""
      rows.append(["  \(phase.rawValue)", (entry.seconds / Double(steps) * 1e3).text(3), rate])
    }
    try Console.print(table(rows))
  }

  private struct Run {
    /// Seconds of each step after the first three.
    var times: [Double] = []
    var steps = 0
    var loss: Float = 0
  }

  private func steps<Model: RecurrentModel>(of model: Model, _ sizes: BenchmarkConfiguration)
    throws -> Run
  {
    var generator = Philox(seed: 1)
    let length = 64 * sizes.window
    let tokens = (0...length * sizes.batch).map { _ in
      Int32(generator.next() % UInt64(sizes.vocabulary))
    }
    let streams = Streams(TokenSequence(tokens), batch: sizes.batch)
    let truncation = TruncatedBPTT(window: sizes.window)
    let parameters = model.parameters
    let optimiser = try Optimiser(OptimiserConfiguration(optimiser), parameters: parameters)
    let clipping = Clipping(maximumNorm: 5)
    let rate: Float = self.optimiser == .sgd ? 0.1 : 1e-3
    var state: Model.State?
    var run = Run()
    let clock = ContinuousClock()
    let begin = clock.now
    while steps.map({ run.times.count < $0 })
      ?? (run.times.count < 8 || begin.duration(to: clock.now) < seconds.duration)
    {
      let start = clock.now
      var result = truncation.gradients(
        of: model, on: streams, update: run.steps % 64, from: state, mode: .inference)
      let outcome = Profile.measure(.clip) { clipping.clip(&result.gradients, of: parameters) }
      Profile.measure(.update) {
        optimiser.update(
          with: result.gradients, learningRate: rate, gradientScale: outcome.scale)
      }
      state = result.state
      run.loss = result.loss
      if run.steps >= 3 { run.times.append(start.duration(to: clock.now) / .seconds(1)) }
      run.steps += 1
    }
    return run
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
