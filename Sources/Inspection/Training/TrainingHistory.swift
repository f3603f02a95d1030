import Foundation

/// What `metrics.jsonl` tells about a training.
package struct TrainingHistory: Sendable {
  let steps: [MetricsLine]
  let evaluations: [MetricsLine]
  /// The time that the training took, with those that it was resumed in, in seconds.
  package let seconds: Double
  package let lastStep: Int
  package let totalSteps: Int?

  /// - Parameter metrics: the file, of which a last line that was cut off is left out.
  package init(metrics: Data) {
    let lines = MetricsLine.lines(of: metrics)
    steps = lines.filter { !$0.isEvaluation }
    evaluations = lines.filter(\.isEvaluation)
    lastStep = lines.map(\.step).max() ?? 0
    totalSteps = lines.last { $0.totalSteps != nil }?.totalSteps
    // A resumed run begins to count again.
    var (total, last) = (0.0, 0.0)
    for seconds in lines.compactMap(\.seconds) {
      total += seconds < last ? seconds : seconds - last
      last = seconds
    }
    seconds = total
  }

  var best: MetricsLine? { evaluations.last { $0.isBest == true } }

  /// In which part of the steps clipping acted, by norm and by value.
  package var clippedShares: (byNorm: Double, byValue: Double)? {
    guard let last = steps.last, let norm = last.clippedByNorm, let value = last.clippedByValue,
      last.step > 0
    else { return nil }
    return (Double(norm) / Double(last.step), Double(value) / Double(last.step))
  }

  /// The same between each logged step and the one before, by norm or by value: at most 1 each.
  var clippedShareOverTime: (steps: [Double], shares: [Double]) {
    var (places, shares): ([Double], [Double]) = ([], [])
    var (lastStep, lastCount) = (0, 0)
    for line in steps {
      guard let norm = line.clippedByNorm, let value = line.clippedByValue, line.step > lastStep
      else { continue }
      let count = max(norm, value)
      places.append(Double(line.step))
      shares.append(min(1, Double(count - lastCount) / Double(line.step - lastStep)))
      (lastStep, lastCount) = (line.step, count)
    }
    return (places, shares)
  }

  /// The middle of the speeds, in tokens per second.
  var medianSpeed: Double? {
    let speeds = steps.compactMap(\.tokensPerSecond).sorted()
    return speeds.isEmpty ? nil : speeds[speeds.count / 2]
  }

  /// The names of all parameters that were measured, layer by layer.
  var layers: [(layer: Layer, parameters: [String])] {
    let names = Set(steps.flatMap { ($0.gradientNorms ?? [:]).keys })
    return Dictionary(grouping: names, by: Layer.init(parameter:))
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
  }
}

/// A part of a model, by the names of its parameters as PyTorch has them.
struct Layer: Hashable, Comparable {
  let name: String
  /// Where in the model: what comes first is smallest.
  private let place: Int

  init(parameter: String) {
    if parameter.hasPrefix("embedding.") {
      (name, place) = ("embedding", -1)
    } else if parameter.hasPrefix("decoder.") {
      (name, place) = ("readout", .max)
    } else if let number = Self.number(in: parameter) {
      (name, place) = ("layer \(number)", number)
    } else {
      (name, place) = (String(parameter.prefix { $0 != "." }), .max - 1)
    }
  }

  /// 2 in `lstm.weight_ih_l2` and in `lstm.weight_hh_l2_reverse`.
  private static func number(in parameter: String) -> Int? {
    for part in parameter.split(separator: "_").reversed() where part.hasPrefix("l") {
      if let number = Int(part.dropFirst()) { return number }
    }
    return nil
  }

  static func < (a: Layer, b: Layer) -> Bool { (a.place, a.name) < (b.place, b.name) }
}
