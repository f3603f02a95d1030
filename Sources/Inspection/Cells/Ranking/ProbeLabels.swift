import Tensors

/// The labels of a probe at the positions where it applies, cut in two halves of the text, and how
/// the control shifts them.
package struct ProbeLabels {
  /// Every position gets the label of the one so many further on in its own half; the last ones get
  /// those of the first. Within halves, since what a score means depends on how frequent "yes" is:
  /// labels that moved from one half to the other would change that, and compare with nothing.
  package struct Rotation: Sendable, Equatable {
    package let training, test: Int
    package static let none = Rotation(training: 0, test: 0)
  }

  let name: String
  let kind: Probe.Kind
  /// Where the question applies, ascending.
  let positions: [Int32]
  /// The labels there.
  let values: [Float]
  /// How many of `positions` lie in the first half of the text.
  let training: Int
  /// The first is none, the truth.
  package let rotations: [Rotation]

  /// - Parameters:
  ///   - labels: one for each position, NaN where the question doesn't apply.
  ///   - shifts: how many rotations the control has.
  package init(name: String, kind: Probe.Kind, labels: [Float], shifts: Int) {
    self.name = name
    self.kind = kind
    positions = labels.indices.filter { !labels[$0].isNaN }.map { Int32($0) }
    values = positions.map { labels[Int($0)] }
    let half = Int32(labels.count / 2)
    training = positions.firstIndex { $0 >= half } ?? positions.count
    let (first, second) = (training, positions.count - training)
    // As far from each other as from the truth, which therefore is one like the others where labels
    // and text have nothing to do with each other.
    rotations = (0...shifts).map {
      Rotation(training: first * $0 / (shifts + 1), test: second * $0 / (shifts + 1))
    }
  }

  var count: Int { positions.count }
  var isEverywhere: Bool { count > 0 && Int(positions[count - 1]) == count - 1 }

  /// The number of the position whose label position number `index` gets.
  func source(of index: Int, _ rotation: Rotation) -> Int {
    let isTraining = index < training
    let place = index + (isTraining ? rotation.training : rotation.test)
    return isTraining
      ? (place < training ? place : place - training)
      : (place < count ? place : place - (count - training))
  }

  /// The numbers of the positions with the rarer answer, and whether that is yes.
  var rarer: (indices: [Int32], isYes: Bool) {
    let yes = values.indices.filter { values[$0] != 0 }
    if 2 * yes.count <= count { return (yes.map { Int32($0) }, true) }
    return (values.indices.filter { values[$0] == 0 }.map { Int32($0) }, false)
  }

  /// Why this can't be ranked: one half has too few examples. Examples that stand side by side are
  /// one: ten characters of one comment tell nothing of comments.
  var obstacle: String? {
    let least = 10
    let halves = [values[..<training], values[training...]]
    for (half, name) in zip(halves, ["first", "second"]) {
      if half.count < 2 * least { return "the question hardly applies to the \(name) half" }
      switch kind {
      case .graded:
        let changes = zip(half, half.dropFirst()).count { $0 != $1 }
        if changes == 0 { return "all labels of the \(name) half are equal" }
        if changes < least {
          let times = changes == 1 ? "once" : "\(changes) times"
          return "the labels of the \(name) half change only \(times)"
        }
      case .yesNo:
        let yes = half.reduce(0) { $0 + ($1 != 0 ? 1 : 0) }
        let runs = zip([0] + half, half).count { $0 == 0 && $1 != 0 }
        if runs < least {
          let found = yes == 0 ? "no examples" : "only \(runs) example\(runs == 1 ? "" : "s")"
          return "the \(name) half has \(found)"
        }
        if half.count - yes < least { return "the \(name) half has hardly anything else" }
      }
    }
    return nil
  }
}
