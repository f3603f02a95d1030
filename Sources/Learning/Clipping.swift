import CKernels
import Synchronization
import Tensors

/// Limits gradients, so that one steep step doesn't throw the weights far away.
///
///     by value   g ← min(max(g, −c), c)                     each number, first
///     by norm    g ← g·min(1, m / (‖g‖ + 10⁻⁶))             all parameters together, then
///
/// - SeeAlso: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural
///   networks", ICML 2013, algorithm 1 (norm); T. Mikolov, "Statistical Language Models Based on
///   Neural Networks", PhD thesis, Brno 2012, section 3.2.2 (value).
public struct Clipping: Codable, Sendable, Equatable {
  /// The longest that the vector of all gradients may be, or nil for any length.
  public var maximumNorm: Float?
  /// The largest that a number of a gradient may be, either sign, or nil for any.
  public var maximumValue: Float?

  public init(maximumNorm: Float? = nil, maximumValue: Float? = nil) {
    self.maximumNorm = maximumNorm
    self.maximumValue = maximumValue
  }

  /// What clipping found and did in one step.
  public struct Outcome: Sendable, Equatable {
    /// The global norm of the gradients as they came. Not finite if one of them isn't, or if a
    /// square is beyond Float: then nothing has been clipped, and the step shouldn't be taken.
    public var norm: Double
    /// What the gradients have still to be multiplied by: `gradientScale` of `Optimiser.update`.
    public var scale: Float
    /// Whether a number was beyond `maximumValue`.
    public var clippedValue: Bool
    /// Whether the norm was beyond `maximumNorm`.
    public var clippedNorm: Bool { scale < 1 }

    package init(norm: Double, scale: Float, clippedValue: Bool) {
      self.norm = norm
      self.scale = scale
      self.clippedValue = clippedValue
    }
  }

  /// This setting, if it is legal.
  ///
  /// - Throws: `SettingError` for a limit that isn't positive.
  public func validated() throws(SettingError) -> Clipping {
    for (name, limit) in [("clip norm", maximumNorm), ("clip value", maximumValue)] {
      guard let limit else { continue }
      guard limit > 0 else {
        throw .outOfRange(setting: name, legal: "positive", found: "\(limit)")
      }
    }
    return self
  }

  /// Clips by value, in place unless somebody else holds a gradient, and finds the scale that clips
  /// by norm.
  ///
  /// One pass to read; one to write and one to read again only if `maximumValue` is set.
  ///
  /// - Parameter parameters: those that the gradients are for, each once.
  public func clip(
    _ gradients: inout Gradients, of parameters: [(name: String, parameter: Parameter)]
  ) -> Outcome {
    let norm = gradients.norm(over: parameters)
    var outcome = Outcome(norm: norm, scale: 1, clippedValue: false)
    guard norm.isFinite else { return outcome }
    var clippedNorm = norm
    if let maximumValue {
      outcome.clippedValue = gradients.clip(toValue: maximumValue, over: parameters)
      if outcome.clippedValue { clippedNorm = gradients.norm(over: parameters) }
    }
    if let maximumNorm {
      outcome.scale = Float(min(1, Double(maximumNorm) / (clippedNorm + 1e-6)))
    }
    return outcome
  }
}

/// How often clipping acted: a limit that always acts is a learning rate in disguise.
public struct ClippingCounts: Codable, Sendable, Equatable {
  public private(set) var steps = 0
  public private(set) var byNorm = 0
  public private(set) var byValue = 0

  public init() {}

  public mutating func count(_ outcome: Clipping.Outcome) {
    steps += 1
    if outcome.clippedNorm { byNorm += 1 }
    if outcome.clippedValue { byValue += 1 }
  }
}

extension Gradients {
  /// ‖g‖ = √(Σ g²) over all numbers of the gradients of all these parameters, those without a
  /// gradient left out.
  ///
  /// The same to the last bit whatever the number of threads: chunks are summed each by one thread,
  /// and their sums added up in order, in double precision.
  public func norm(over parameters: [(name: String, parameter: Parameter)]) -> Double {
    parameters.reduce(0) { total, entry in
      total + (self[entry.parameter]?.sumOfSquaresInChunks ?? 0)
    }.squareRoot()
  }

  /// True if a number was beyond `limit`.
  fileprivate mutating func clip(
    toValue limit: Float, over parameters: [(name: String, parameter: Parameter)]
  ) -> Bool {
    let acted = Atomic(false)
    for (_, parameter) in parameters {
      guard var gradient = self[parameter] else { continue }
      self[parameter] = nil  // or else it would be held twice, and be copied
      let count = gradient.count
      gradient.update { g in
        forChunks(of: count) { chunk in
          var changed = false
          for i in chunk where abs(g[i]) > limit {
            g[i] = g[i] < 0 ? -limit : limit
            changed = true
          }
          if changed { acted.store(true, ordering: .relaxed) }
        }
      }
      self[parameter] = gradient
    }
    return acted.load(ordering: .relaxed)
  }
}

extension Tensor {
  fileprivate var sumOfSquaresInChunks: Double {
    let size = 1 << 15
    let chunks = (count + size - 1) / size
    return withPooled(Double.self, count: chunks) { sums in
      borrowing(self) {
        Compute.forEach(chunks, cost: 2 * size) { chunk in
          let start = chunk * size
          sums[chunk] = Compute.kernels.sum_of_squares(min(size, count - start), base + start)
        }
      }
      return sums.reduce(0, +)
    }
  }
}
