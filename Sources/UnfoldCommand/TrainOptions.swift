import ArgumentParser
import Foundation
import Language
import Learning

struct ModelOptions: RecipeOptions {
  @Option(help: "The recurrent cell: \(CellKind.names) (default: lstm).") var cell: CellKind?
  @Option(help: "Layers on top of each other (default: 2; toy language 1).") var layers: Int?
  @Option(help: "Units in a layer (default: 256; toy language 128).") var hidden: Int?
  @Option(help: "Size of a token's embedding (default: as --hidden).") var embedding: Int?
  @Flag(
    inversion: .prefixedNo,
    help: """
      Use the embedding as the readout's weights too; the last of several layers then has the size \
      of the embedding.
      """)
  var tie: Bool?
  @Option(help: "Dropout between layers and before the readout (default: 0.1; toy language 0).")
  var dropout: Float?

  static var settings: [RecipeSetting<Self>] {
    [
      .init(\.cell), .init(\.layers), .init(\.hidden), .init(\.embedding), .init(\.tie),
      .init(\.dropout),
    ]
  }

  func configuration(
    isToy: Bool, softmax: Softmax?, regularisation: Regularisation
  ) -> ModelConfiguration {
    ModelConfiguration(
      cell: cell ?? .lstm, layers: layers ?? (isToy ? 1 : 2),
      hiddenSize: hidden ?? (isToy ? 128 : 256),
      embeddingSize: embedding, tied: tie ?? false,
      dropout: dropout ?? (isToy ? 0 : 0.1),
      regularisation: regularisation == Regularisation() ? nil : regularisation,
      softmax: softmax)
  }
}

struct TextOptions: RecipeOptions {
  @Option(
    help: """
      What the model predicts: \(TokenUnit.names) (default: characters). Characters are Unicode \
      scalars; bpe is byte-level byte-pair encoding as in GPT-2, written as tokenizer.json.
      """)
  var tokens: TokenUnit?
  @OptionGroup var vocabulary: VocabularyOptions
  @Option(help: "A file to validate on; then all of FILE is for training.", completion: .file())
  var valid: String?
  @Option(
    help: """
      Percentages of the text, by position, for training, validation and, if there is a third, \
      test (default: 90,10). The vocabulary, also of words and byte pairs, is made of all parts; \
      with --valid, of FILE alone.
      """)
  var split: String?

  static var settings: [RecipeSetting<Self>] {
    [.init(\.tokens), .init(\.valid), .init(\.split), .init(group: \.vocabulary)]
  }

  func settings(files: [String]) throws -> TextSettings {
    if files.isEmpty, isGiven {
      throw ValidationError(
        "--tokens, --valid, --split and the options of a vocabulary need a FILE to train on.")
    }
    if valid != nil, split != nil {
      throw ValidationError("--valid and --split can't be used together.")
    }
    let split = split ?? "90,10"
    _ = try Split(parsing: split)
    let usual: TokenUnit =
      files.isEmpty ? .words : vocabulary.tokenizer == nil ? .characters : .bpe
    return TextSettings(
      files: files, validationFile: valid.map { URL(filePath: $0).standardizedFileURL.path },
      split: split, vocabulary: try vocabulary.settings(tokens ?? usual))
  }
}

struct TrainingOptions: RecipeOptions {
  @Option(help: "Streams that are read side by side (default: 16; toy language 32).") var batch:
    Int?
  @Option(help: "Steps that gradients flow back over, k₂ (default: 64; toy language 35).")
  var window: Int?
  @Option(help: "Steps from one update to the next, k₁ (default: as --window).") var stride: Int?
  @Flag(
    inversion: .prefixedNo,
    help: """
      Windows of random lengths around --window, now and then half as long, the learning rate in \
      proportion.
      """)
  var randomWindows: Bool?
  @Option(help: "The update rule: \(OptimiserConfiguration.Method.names) (default: adam).")
  var optimiser: OptimiserConfiguration.Method?
  @Option(
    help: """
      The learning rate (default: 0.002 for adam and adamw, 1 for sgd, 0.1 for momentum, 0.001 for \
      rmsprop, 0.05 for adagrad; toy language 0.004).
      """)
  var learningRate: Float?
  @Option(help: "μ of momentum (default: 0.9).") var momentum: Double?
  @Flag(inversion: .prefixedNo, help: "Let momentum look ahead.") var nesterov: Bool?
  @Option(help: "Weight decay (default: 0; adamw 0.01).") var weightDecay: Double?
  @Option(
    help: """
      How the rate changes: constant, step:every=N,factor=X, exponential:decay=X,every=N, \
      cosine:warmup=N,final=X or plateau:patience=N,factor=X (default: cosine:warmup=100,final=0.05).
      """)
  var schedule: String?
  @Option(help: "Clip gradients to this norm, all together (default: 1; inf for no limit).")
  var clipNorm: Float?
  @Option(help: "Clip each number of a gradient to this value.") var clipValue: Float?
  @Option(help: "How often the text is read (default: 10; toy language 6).") var epochs: Int?
  @Option(help: "Evaluations in an epoch (default: 1).") var evaluations: Int?
  @Option(help: "Stop after so many evaluations without a new best.") var patience: Int?
  @Option(
    help: """
      Average the weights (NT-ASGD) once an evaluation isn't better than the best of all but the \
      last N; the mean is what is evaluated and kept, and training goes on with the weights.
      """)
  var averageAfter: Int?
  @Option(help: "The seed: the same seed gives the same bytes (default: 1).") var seed: UInt64?

  static var settings: [RecipeSetting<Self>] {
    [
      .init(\.batch), .init(\.window), .init(\.stride), .init(\.randomWindows), .init(\.optimiser),
      .init(\.learningRate), .init(\.momentum), .init(\.nesterov), .init(\.weightDecay),
      .init(\.schedule), .init(\.clipNorm), .init(\.clipValue), .init(\.epochs),
      .init(\.evaluations), .init(\.patience), .init(\.averageAfter), .init(\.seed),
    ]
  }

  func configuration(isToy: Bool) throws -> TrainingConfiguration {
    let method = optimiser ?? .adam
    var rule = OptimiserConfiguration(method)
    if let momentum {
      guard method == .momentum else {
        throw ValidationError("--momentum is for --optimiser momentum, not \(method.rawValue).")
      }
      rule.momentum = momentum
    }
    rule.nesterov = nesterov ?? false
    if let weightDecay { rule.weightDecay = weightDecay }
    let window = window ?? (isToy ? 35 : 64)
    guard window > 0 else { throw ValidationError("--window must be at least 1, not \(window).") }
    let stride = stride ?? window
    guard (1...window).contains(stride) else {
      throw ValidationError("--stride must be from 1 to --window, \(window), not \(stride).")
    }
    return TrainingConfiguration(
      batch: batch ?? (isToy ? 32 : 16),
      truncation: TruncatedBPTT(window: window, stride: stride),
      randomWindows: randomWindows == true ? RandomWindows() : nil, optimiser: rule,
      learningRate: learningRate ?? (isToy && method == .adam ? 0.004 : Self.rate(method)),
      schedule: try Schedule(schedule ?? "cosine:warmup=100,final=0.05"),
      clipping: Clipping(
        maximumNorm: Self.limit(clipNorm ?? 1), maximumValue: Self.limit(clipValue)),
      epochs: epochs ?? (isToy ? 6 : 10), evaluationsPerEpoch: evaluations ?? 1, patience: patience,
      averageAfter: averageAfter, seed: seed ?? 1)
  }

  /// An infinite limit is none.
  private static func limit(_ value: Float?) -> Float? { value == .infinity ? nil : value }

  private static func rate(_ method: OptimiserConfiguration.Method) -> Float {
    switch method {
    case .adam, .adamw: 0.002
    case .sgd: 1
    case .momentum: 0.1
    case .rmsprop: 0.001
    case .adagrad: 0.05
    }
  }
}

extension CellKind: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension TokenUnit: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension OptimiserConfiguration.Method: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
