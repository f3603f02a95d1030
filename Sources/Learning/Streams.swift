import Tensors

/// A text cut into contiguous streams that are read side by side, a window at a time, so that the
/// state after one window is the state before the next.
public struct Streams: Sendable {
  /// B, the number of streams.
  public let batch: Int
  /// The number of predictions in each stream.
  public let length: Int
  private let tokens: TokenSequence

  /// Tokens that don't fill a place in every stream are left out at the end.
  ///
  /// - Precondition: more tokens than streams.
  public init(_ tokens: TokenSequence, batch: Int) {
    require(
      batch > 0 && tokens.count > batch, "\(tokens.count) tokens don't make \(batch) streams")
    self.tokens = tokens
    self.batch = batch
    length = (tokens.count - 1) / batch
  }

  /// Steps `range` of all streams.
  public func window(_ range: Range<Int>) -> Window {
    require(
      range.lowerBound >= 0 && range.upperBound <= length,
      "steps \(range) of streams of \(length) steps")
    var inputs: [Int32] = []
    var targets: [Int32] = []
    inputs.reserveCapacity(range.count * batch)
    targets.reserveCapacity(range.count * batch)
    for step in range {
      for stream in 0..<batch {
        inputs.append(tokens[stream * length + step])
        targets.append(tokens[stream * length + step + 1])
      }
    }
    return Window(steps: range.count, batch: batch, inputs: inputs, targets: targets)
  }
}

/// Some steps of some streams: what goes in, and what is to come out. Both time-major, `[T·B]`.
public struct Window: Sendable, Equatable {
  public let steps: Int
  public let batch: Int
  public let inputs: [Int32]
  public let targets: [Int32]

  public init(steps: Int, batch: Int, inputs: [Int32], targets: [Int32]) {
    require(
      inputs.count == steps * batch && targets.count == steps * batch,
      "\(inputs.count) inputs and \(targets.count) targets for \(steps) steps of \(batch) streams")
    self.steps = steps
    self.batch = batch
    self.inputs = inputs
    self.targets = targets
  }

  /// Some of the steps.
  public subscript(range: Range<Int>) -> Window {
    let places = range.lowerBound * batch..<range.upperBound * batch
    return Window(
      steps: range.count, batch: batch, inputs: Array(inputs[places]),
      targets: Array(targets[places]))
  }
}
