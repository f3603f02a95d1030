import Foundation

/// How the learning rate changes during training.
///
/// With η the base rate, and `step` counting optimiser steps from 0:
///
///     constant      η
///     step          η·factor^⌊step / every⌋
///     exponential   η·decay^(step / every)
///     cosine        η·(step + 1) / warmup                              while step < warmup, then
///                   η·(final + (1 − final)·(1 + cos πp) / 2),  p = (step − warmup) / (N − warmup)
///     plateau       η·factor^reductions, but not below `minimum`
///
/// N is the number of steps of the whole training; p stays at 1 after it.
/// As text, and in JSON, it is a name and settings: `cosine:warmup=100,final=0.1`.
///
/// - SeeAlso: I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5 (cosine); P. Goyal et al.,
///   "Accurate, Large Minibatch SGD", 2017, section 2.2 (warm-up).
public enum Schedule: Sendable, Equatable {
  case constant
  /// Multiplies by `factor`, in (0, 1], after every `every` steps, from 1 up.
  case step(every: Int, factor: Double)
  /// Falls steadily by `decay`, in (0, 1], in `every` steps, from 1 up.
  ///
  /// Counts in steps, as everything here: with `every` 1, the default of the text, `decay` is per
  /// step; for a decay per epoch, `every` is the number of steps of an epoch.
  case exponential(decay: Double, every: Int)
  /// Rises for `warmup` steps, from 0 up, and falls to `final`, in [0, 1], times the base rate.
  case cosine(warmup: Int, final: Double)
  /// Multiplies by `factor`, in (0, 1), when more than `patience` evaluations in a row, from 0 up,
  /// haven't improved the loss. `minimum` is a rate, from 0 up.
  case plateau(patience: Int, factor: Double, minimum: Double)

  /// The learning rate of step number `step`, counted from 0.
  ///
  /// - Parameters:
  ///   - totalSteps: the number of steps of the whole training. Only `cosine` asks for it.
  ///   - base: η, the rate that was asked for.
  ///   - plateau: what `observe` made of the evaluations so far. Only `plateau` asks for it.
  public func rate(
    step: Int, totalSteps: Int, base: Float, plateau: PlateauState = PlateauState()
  ) -> Float {
    let base = Double(base)
    switch self {
    case .constant:
      return Float(base)
    case .step(let every, let factor):
      return Float(base * pow(factor, Double(step / every)))
    case .exponential(let decay, let every):
      return Float(base * pow(decay, Double(step) / Double(every)))
    case .cosine(let warmup, let final):
      if step < warmup { return Float(base * Double(step + 1) / Double(warmup)) }
      let p = min(1, Double(step - warmup) / Double(max(totalSteps - warmup, 1)))
      return Float(base * (final + (1 - final) * (1 + cos(.pi * p)) / 2))
    case .plateau(_, let factor, let minimum):
      return Float(min(base, max(base * pow(factor, Double(plateau.reductions)), minimum)))
    }
  }

  /// Takes note of the validation loss of one evaluation; only `plateau` minds.
  ///
  /// As PyTorch's ReduceLROnPlateau with no threshold and no cool-down.
  public func observe(_ loss: Double, in state: inout PlateauState) {
    guard case .plateau(let patience, _, _) = self else { return }
    state.best.observe(loss)
    if state.best.observationsSince > patience {
      state.best.observationsSince = 0
      state.reductions += 1
    }
  }
}

/// What a plateau schedule remembers, for a checkpoint.
public struct PlateauState: Codable, Sendable, Equatable {
  /// The lowest loss, and for how long there has been none lower and no reduction.
  public internal(set) var best = BestScore()
  /// How often the rate was reduced.
  public internal(set) var reductions = 0

  public init() {}
}
