import Tensors

/// What a step did to one parameter: whether its gradient vanishes or explodes, and whether its
/// updates are of a good size (about a thousandth of the weights).
public struct ParameterStep: Sendable, Equatable {
  public let name: String
  /// ‖g‖ before clipping.
  public let gradientNorm: Double
  /// ‖w‖ after the update.
  public let weightNorm: Double
  /// ‖Δw‖, how far the update moved the weights.
  public let updateNorm: Double
  /// How the numbers are spread; only in the last step before an evaluation.
  public let histograms: Histograms?

  public struct Histograms: Sendable, Equatable {
    /// After the update.
    public let weights: NumberHistogram
    /// Before clipping by norm.
    public let gradients: NumberHistogram
  }

  /// ‖Δw‖ / ‖w‖; nil for weights that are all zero.
  public var updateRatio: Double? { weightNorm > 0 ? updateNorm / weightNorm : nil }
}

/// How often numbers are in each of some ranges of equal width.
public struct NumberHistogram: Sendable, Equatable {
  public let smallest, largest: Double
  public let count: Int
  public let sum, sumOfSquares: Double
  /// How many are in each range, from the smallest number to the largest.
  public let counts: [Int]

  /// - Precondition: at least one range.
  public init(_ numbers: [Float], ranges: Int = 50) {
    require(ranges > 0, "\(ranges) ranges of a histogram")
    let low = Double(numbers.min() ?? 0)
    let high = Double(numbers.max() ?? 0)
    var counts = [Int](repeating: 0, count: ranges)
    var (sum, squares) = (0.0, 0.0)
    let perNumber = high > low ? Double(ranges) / (high - low) : 0
    for number in numbers {
      let number = Double(number)
      sum += number
      squares += number * number
      let place = (number - low) * perNumber
      // Numbers that aren't finite have no place, and count at an end.
      counts[place >= 0 ? Int(min(place, Double(ranges - 1))) : 0] += 1
    }
    (smallest, largest, count) = (low, high, numbers.count)
    (self.sum, sumOfSquares) = (sum, squares)
    self.counts = counts
  }

  /// Where the ranges end, one after the other.
  public var upperEdges: [Double] {
    (1...counts.count).map {
      smallest + (largest - smallest) * Double($0) / Double(counts.count)
    }
  }
}

/// Looks at the parameters around one update.
struct StepMeasurement {
  private let parameters: [(name: String, parameter: Parameter)]
  private let before: [Tensor]
  private let gradientNorms: [Double]
  private let gradients: [NumberHistogram]?

  /// Before the update, which then changes copies of the weights.
  ///
  /// - Parameter withHistograms: whether the numbers are counted too.
  init(
    _ parameters: [(name: String, parameter: Parameter)], _ gradients: Gradients,
    withHistograms: Bool
  ) {
    self.parameters = parameters
    before = parameters.map(\.parameter.value)
    gradientNorms = parameters.map { gradients.norm(over: [$0]) }
    self.gradients =
      withHistograms
      ? parameters.map { NumberHistogram(gradients[$0.parameter]?.values ?? []) } : nil
  }

  /// After the update.
  func finished() -> [ParameterStep] {
    parameters.indices.map { index in
      let value = parameters[index].parameter.value
      return ParameterStep(
        name: parameters[index].name, gradientNorm: gradientNorms[index],
        weightNorm: value.sumOfSquares.squareRoot(),
        updateNorm: (value - before[index]).sumOfSquares.squareRoot(),
        histograms: gradients.map {
          .init(weights: NumberHistogram(value.values), gradients: $0[index])
        })
    }
  }
}
