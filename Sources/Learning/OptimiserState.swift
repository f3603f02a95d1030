import Tensors

extension OptimiserConfiguration.Method {
  /// PyTorch's names of what the update rule remembers, in the order of `Optimiser.Slot`.
  var momentNames: [String] {
    switch self {
    case .sgd: []
    case .momentum: ["momentum_buffer"]
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    case .rmsprop: ["square_avg"]
    case .adagrad: ["sum"]
    }
  }

  /// How many numbers the update rule remembers for each weight.
  public var momentCount: Int { momentNames.count }

  /// Whether the update depends on how many gradients the parameter has had.
  var countsSteps: Bool { self == .adam || self == .adamw }
}

/// Why a saved state isn't one of this optimiser. The optimiser is as it was before.
public enum OptimiserStateError: Error, Equatable, CustomStringConvertible {
  case missing(String)
  case unexpected(String)
  case shape(String, expected: Shape, found: Shape)
  case count(String, found: String)

  public var description: String {
    switch self {
    case .missing(let name): "the optimiser's saved state lacks “\(name)”"
    case .unexpected(let name):
      "the optimiser's saved state has “\(name)”, which this optimiser doesn't have, or has it twice"
    case .shape(let name, let expected, let found):
      "“\(name)” of the optimiser's saved state must have shape \(expected), not \(found)"
    case .count(let name, let found):
      "“\(name)” of the optimiser's saved state must be a whole number from 0 up, not \(found)"
    }
  }
}

extension Optimiser {
  /// What the update rule remembers, for a checkpoint, together with `stepCount`.
  ///
  /// Names are PyTorch's, then a point and the parameter's: `exp_avg.weight_ih_l0`. Adam also keeps
  /// `step.<parameter>`, a scalar, since a parameter without a gradient doesn't take the step. A
  /// later `update` doesn't change the tensors that were got here.
  public var state: [(name: String, tensor: Tensor)] {
    slots.flatMap { slot in
      var entries: [(name: String, tensor: Tensor)] = []
      if configuration.method.countsSteps {
        entries.append(("step.\(slot.name)", Tensor(Float(slot.steps))))
      }
      for (name, tensor) in zip(configuration.method.momentNames, [slot.first, slot.second]) {
        if let tensor { entries.append(("\(name).\(slot.name)", tensor)) }
      }
      return entries
    }
  }

  /// Continues where the optimiser that had this `state` and `stepCount` was.
  ///
  /// - Throws: `OptimiserStateError` unless there is exactly what `state` of this optimiser has, in
  ///   any order. Nothing has changed then.
  public func restore(
    _ state: [(name: String, tensor: Tensor)], stepCount: Int
  ) throws(OptimiserStateError) {
    guard stepCount >= 0 else { throw .count("stepCount", found: "\(stepCount)") }
    var rest: [String: Tensor] = [:]
    for (name, tensor) in state where rest.updateValue(tensor, forKey: name) != nil {
      throw .unexpected(name)
    }
    let method = configuration.method
    var restored = slots
    for index in restored.indices {
      let (name, shape) = (restored[index].name, restored[index].parameter.shape)
      if method.countsSteps {
        let steps = try rest.take("step.\(name)", shape: []).item
        guard let count = Int(exactly: steps), count >= 0 else {
          throw .count("step.\(name)", found: "\(steps)")
        }
        restored[index].steps = count
      }
      let moments = method.momentNames
      if moments.count > 0 {
        restored[index].first = try rest.take("\(moments[0]).\(name)", shape: shape)
      }
      if moments.count > 1 {
        restored[index].second = try rest.take("\(moments[1]).\(name)", shape: shape)
      }
    }
    if let name = rest.keys.min() { throw .unexpected(name) }
    slots = restored
    self.stepCount = stepCount
  }
}

extension [String: Tensor] {
  fileprivate mutating func take(
    _ name: String, shape: Shape
  ) throws(OptimiserStateError) -> Tensor {
    guard let tensor = removeValue(forKey: name) else { throw .missing(name) }
    guard tensor.shape == shape else {
      throw .shape(name, expected: shape, found: tensor.shape)
    }
    return tensor.detached
  }
}
