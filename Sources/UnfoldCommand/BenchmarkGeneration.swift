import Foundation
import Language
import Tensors

/// Measures how fast text is generated, and how soon the first token is there.
struct GenerationBenchmark {
  let name: String
  let hidden: Int
  let vocabulary: Int

  static let all = [
    GenerationBenchmark(name: "char", hidden: 512, vocabulary: 96),
    GenerationBenchmark(name: "word", hidden: 1024, vocabulary: 10_000),
  ]

  struct Result: Encodable {
    let config, weights: String
    let streams, threads: Int
    /// Of all streams together.
    let tokensPerSecond: Double
    let firstTokenSeconds: Double
    let peakRssMib: Int
  }

  /// - Parameter weights: nil for Float32.
  func measure(seconds: Double, streams: Int, weights: WeightFormat?) throws -> Result {
    let configuration = ModelConfiguration(cell: .lstm, layers: 2, hiddenSize: hidden)
    let tokens = (0..<vocabulary).map { "t\($0)" }.joined(separator: " ")
    let words = try Vocabulary(
      unit: .words, building: Data(tokens.utf8), source: "benchmark", maximumSize: vocabulary)
    let model = ModelFolder(
      configuration: configuration, vocabulary: words,
      model: configuration.model(vocabularySize: words.count, seed: 1))
    if let weights { model.model.quantize(as: weights) }
    let rate =
      try streams == 1
      ? rateOfOne(model, seconds: seconds) : rate(model, streams: streams, seconds: seconds)
    return Result(
      config: name, weights: weights?.rawValue ?? "float32", streams: streams,
      threads: Compute.threads, tokensPerSecond: rate,
      firstTokenSeconds: try firstToken(model, streams: streams),
      peakRssMib: peakResidentMebibytes())
  }

  private func rateOfOne(_ folder: ModelFolder, seconds: Double) throws -> Double {
    var generator = try TextGenerator(folder.model, vocabulary: folder.vocabulary, seed: 1)
    return rate(tokens: 1, seconds: seconds) { _ = generator.next() }
  }

  private func rate(_ folder: ModelFolder, streams: Int, seconds: Double) throws -> Double {
    var batch = try TextBatch(
      folder.model, vocabulary: folder.vocabulary, seeds: (0..<UInt64(streams)).map { $0 })
    return rate(tokens: streams, seconds: seconds) { _ = batch.next() }
  }

  /// Tokens a second: the median of five windows, after one that doesn't count. Windows are long, so
  /// that what comes between now and then isn't passed over; other libraries are measured so too.
  private func rate(tokens: Int, seconds: Double, draw: () -> Void) -> Double {
    let clock = ContinuousClock()
    let rates = (0..<6).map { _ in
      let begin = clock.now
      var (count, elapsed) = (0, 0.0)
      repeat {
        draw()
        count += tokens
        elapsed = begin.duration(to: clock.now) / .seconds(1)
      } while elapsed < seconds / 6
      return Double(count) / elapsed
    }
    return rates.dropFirst().sorted()[2].rounded()
  }

  /// Seconds from the start of a process to its first byte: the median of five.
  private func firstToken(_ model: ModelFolder, streams: Int) throws -> Double {
    let folder = FileManager.default.temporaryDirectory.appending(path: "unfold-\(getpid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try model.write(to: folder)
    let program = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<5 {
      let process = Process()
      let output = Pipe()
      process.executableURL = program
      process.arguments = [
        "generate", folder.path, "--length", "1", "--seed", "1", "--samples", "\(streams)",
        "--threads", "\(Compute.threads)",
      ]
      process.standardOutput = output
      let begin = clock.now
      try process.run()
      _ = try output.fileHandleForReading.read(upToCount: 1)
      times.append(begin.duration(to: clock.now) / .seconds(1))
      process.waitUntilExit()
    }
    return times.sorted()[2]
  }
}
