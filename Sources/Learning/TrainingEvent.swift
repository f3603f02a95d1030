import Foundation

/// What a trainer tells while it runs.
public enum TrainingEvent: Sendable {
  case step(StepReport)
  case evaluated(EvaluationReport)
}

/// One update.
public struct StepReport: Sendable, Equatable {
  /// Counted from 1.
  public let step: Int
  public let totalSteps: Int
  /// Counted from 1.
  public let epoch: Int
  /// The mean cross-entropy of the window before the update, in nats per token.
  public let loss: Double
  public let learningRate: Float
  /// The norm of all gradients together before clipping.
  public let gradientNorm: Double
  public let clipped: Bool
  /// Predictions in the window.
  public let tokens: Int
  /// How often clipping acted so far, this step included.
  public internal(set) var clipping = ClippingCounts()
  /// What the step did to each parameter; empty unless the trainer was asked to look.
  public internal(set) var parameters: [ParameterStep] = []
}

/// One evaluation.
public struct EvaluationReport: Sendable, Equatable {
  public let step: Int
  public let epoch: Int
  /// Over the training text since the evaluation before.
  public let training: CrossEntropy
  /// Over the validation text; nil without one.
  public let validation: CrossEntropy?
  /// Whether it is the best so far. Without a validation text the training loss decides.
  public let isBest: Bool
}

/// How a training ended.
public enum TrainingOutcome: Sendable, Equatable {
  /// All epochs are done.
  case finished
  /// The validation loss had stopped falling.
  case stoppedEarly
  /// The caller asked for it; the training can be resumed.
  case interrupted
  /// The loss became infinite, undefined or absurd.
  case diverged(Divergence)
}

/// What was seen when a training diverged.
public struct Divergence: Sendable, Equatable, CustomStringConvertible {
  public let step: Int
  public let loss: Double
  public let gradientNorm: Double
  public let learningRate: Float
  public let clipsNorm: Bool

  public var description: String {
    let what =
      !loss.isFinite
      ? "the loss became \(loss)"
      : !gradientNorm.isFinite
        ? "the norm of the gradients became \(gradientNorm)"
        : String(format: "the loss rose to %.1f nats, far above where it began", loss)
    let advice =
      clipsNorm
      ? "a lower learning rate (it was \(learningRate)) or a lower limit for the gradients' norm"
      : "a lower learning rate (it was \(learningRate)) or clipping the gradients' norm at 1"
    return "Training diverged at step \(step): \(what). Try \(advice)."
  }
}
