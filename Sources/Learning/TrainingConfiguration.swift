/// How a model is trained: everything that, with the model and the text, determines every number.
public struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// B, the number of streams that are read side by side.
  public var batch: Int
  /// Over how many steps gradients flow back, and how often weights are updated.
  public var truncation: TruncatedBPTT
  /// Windows of random lengths around that of `truncation`, whose stride must then be its window;
  /// nil for windows of one length.
  public var randomWindows: RandomWindows?
  public var optimiser: OptimiserConfiguration
  /// The base learning rate; `schedule` changes it from step to step.
  public var learningRate: Float
  public var schedule: Schedule
  public var clipping: Clipping
  /// How often the text is read.
  public var epochs: Int
  /// Evaluations in an epoch, evenly spread; the last is at its end.
  public var evaluationsPerEpoch: Int
  /// How many evaluations without a new best end the training; nil for never.
  public var patience: Int?
  /// Averaged SGD, triggered non-monotonically (NT-ASGD): once an evaluation isn't better than the
  /// best of all but the last so many, the mean of the weights from then on is what is evaluated
  /// and kept as the best model, while training goes on with the weights themselves. Nil for never.
  ///
  /// - SeeAlso: S. Merity, N. Keskar, R. Socher, ICLR 2018, section 3.
  public var averageAfter: Int?
  /// The seed of dropout and of random windows. (Weights have their own.)
  public var seed: UInt64

  enum CodingKeys: String, CodingKey {
    case batch, truncation, optimiser, schedule, clipping, epochs, patience, seed
    case learningRate = "learning_rate"
    case evaluationsPerEpoch = "evaluations_per_epoch"
    case randomWindows = "random_windows"
    case averageAfter = "average_after"
  }

  public init(
    batch: Int, truncation: TruncatedBPTT, randomWindows: RandomWindows? = nil,
    optimiser: OptimiserConfiguration, learningRate: Float, schedule: Schedule = .constant,
    clipping: Clipping = Clipping(), epochs: Int, evaluationsPerEpoch: Int = 1,
    patience: Int? = nil, averageAfter: Int? = nil, seed: UInt64 = 0
  ) {
    self.batch = batch
    self.truncation = truncation
    self.randomWindows = randomWindows
    self.optimiser = optimiser
    self.learningRate = learningRate
    self.schedule = schedule
    self.clipping = clipping
    self.epochs = epochs
    self.evaluationsPerEpoch = evaluationsPerEpoch
    self.patience = patience
    self.averageAfter = averageAfter
    self.seed = seed
  }

  /// This configuration, if it is legal.
  public func validated() throws(SettingError) -> TrainingConfiguration {
    _ = try optimiser.validated()
    _ = try clipping.validated()
    let counts = [
      ("batch", batch, 1 << 16), ("window", truncation.window, 1 << 20),
      ("epochs", epochs, 1 << 30), ("evaluations per epoch", evaluationsPerEpoch, 1 << 20),
    ]
    for (name, value, largest) in counts where !(1...largest).contains(value) {
      throw .outOfRange(setting: name, legal: "from 1 to \(largest)", found: "\(value)")
    }
    guard (1...truncation.window).contains(truncation.stride) else {
      throw .outOfRange(
        setting: "stride", legal: "from 1 to the window, \(truncation.window)",
        found: "\(truncation.stride)")
    }
    if let randomWindows {
      _ = try randomWindows.validated(window: truncation.window)
      guard truncation.stride == truncation.window else {
        throw .outOfRange(
          setting: "stride with random windows", legal: "the window, \(truncation.window)",
          found: "\(truncation.stride)")
      }
    }
    if let averageAfter, averageAfter < 0 {
      throw .outOfRange(
        setting: "evaluations before averaging", legal: "a whole number from 0 up",
        found: "\(averageAfter)")
    }
    if let patience { _ = try EarlyStopping(patience: patience) }
    guard learningRate > 0, learningRate.isFinite else {
      throw .outOfRange(
        setting: "learning rate", legal: "positive and finite", found: "\(learningRate)")
    }
    return self
  }
}
