import Tensors

/// The labels of a probe at the positions where it applies, cut in two halves of the text, and the
/// lags by which the control shifts them.
package struct ProbeLabels {
  let name: String
  let kind: Probe.Kind
  /// Where the question applies, ascending.
  let positions: [Int32]
  /// The labels there.
  let values: [Float]
  /// How many of `positions` lie in the first half of the text.
  let training: Int
  /// By how much the control rotates `values`; the first is 0, the truth.
  package let lags: [Int]

  /// - Parameters:
  ///   - labels: one for each position, NaN where the question doesn't apply.
  ///   - shifts: how many rotations the control has.
  package init(
    name: String, kind: Probe.Kind, labels: [Float], shifts: Int, using generator: inout Philox
  ) {
    self.name = name
    self.kind = kind
    positions = labels.indices.filter { !labels[$0].isNaN }.map { Int32($0) }
    values = positions.map { labels[Int($0)] }
    let half = Int32(labels.count / 2)
    training = positions.firstIndex { $0 >= half } ?? positions.count
    // At least a twentieth of the text away, so that neighbouring labels aren't meant.
    let (count, margin) = (positions.count, positions.count / 20)
    let room = max(count - 2 * margin, 1)
    lags =
      [0]
      + (0..<shifts).map { _ in
        margin + Int(generator.uniformDouble() * Double(room))
      }
  }

  var count: Int { positions.count }
  var isEverywhere: Bool { count > 0 && Int(positions[count - 1]) == count - 1 }

  /// The label that position number `index` has after rotation number `shift`.
  func value(_ index: Int, shift: Int) -> Float { values[(index + lags[shift]) % count] }

  /// The numbers of the positions with the rarer answer, and whether that is yes.
  var rarer: (indices: [Int32], isYes: Bool) {
    let yes = values.indices.filter { values[$0] != 0 }
    if 2 * yes.count <= count { return (yes.map { Int32($0) }, true) }
    return (values.indices.filter { values[$0] == 0 }.map { Int32($0) }, false)
  }

  /// Why this can't be ranked: one half has too few examples.
  var obstacle: String? {
    let least = 10
    let halves = [values[..<training], values[training...]]
    for (half, name) in zip(halves, ["first", "second"]) {
      if half.count < 2 * least { return "the question hardly applies to the \(name) half" }
      switch kind {
      case .graded:
        if half.allSatisfy({ $0 == half.first }) {
          return "all labels of the \(name) half are equal"
        }
      case .yesNo:
        let yes = half.reduce(0) { $0 + ($1 != 0 ? 1 : 0) }
        if yes < least { return "the \(name) half has \(yes == 0 ? "no" : "only \(yes)") examples" }
        if half.count - yes < least { return "the \(name) half has hardly anything else" }
      }
    }
    return nil
  }
}
