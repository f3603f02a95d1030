import Learning
import Recurrence
import Tensors

extension RecurrentLanguageModel {
  public var hiddenSize: Int? { readout.inputSize }

  /// As for any model; read side by side where the text is long (see ``SideBySideReading``).
  public func predict(
    _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
    progress: (Double) -> Void, visit: (PredictedPart) -> Void
  ) {
    if let dynamic {
      return predictDynamically(tokens, dynamic) { part in
        visit(part)
        progress(Double(part.places.upperBound) / Double(tokens.count))
      }
    }
    guard tokens.count > 1 else { return }
    // Long parts are read twice for less of their length; hidden states of one take 128 MiB.
    let longest = keepingHidden ? max(8192, (1 << 25) / readout.inputSize) : 1 << 19
    let parts = (tokens.count - 2) / longest + 1
    var state = initialState(batch: 1)
    for index in 0..<parts {
      let places =
        1 + (tokens.count - 1) * index / parts..<1 + (tokens.count - 1) * (index + 1) / parts
      let read = SideBySideReading.read(
        places, of: tokens, self, from: state, keepingHidden: keepingHidden
      ) { progress((Double(index) + $0) / Double(parts)) }
      state = read.state
      visit(read.part)
    }
  }

  public func logProbabilities(of targets: [Int32], from hidden: Tensor) -> [Double] {
    withoutGradients { readout.crossEntropies(hidden, targets: targets).each.map { -$0 } }
  }

  /// As for any model; texts of similar length are read side by side.
  public func logProbabilities(
    ofEach texts: [[Int32]], progress: (Double) -> Void
  ) -> [[Double]] {
    var results = texts.map { [Double](repeating: 0, count: max(0, $0.count - 1)) }
    let total = max(1, results.reduce(0) { $0 + $1.count })
    var done = 0
    // A long text is read side by side with itself.
    let (long, short) = (4096, 64)
    for index in texts.indices where texts[index].count > long {
      predict(TokenSequence(texts[index])) { part in
        let places = part.places.lowerBound - 1..<part.places.upperBound - 1
        results[index].replaceSubrange(places, with: part.logProbabilities)
        done += part.places.count
        progress(Double(done) / Double(total))
      }
    }
    let rest = texts.indices.filter { (2...long).contains(texts[$0].count) }
      .sorted { (texts[$0].count, $0) > (texts[$1].count, $1) }
    for start in stride(from: 0, to: rest.count, by: short) {
      let group = Array(rest[start..<min(start + short, rest.count)])
      read(group, of: texts, into: &results)
      done += group.reduce(0) { $0 + results[$1].count }
      progress(Double(done) / Double(total))
    }
    return results
  }

  /// Reads some texts at once, the longest first; those that have ended leave.
  private func read(_ group: [Int], of texts: [[Int32]], into results: inout [[Double]]) {
    var group = group
    var state: Core.State?
    var start = 0
    while !group.isEmpty {
      let longest = texts[group[0]].count - 1 - start
      let steps = min(longest, max(16, 4096 / group.count))
      let (inputs, targets, rows) = window(of: group, texts, from: start, steps: steps)
      let window = Window(steps: steps, batch: group.count, inputs: inputs, targets: inputs)
      let (hidden, last) = withoutGradients { self.hidden(window, from: state, mode: .inference) }
      let flat = hidden.reshaped([steps * group.count, readout.inputSize]).detached
      let real = rows.count == flat.shape[0] ? flat : flat.gathering(rows)
      for (row, value) in zip(rows, logProbabilities(of: targets, from: real)) {
        let text = group[Int(row) % group.count]
        results[text][start + Int(row) / group.count] = value
      }
      start += steps
      let left = group.indices.filter { texts[group[$0]].count - 1 > start }
      group = left.map { group[$0] }
      state = last.mapTensors { $0[0..<max(1, left.count)] }.detached
    }
  }

  /// A window of some texts: inputs, filled up with zeros past an end; and the targets that exist,
  /// with their rows in the window.
  private func window(
    of group: [Int], _ texts: [[Int32]], from start: Int, steps: Int
  ) -> (inputs: [Int32], targets: [Int32], rows: [Int32]) {
    var (inputs, targets, rows): ([Int32], [Int32], [Int32]) = ([], [], [])
    for step in start..<start + steps {
      for (row, index) in group.enumerated() {
        let text = texts[index]
        inputs.append(step < text.count ? text[step] : 0)
        guard step + 1 < text.count else { continue }
        targets.append(text[step + 1])
        rows.append(Int32((step - start) * group.count + row))
      }
    }
    return (inputs, targets, rows)
  }
}
