import ArgumentParser
import Foundation
import Language
import Tensors

struct Generate: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Write text with a model.",
    discussion: """
      The text goes to standard output as it is written, the prompt first. With --json it is one \
      object at the end: prompt, text, tokens, tokens_per_second. With --samples the texts come when \
      all are done, a line between them that says which one follows; with --json, an object a line.
      """)

  @Argument(help: .anyModel, completion: .file()) var model: String
  @Option(help: "The beginning of the text.") var prompt = ""
  @Option(help: "How many tokens to write.") var length = 500
  @Option(help: "Below 1 safer, above 1 wilder; 0 always takes the likeliest token.")
  var temperature = 1.0
  @Option(help: "Draw from the likeliest N tokens only.") var topK: Int?
  @Option(help: "Draw from the likeliest tokens that together have this probability.")
  var topP = 1.0
  @Option(help: "The seed: the same seed gives the same text (default: a new one each time).")
  var seed: UInt64?
  @Option(help: "Stop before the text holds this.") var until: String?
  @Option(help: "How many texts: the second is what the next seed gives, and so on.")
  var samples = 1
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard length >= 0 else { throw ValidationError("--length can't be negative: \(length).") }
    guard 1...4096 ~= samples else {
      throw ValidationError("--samples must be from 1 to 4096, not \(samples).")
    }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k must be at least 1, not \(topK).") }
    guard topP > 0, topP <= 1 else {
      throw ValidationError("--top-p must be above 0 and at most 1, not \(topP).")
    }
  }

  private struct Result: Encodable {
    let prompt, text: String
    let tokens: Int
    let seed: UInt64
    let tokensPerSecond: Double
  }

  func execute() throws {
    threads.apply()
    let model = try AnyModel(contentsOf: URL(filePath: self.model))
    let seed = seed ?? UInt64.random(in: 0..<(1 << 32))
    if samples > 1 { return try writeSamples(model, seed: seed) }
    var generator = try TextGenerator(
      model.model, vocabulary: model.vocabulary, prompt: prompt, sampling: sampling, seed: seed)
    let clock = ContinuousClock()
    let begin = clock.now
    var text = ""
    if !json { try Console.print(prompt, terminator: "") }
    try generator.write(
      length: length, until: until, after: model.vocabulary.encode(prompt: prompt)
    ) { piece in
      if json { text += piece } else { try Console.print(piece, terminator: "") }
    }
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    guard json else { return try Console.print("") }
    try Console.print(
      Console.json(
        Result(
          prompt: prompt, text: text, tokens: generator.count, seed: seed,
          tokensPerSecond: (Double(generator.count) / seconds).rounded())))
  }

  private var sampling: Sampling { Sampling(temperature: temperature, topK: topK, topP: topP) }

  private func writeSamples(_ model: AnyModel, seed: UInt64) throws {
    let seeds = (0..<UInt64(samples)).map { seed &+ $0 }
    let clock = ContinuousClock()
    let begin = clock.now
    var line = ProgressLine()
    var batch = try TextBatch(
      model.model, vocabulary: model.vocabulary, prompt: prompt, sampling: sampling, seeds: seeds)
    let texts = try batch.texts(
      length: length, until: until, after: model.vocabulary.encode(prompt: prompt)
    ) { done in line.show("\(done.grouped) of \(length.grouped) tokens of \(samples) texts") }
    line.clear()
    let seconds = begin.duration(to: clock.now) / .seconds(1)
    let rate = (Double(texts.reduce(0) { $0 + $1.tokens }) / seconds).rounded()
    for (index, (text, seed)) in zip(texts, seeds).enumerated() {
      try Console.print(
        json
          ? Console.json(
            Result(
              prompt: prompt, text: text.text, tokens: text.tokens, seed: seed,
              tokensPerSecond: rate))
          : "--- \(index + 1) of \(samples), seed \(seed)\n\(prompt)\(text.text)")
    }
  }
}
