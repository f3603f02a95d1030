import Tensors

/// Law 1: gradients equal finite differences.
///
/// Outputs are float32, and the loss is added up in double precision, so that the noise of a
/// difference is that of the outputs alone. Five-point formulas have an error of h⁴, so that the
/// step can be large enough for the noise to be small.
extension CellTrial {
  func gradientViolations() -> [CellLaws.Violation] {
    let places = results().gradients
    let inputCount = inputs.tensors.count
    let stateCount = state.tensors.count
    let parameters = layer.parameters.map(\.parameter)
    var generator = Philox(seed: 2)
    return places.enumerated().compactMap { index, gradient in
      if index < inputCount {
        return check(gradient, of: inputs.tensors[index], using: &generator) {
          with(inputs: inputs.replacing($0, at: index), state: state).loss()
        }
      }
      if index < inputCount + stateCount {
        let place = index - inputCount
        return check(gradient, of: state.tensors[place], using: &generator) {
          with(inputs: inputs, state: state.replacing($0, at: place)).loss()
        }
      }
      let parameter = parameters[index - inputCount - stateCount]
      let value = parameter.value
      defer { parameter.value = value }
      return check(gradient, of: value, using: &generator) {
        parameter.value = $0
        return loss()
      }
    }
  }

  /// Compares a gradient with differences: in some elements, each by itself, and in all together,
  /// along a random direction. A place where the loss has a kink is passed over, unless all do.
  private func check(
    _ gradient: NamedTensor, of tensor: Tensor, using generator: inout Philox,
    loss: @escaping (Tensor) -> (value: Double, noise: Double)
  ) -> CellLaws.Violation? {
    let values = tensor.values
    let slopes = gradient.value.values
    let largest = slopes.reduce(0) { max($0, abs($1)) }
    var undecided: CellLaws.Violation?
    var isDecided = false
    func violation(_ place: String, _ direction: [Float], _ slope: Double) -> CellLaws.Violation? {
      let difference = FiniteDifference { step in
        loss(Tensor(zip(values, direction).map { $0 + Float(step) * $1 }, shape: tensor.shape))
      }
      let place = "\(gradient.name)\(place)"
      func violation(_ expected: Double) -> CellLaws.Violation {
        CellLaws.Violation(law: .gradients, place: place, expected: expected, found: slope)
      }
      switch difference.verdict(on: slope, largest: Double(largest)) {
      case .differs(let expected): return violation(expected)
      case .kinked(let expected): undecided = undecided ?? violation(expected)
      case .equals: isDecided = true
      }
      return nil
    }
    let count = min(values.count, FiniteDifference.elements)
    for number in 0..<count {
      let index =
        count == values.count ? number : Int(generator.next(upperBound: UInt64(values.count)))
      var direction = [Float](repeating: 0, count: values.count)
      direction[index] = 1
      let place = CellLaws.position(of: index, in: tensor.shape)
      if let found = violation(place, direction, Double(slopes[index])) { return found }
    }
    let length = 1 / Float(max(values.count, 1)).squareRoot()
    let direction = values.map { _ in generator.next().isMultiple(of: 2) ? length : -length }
    let slope = zip(slopes, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let found = violation(", all elements along a random direction", direction, slope)
    return found ?? (isDecided ? nil : undecided)
  }

  /// The loss, and the standard deviation of its rounding error if each output had one of half a
  /// unit in its last place.
  private func loss() -> (value: Double, noise: Double) {
    let (outputs, last) = withoutGradients { unfold(layer, over: inputs, from: state) }
    var value = 0.0
    var squares = 0.0
    for (index, tensor) in (outputs.tensors + last.tensors).enumerated() {
      for (weight, output) in zip(lossWeight(index, tensor.shape).values, tensor.values) {
        value += Double(weight) * Double(output)
        let size = Double(weight) * max(1, abs(Double(output)))
        squares += size * size
      }
    }
    return (value, squares.squareRoot() * 0x1p-24)
  }
}

/// The derivative at 0 of a function of one number, from its values.
private struct FiniteDifference {
  /// A value and the size of the rounding error in it.
  let function: (Double) -> (value: Double, noise: Double)

  /// How many elements of a tensor are looked at one by one.
  static let elements = 12

  /// As a part of the largest gradient: what the formulas' own error of h⁴ may make at the largest
  /// step, 2⁻²⁰ times a fifth derivative of some hundreds.
  static let formulaError = 1e-3

  /// How many standard deviations of noise are let pass, each of an output that is wrong by half a
  /// unit in its last place.
  static let noiseFactor = 4.0

  /// At a kink of a ReLU no formula that reaches across it is right. Where formulas disagree, a
  /// smaller step is tried, with more noise; where they agree at two steps, their word is final.
  static let steps = [0x1p-5, 0x1p-6, 0x1p-8, 0x1p-11]

  /// Formulas agree if what lies between them is this part of what they have against the gradient.
  static let agreement = 0.125

  /// The weights of f(k·h) in formulas for 12·h·f′(0).
  static let formulas: [[(k: Double, weight: Double)]] = [
    [(-2, 1), (-1, -8), (1, 8), (2, -1)],
    [(0, -25), (1, 48), (2, -36), (3, 16), (4, -3)],
    [(0, 25), (-1, -48), (-2, 36), (-3, -16), (-4, 3)],
  ]

  enum Verdict {
    case equals
    case differs(Double)
    /// Kinks lie so near on both sides that no formula is to be trusted.
    case kinked(Double)
  }

  /// Whether `slope` is the derivative.
  ///
  /// - Parameter largest: what the formulas' error is a part of.
  func verdict(on slope: Double, largest: Double) -> Verdict {
    var central: [Double] = []
    var agreed = false
    var hasKink = false
    for step in Self.steps {
      var found: [(value: Double, error: Double)] = []
      for formula in Self.formulas {
        let (value, noise) = derivative(formula, step: step)
        let error = Self.formulaError * largest + Self.noiseFactor * noise
        if abs(value - slope) <= error { return .equals }
        found.append((value, error))
      }
      central.append(found[0].value)
      let values = found.map(\.value) + central.suffix(2)
      let spread = values.reduce(0) { max($0, abs($1 - found[0].value)) }
      let agrees = spread <= Self.agreement * abs(found[0].value - slope)
      if agrees && agreed { return .differs(central[0]) }
      agreed = agrees
      hasKink =
        hasKink || found.contains { abs($0.value - found[0].value) > $0.error + found[0].error }
    }
    return hasKink ? .kinked(central[0]) : .differs(central[0])
  }

  private func derivative(_ formula: [(k: Double, weight: Double)], step: Double)
    -> (value: Double, noise: Double)
  {
    var (value, squares) = (0.0, 0.0)
    for (k, weight) in formula {
      let term = function(k * step)
      value += weight * term.value
      squares += weight * weight * term.noise * term.noise
    }
    return (value / (12 * step), squares.squareRoot() / (12 * step))
  }
}

extension TensorGroup {
  fileprivate func replacing(_ tensor: Tensor, at index: Int) -> Self {
    var all = tensors
    all[index] = tensor
    return replacing(all)
  }
}
