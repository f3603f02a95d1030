import Language
import Learning
import Recurrence
import Tensors

/// How a text is read fast: cut into contiguous streams that are read side by side, each begun some
/// tokens earlier, so that at its first recorded token it has a past.
struct StreamedReading {
  /// The positions that each stream records, one after the other.
  let streams: [Range<Int>]
  /// How many tokens earlier a stream begins.
  let warmUp: Int
  private let tokens: [Int32]
  private let length: Int

  /// - Parameters:
  ///   - range: which tokens are recorded; those before it are read to warm up.
  ///   - streams: how many streams at most; 1 is exact.
  init(_ tokens: [Int32], recording range: Range<Int>, streams: Int, warmUp: Int) {
    let count = max(1, min(streams, range.count / 1024))
    length = (range.count + count - 1) / count
    let length = length
    self.streams = (0..<count).map { stream in
      let start = min(range.lowerBound + stream * length, range.upperBound)
      return start..<min(start + length, range.upperBound)
    }
    self.tokens = tokens
    self.warmUp = warmUp
  }

  /// A window that has been read.
  struct Step {
    let layers: [LayerTrace]
    /// What the readout gets, `[T, B, H]`.
    let hidden: Tensor
    /// The position of each stream's first step.
    let starts: [Int]
    let steps: Int
  }

  /// Reads all, from the zero state; `visit` gets window after window, warming up included.
  func read<Model: RecurrentModel>(_ model: Model, visit: (Step) throws -> Void) rethrows {
    var state = model.initialState(batch: streams.count)
    for window in windows {
      let starts = streams.map { $0.lowerBound + window.lowerBound }
      // A stream that begins with the text has no past: until then its state stays zero.
      state = zeroing(state, where: starts.map { $0 <= 0 })
      let inputs = window.flatMap { step in
        streams.map { stream in
          let position = stream.lowerBound + step
          return tokens.indices.contains(position) ? tokens[position] : 0
        }
      }
      let targets = [Int32](repeating: 0, count: inputs.count)
      let (hidden, next, layers) = model.traced(
        Window(steps: window.count, batch: streams.count, inputs: inputs, targets: targets),
        from: state)
      state = next
      try visit(Step(layers: layers, hidden: hidden, starts: starts, steps: window.count))
    }
  }

  /// Steps, counted from the streams' first recorded ones. The first token of the text is always
  /// the first of a window.
  private var windows: [Range<Int>] {
    let size = max(16, 2048 / streams.count)
    let begin = -min(warmUp, streams.map(\.lowerBound).max() ?? 0)
    let firsts = streams.map { -$0.lowerBound }.filter { $0 > begin }
    let cuts = Set([begin, 0, length] + firsts).sorted()
    return zip(cuts, cuts.dropFirst()).flatMap { from, to in
      stride(from: from, to: to, by: size).map { $0..<min($0 + size, to) }
    }
  }

  private func zeroing<State: TensorGroup>(_ state: State, where mask: [Bool]) -> State {
    guard mask.contains(true) else { return state }
    let keeps = mask.map { !$0 }
    return state.mapTensors { $0.selecting(keeps, else: Tensor(zeros: $0.shape)) }
  }
}
