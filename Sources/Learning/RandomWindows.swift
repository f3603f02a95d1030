import Recurrence
import Tensors

/// Windows of random lengths, so that an epoch cuts the text at other places than the one before,
/// and no token stands at the beginning of a window again and again.
///
///     length ~ max(5, normal(T or, with probability `halved`, T / 2; `deviation`))
///
/// T is the window. As many lengths are drawn as windows of their mean fill the streams; then all
/// are stretched by the fraction that it takes to fill them to the end, so that every epoch has the
/// same number of updates. An update's learning rate is multiplied by its length / T, since short
/// windows would weigh too much otherwise.
///
/// - SeeAlso: S. Merity, N. Keskar, R. Socher, "Regularizing and Optimizing LSTM Language Models",
///   ICLR 2018, section 4.1.
public struct RandomWindows: Codable, Sendable, Equatable {
  /// The probability with which a window is about half as long.
  public var halved: Double
  /// The standard deviation of the length, in steps.
  public var deviation: Double

  /// The paper's values.
  public init(halved: Double = 0.05, deviation: Double = 5) {
    self.halved = halved
    self.deviation = deviation
  }

  /// The shortest that a length is drawn, in steps.
  static let shortest = 5.0

  /// This setting, if it is legal for windows of `window` steps.
  func validated(window: Int) throws(SettingError) -> RandomWindows {
    guard window >= 10 else {
      throw .outOfRange(
        setting: "window with random lengths", legal: "at least 10", found: "\(window)")
    }
    guard (0...1).contains(halved), deviation >= 0, deviation.isFinite else {
      throw .outOfRange(
        setting: "random windows", legal: "a probability and a deviation",
        found: "\(halved) and \(deviation)")
    }
    return self
  }

  /// How many windows of T = `window` streams of that length give.
  package func updates(length: Int, window: Int) -> Int {
    let mean = Double(window) * (1 - halved / 2)
    return length < window ? 0 : max(1, Int((Double(length) / mean).rounded()))
  }

  /// Where the windows of an epoch begin and end: a bound more than there are windows, rising from
  /// 0 to `length`.
  package func bounds(length: Int, window: Int, using generator: inout Philox) -> [Int] {
    let count = updates(length: length, window: window)
    var ends = [0.0]
    for _ in 0..<count {
      let isHalved = generator.uniformDouble() < halved
      let drawn = Double(window) * (isHalved ? 0.5 : 1) + deviation * generator.normal()
      ends.append((ends.last ?? 0) + max(Self.shortest, drawn))
    }
    let stretch = Double(length) / max(ends.last ?? 1, 1)
    var bounds = [0]
    for (index, end) in ends.enumerated().dropFirst() {
      // At least a step for each window, also for those that are still to come.
      let place = max(Int((end * stretch).rounded()), (bounds.last ?? 0) + 1)
      bounds.append(min(place, length - (count - index)))
    }
    return bounds
  }
}
