import Foundation
import Learning
import Recurrence
import Tensors

/// Reads one long text exactly, though side by side.
///
/// A recurrence can't be done for all steps at once, and a step of one stream uses a fraction of a
/// processor. So the text is cut into streams that are read at the same time. All but the first
/// begin without a past, which is wrong; but a network forgets: each stream is then read once more
/// from where the one before it ended, until it agrees with the first reading. From there on the first
/// reading was right. If a stream never agrees, the next one is read once more too, and so on, at
/// worst as often as there are streams.
///
/// Two readings agree if all log-probabilities of a window do, to 10⁻⁴, and then their states, as
/// tanh shows them. Memory cells that add up for thousands of steps and are never emptied are
/// frequent: one that holds 2,000 says what one says that holds 200, and would never agree as it is.
///
/// - SeeAlso: J.-L. Lions, Y. Maday, G. Turinici, "A 'parareal' in time discretization of PDE's",
///   C. R. Acad. Sci. 332 (2001), of which this is the case where the coarse solution is none.
struct SideBySideReading<Core: RecurrentCell> where Core.Input == Tensor, Core.Output == Tensor {
  private let model: RecurrentLanguageModel<Core>
  /// What is read, and what is predicted from each.
  private let tokens, targets: [Int32]
  private let streams: Int
  /// The steps of a stream.
  private let length: Int
  /// ln p of each target.
  private(set) var logProbabilities: [Double]
  /// What each was predicted from, `[n, H]`, if it is wanted.
  private let hidden: Storage?
  private let hiddenSize: Int
  /// The states of all streams after each window, each tensor `[B, …]`.
  private var marks: [[Tensor]] = []

  /// Streams at most, and the steps that each has at least.
  private static var mostStreams: Int { 32 }
  private static var leastSteps: Int { 512 }
  private static var tolerance: Double { 1e-4 }

  /// The steps of a window: readings are compared after each.
  private var window: Int { min(max(64, (length + 31) / 32), 256) }

  /// Predicts the tokens at some places of a text, each from all before it.
  ///
  /// - Parameters:
  ///   - state: what was read before, but for the token in front of the first place.
  ///   - progress: gets the fraction that has been read for the first time.
  /// - Returns: what was said, and the state that goes on from there.
  static func read(
    _ places: Range<Int>, of text: TokenSequence, _ model: RecurrentLanguageModel<Core>,
    from state: Core.State, keepingHidden: Bool, progress: (Double) -> Void
  ) -> (part: PredictedPart, state: Core.State) {
    withoutGradients {
      var reading = SideBySideReading(places, of: text, model, keepingHidden: keepingHidden)
      let last = reading.run(from: state, progress)
      let hidden = reading.hidden.map {
        Tensor(storage: $0, shape: [places.count, reading.hiddenSize])
      }
      let part = PredictedPart(
        places: places, logProbabilities: reading.logProbabilities, hidden: hidden)
      return (part, last)
    }
  }

  private init(
    _ places: Range<Int>, of text: TokenSequence, _ model: RecurrentLanguageModel<Core>,
    keepingHidden: Bool
  ) {
    self.model = model
    tokens = text.values(in: places.lowerBound - 1..<places.upperBound - 1)
    targets = text.values(in: places)
    streams = max(1, min(Self.mostStreams, tokens.count / Self.leastSteps))
    length = tokens.count / streams
    logProbabilities = [Double](repeating: 0, count: tokens.count)
    hiddenSize = model.readout.inputSize
    hidden = keepingHidden ? Storage(count: tokens.count * hiddenSize) : nil
  }

  private mutating func run(from state: Core.State, _ progress: (Double) -> Void) -> Core.State {
    var running = Array(0..<streams)
    var begin = state
    if streams > 1 {
      let others = model.initialState(batch: streams - 1)
      begin = state.replacing(zip(state.tensors, others.tensors).map { joined([$0, $1]) })
    }
    while true {
      running = read(running, from: begin, progress).map { $0 + 1 }.filter { $0 < streams }
      if running.isEmpty { break }
      begin = state.replacing(ends(of: running.map { $0 - 1 }))
    }
    let last = state.replacing(ends(of: [streams - 1]))
    // What is left over by the division.
    let rest = streams * length..<tokens.count
    return rest.isEmpty
      ? last : readWindow(of: [rest.lowerBound], steps: rest.count, from: last).state
  }

  /// The states after the last steps of streams.
  private func ends(of streams: [Int]) -> [Tensor] {
    let rows = streams.map(Int32.init)
    return (marks.last ?? []).map { $0.gathering(rows) }
  }

  /// Reads streams, from the second time on each until it agrees with the time before.
  ///
  /// - Returns: those that end in another state than the time before.
  private mutating func read(
    _ streams: [Int], from state: Core.State, _ progress: (Double) -> Void
  ) -> [Int] {
    var (streams, state) = (streams, state)
    for (index, start) in stride(from: 0, to: length, by: window).enumerated() {
      let wasRead = index < marks.count
      let reading = readWindow(
        of: streams.map { $0 * length + start }, steps: min(window, length - start), from: state,
        comparing: wasRead)
      state = reading.state
      guard wasRead else {
        marks.append(state.tensors)
        progress(Double(start) / Double(length))
        continue
      }
      let moved = streams.indices.filter { row in
        let isOther = replaceMark(index, of: streams[row], by: state, row: row)
        return isOther || reading.change[row] > Self.tolerance
      }
      if moved.isEmpty { return [] }
      if moved.count < streams.count {
        streams = moved.map { streams[$0] }
        let rows = moved.map(Int32.init)
        state = state.mapTensors { $0.gathering(rows) }
      }
    }
    return streams
  }

  /// Reads `steps` tokens from each of some places, and keeps what is said of those that follow.
  ///
  /// - Parameter comparing: whether there is a reading before to compare with.
  /// - Returns: the state, and for each place by how much a log-probability differs at most from the
  ///   reading before, relative to it where it is larger than 1.
  private mutating func readWindow(
    of starts: [Int], steps: Int, from state: Core.State, comparing: Bool = false
  ) -> (state: Core.State, change: [Double]) {
    let places = (0..<steps).flatMap { step in starts.map { $0 + step } }
    let window = Window(
      steps: steps, batch: starts.count, inputs: places.map { tokens[$0] },
      targets: places.map { targets[$0] })
    let (outputs, last) = model.hidden(window, from: state, mode: .inference)
    var change = [Double](repeating: 0, count: starts.count)
    let found = model.readout.crossEntropies(outputs, targets: window.targets).each
    for (index, place) in places.enumerated() {
      let (new, kept) = (-found[index], logProbabilities[place])
      if comparing {
        let row = index % starts.count
        change[row] = max(change[row], abs(new - kept) / max(1, abs(kept)))
      }
      logProbabilities[place] = new
    }
    if let hidden {
      borrowing(outputs) {
        for (index, place) in places.enumerated() {
          (hidden.base + place * hiddenSize)
            .update(from: outputs.base + index * hiddenSize, count: hiddenSize)
        }
      }
    }
    return (last, change)
  }

  /// Puts a row of a state in the place of what a stream had after window `index`, unless they agree.
  ///
  /// - Returns: false if they do.
  private mutating func replaceMark(
    _ index: Int, of stream: Int, by state: Core.State, row: Int
  ) -> Bool {
    let agrees = zip(marks[index], state.tensors).allSatisfy { old, new in
      let width = old.shape.dropFirst.count
      return borrowing(old, new) {
        let (a, b) = (old.base + stream * width, new.base + row * width)
        return (0..<width).allSatisfy { Double(abs(tanhf(a[$0]) - tanhf(b[$0]))) <= Self.tolerance }
      }
    }
    if agrees { return false }
    for (part, new) in state.tensors.enumerated() {
      let width = new.shape.dropFirst.count
      marks[index][part].update { base in
        borrowing(new) {
          (base + stream * width).update(from: new.base + row * width, count: width)
        }
      }
    }
    return true
  }
}
