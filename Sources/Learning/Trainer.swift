import Interchange
import Recurrence
import Tensors

/// Trains a model of streams by truncated BPTT.
///
/// A trainer emits events and prints nothing. Everything that it does is determined by the
/// configuration, the model's weights and the text; `checkpoint` and `restore` hold all of it, so
/// that an interrupted training goes on bit for bit.
public final class Trainer<Model: StreamModel> {
  public let model: Model
  public let configuration: TrainingConfiguration
  public private(set) var progress: TrainingProgress
  /// Every so many steps, and before each evaluation, the report of a step tells what it did to
  /// each parameter; nil for never. It changes no result, and costs about two passes over the
  /// weights.
  public var measurementInterval: Int?

  private let streams: Streams
  private let evaluate: ((Model) -> CrossEntropy)?
  private let parameters: [(name: String, parameter: Parameter)]
  private let optimiser: Optimiser
  private var state: Model.State?
  private var average: WeightAverage?
  /// Of random windows in the newest epoch, so as not to draw them anew for each.
  private var bounds: (epoch: Int, places: [Int])?

  /// - Parameters:
  ///   - training: the text; its length must give at least one window per stream.
  ///   - evaluate: how to find the validation loss, or nil if there is nothing to validate on.
  /// - Throws: `SettingError` for a configuration out of range, or a text that is too short for it.
  public init(
    _ model: Model, configuration: TrainingConfiguration, training: TokenSequence,
    evaluate: ((Model) -> CrossEntropy)?
  ) throws(SettingError) {
    self.model = model
    self.configuration = try configuration.validated()
    let needed = configuration.batch * configuration.truncation.window + 1
    guard training.count >= needed else {
      throw .outOfRange(
        setting: "text",
        legal: "at least \(needed) tokens long for a batch of \(configuration.batch) and a window "
          + "of \(configuration.truncation.window) (lower one of them, or use more text)",
        found: "\(training.count) tokens")
    }
    streams = Streams(training, batch: configuration.batch)
    self.evaluate = evaluate
    parameters = model.parameters
    optimiser = try Optimiser(configuration.optimiser, parameters: parameters)
    progress = TrainingProgress()
    if let patience = configuration.patience {
      progress.stopping = try EarlyStopping(patience: patience)
    }
    progress.averaging = configuration.averageAfter.map { NonMonotonicTrigger(patience: $0) }
  }

  public var updatesPerEpoch: Int {
    let truncation = configuration.truncation
    return configuration.randomWindows?.updates(length: streams.length, window: truncation.window)
      ?? truncation.updates(length: streams.length)
  }
  public var totalSteps: Int { updatesPerEpoch * configuration.epochs }

  /// Trains until the end, or until `shouldStop`, which is asked after each step.
  public func run(
    shouldStop: () -> Bool = { false }, on event: (TrainingEvent) throws -> Void
  ) throws -> TrainingOutcome {
    let started = progress.step
    while true {
      // First, since a checkpoint can be older than the evaluation that belongs to its step.
      if isEvaluationDue {
        let validation = withAveragedWeights { evaluate?(model) }
        if let loss = validation?.nats, !progress.isCredible(loss) {
          return .diverged(divergence(step: progress.step, loss: loss, gradientNorm: 0))
        }
        try event(.evaluated(evaluation(validation)))
      }
      if progress.stopping?.isExhausted == true { return .stoppedEarly }
      if progress.step >= totalSteps { return .finished }
      if progress.step > started, shouldStop() { return .interrupted }
      let (report, divergence) = step()
      if let divergence { return .diverged(divergence) }
      try event(.step(report))
    }
  }

  /// One update. If the training has diverged, the weights stay as they were.
  private func step() -> (StepReport, Divergence?) {
    let number = progress.step
    let update = number % updatesPerEpoch
    if update == 0 { state = nil }
    let mode = Mode.training(Philox(seed: configuration.seed, stream: 3).split(UInt64(number)))
    var result = gradients(update: update, epoch: number / updatesPerEpoch, mode: mode)
    let rate = rate(ofStep: number)
    let measurement = measurement(ofStep: number + 1, result.gradients)
    let outcome = configuration.clipping.clip(&result.gradients, of: parameters)
    let loss = Double(result.loss)
    var report = StepReport(
      step: number + 1, totalSteps: totalSteps, epoch: number / updatesPerEpoch + 1, loss: loss,
      learningRate: rate, gradientNorm: outcome.norm,
      clipped: outcome.clippedNorm || outcome.clippedValue, tokens: result.predictions)
    if !progress.isCredible(loss) || !outcome.norm.isFinite {
      return (report, divergence(step: number + 1, loss: loss, gradientNorm: outcome.norm))
    }
    optimiser.update(with: result.gradients, learningRate: rate, gradientScale: outcome.scale)
    average?.add()
    state = result.state
    progress.note(loss: loss, predictions: result.predictions, clipping: outcome)
    report.clipping = progress.clipping
    report.parameters = measurement?.finished() ?? []
    return (report, nil)
  }

  private func gradients(update: Int, epoch: Int, mode: Mode)
    -> TruncatedBPTT.Result<Model.State>
  {
    let truncation = configuration.truncation
    guard let places = bounds(ofEpoch: epoch) else {
      return truncation.gradients(of: model, on: streams, update: update, from: state, mode: mode)
    }
    return truncation.gradients(
      of: model, on: streams.window(places[update]..<places[update + 1]), skipping: 0, from: state,
      mode: mode)
  }

  /// Where the windows of an epoch begin and end, if their lengths are random.
  private func bounds(ofEpoch epoch: Int) -> [Int]? {
    guard let random = configuration.randomWindows else { return nil }
    if let bounds, bounds.epoch == epoch { return bounds.places }
    var generator = Philox(seed: configuration.seed, stream: 4).split(UInt64(epoch))
    let places = random.bounds(
      length: streams.length, window: configuration.truncation.window, using: &generator)
    bounds = (epoch, places)
    return places
  }

  private func measurement(ofStep step: Int, _ gradients: Gradients) -> StepMeasurement? {
    guard let measurementInterval else { return nil }
    let isEvaluated = isEvaluated(after: step)
    guard isEvaluated || step.isMultiple(of: measurementInterval) else { return nil }
    return StepMeasurement(parameters, gradients, withHistograms: isEvaluated)
  }

  private func divergence(step: Int, loss: Double, gradientNorm: Double) -> Divergence {
    Divergence(
      step: step, loss: loss, gradientNorm: gradientNorm, learningRate: rate(ofStep: step - 1),
      clipsNorm: configuration.clipping.maximumNorm != nil)
  }

  /// By the schedule; and of a window of random length, in proportion to it.
  private func rate(ofStep number: Int) -> Float {
    let rate = configuration.schedule.rate(
      step: number, totalSteps: totalSteps, base: configuration.learningRate,
      plateau: progress.plateau)
    guard let places = bounds(ofEpoch: number / updatesPerEpoch) else { return rate }
    let update = number % updatesPerEpoch
    return rate * Float(places[update + 1] - places[update])
      / Float(configuration.truncation.window)
  }

  /// Whether the newest step is one after which the model is evaluated, and that hasn't been done.
  public var isEvaluationDue: Bool {
    progress.step > progress.evaluatedStep && isEvaluated(after: progress.step)
  }

  private func isEvaluated(after step: Int) -> Bool {
    let inEpoch = (step - 1) % updatesPerEpoch + 1
    let parts = min(configuration.evaluationsPerEpoch, updatesPerEpoch)
    return inEpoch * parts / updatesPerEpoch > (inEpoch - 1) * parts / updatesPerEpoch
  }

  private func evaluation(_ validation: CrossEntropy?) -> EvaluationReport {
    let training = progress.takeTrainingLoss()
    let loss = validation?.nats ?? training.nats
    configuration.schedule.observe(loss, in: &progress.plateau)
    progress.stopping?.observe(loss)
    let step = progress.step
    progress.averaging?.observe(loss, step: step)
    if average == nil, progress.averaging?.begin != nil {
      average = WeightAverage(of: parameters)
    }
    let isBest = progress.best.observe(loss)
    if isBest { progress.bestStep = step }
    progress.evaluatedStep = step
    return EvaluationReport(
      step: step, epoch: (step - 1) / updatesPerEpoch + 1, training: training,
      validation: validation, isBest: isBest)
  }

  /// Calls `body` while the model has the weights that are evaluated: their mean since averaging
  /// began, if it has (see `TrainingConfiguration.averageAfter`), or else the newest.
  ///
  /// A model that is written, or used in any way, belongs in here; training goes on with the newest.
  public func withAveragedWeights<R>(_ body: () throws -> R) rethrows -> R {
    guard let average, average.count > 0 else { return try body() }
    return try average.whileInPlace(body)
  }

  // MARK: Checkpoints

  /// Everything that a resumed training needs.
  ///
  /// - Parameter fingerprint: what the training depends on besides, such as hashes of the text.
  public func checkpoint(fingerprint: [String: String]) -> Checkpoint {
    let weights = parameters.map { ("weights.\($0.name)", $0.parameter.value) }
    let moments = optimiser.state.map { ("optimiser.\($0.name)", $0.tensor) }
    let carried = (state?.tensors ?? []).enumerated().map { ("state.\($0)", $1) }
    let means = (average?.tensors ?? []).map { ("average.\($0.name)", $0.tensor) }
    return Checkpoint(
      progress: progress, optimiserSteps: optimiser.stepCount, fingerprint: fingerprint,
      tensors: weights + moments + carried + means)
  }

  /// Goes on from a checkpoint of the same model, configuration and text.
  ///
  /// - Throws: `CheckpointError` if it is of another; then nothing has changed.
  public func restore(_ checkpoint: Checkpoint, fingerprint: [String: String]) throws {
    try checkpoint.check(fingerprint)
    let weights = checkpoint.part("weights.")
    for (name, parameter) in parameters where weights[name]?.shape != parameter.shape {
      throw CheckpointError.otherModel(tensor: name)
    }
    let carried = checkpoint.part("state.")
    let initial = model.initialState(batch: configuration.batch)
    let shapes = initial.tensors.map(\.shape)
    let tensors = shapes.indices.compactMap { carried["\($0)"] }
    guard carried.isEmpty || tensors.map(\.shape) == shapes else {
      throw CheckpointError.otherModel(tensor: "carried state")
    }
    let means = checkpoint.part("average.")
    let average = try checkpoint.progress.averaging?.begin.map { begin in
      try WeightAverage(
        of: parameters, means: means, count: checkpoint.progress.step - begin)
    }
    try optimiser.restore(
      checkpoint.part("optimiser.").map { ($0.key, $0.value) },
      stepCount: checkpoint.optimiserSteps)
    for (name, parameter) in parameters {
      if let value = weights[name] { parameter.value = value }
    }
    state = carried.isEmpty ? nil : initial.replacing(tensors)
    self.average = average
    progress = checkpoint.progress
  }
}

/// Where a training stands, but for its tensors.
public struct TrainingProgress: Codable, Sendable, Equatable {
  /// Updates made so far.
  public internal(set) var step = 0
  /// The best evaluation so far, and after which step it was.
  public internal(set) var best = BestScore()
  public internal(set) var bestStep = 0
  /// After which step the last evaluation was.
  var evaluatedStep = 0
  public internal(set) var clipping = ClippingCounts()
  var plateau = PlateauState()
  var stopping: EarlyStopping?
  var averaging: NonMonotonicTrigger?
  private var firstLoss: Double?
  private var nats = 0.0
  private var predictions = 0

  /// Whether a loss can belong to a training that works: finite, and not far above the first.
  func isCredible(_ loss: Double) -> Bool {
    loss.isFinite && loss <= 10 * ((firstLoss ?? loss) + 1)
  }

  mutating func note(loss: Double, predictions count: Int, clipping outcome: Clipping.Outcome) {
    step += 1
    if firstLoss == nil { firstLoss = loss }
    nats += loss * Double(count)
    predictions += count
    clipping.count(outcome)
  }

  /// The training loss since this was last asked.
  mutating func takeTrainingLoss() -> CrossEntropy {
    defer { (nats, predictions) = (0, 0) }
    return CrossEntropy(totalNats: nats, tokens: predictions)
  }
}
