import Recurrence
import Tensors

/// A model of streams, as truncated BPTT trains it: its state is carried from window to window.
public protocol StreamModel: Parameterized {
  associatedtype State: TensorGroup

  /// Reads a window and predicts.
  ///
  /// - Parameters:
  ///   - state: the state before the window; nil for the initial one.
  ///   - skipped: of how many steps at the beginning the predictions don't count.
  /// - Returns: the mean cross-entropy of the predictions that count, in nats, a scalar; and the
  ///   state after the window.
  func loss(_ window: Window, from state: State?, skipping skipped: Int, mode: Mode)
    -> (loss: Tensor, state: State)

  /// As `loss`, with what training minimises besides it: a scalar, or nil for nothing.
  func penalisedLoss(_ window: Window, from state: State?, skipping skipped: Int, mode: Mode)
    -> (loss: Tensor, penalty: Tensor?, state: State)

  /// The initial state of `batch` streams.
  func initialState(batch: Int) -> State
}

extension StreamModel {
  public func penalisedLoss(
    _ window: Window, from state: State?, skipping skipped: Int, mode: Mode
  ) -> (loss: Tensor, penalty: Tensor?, state: State) {
    let (loss, last) = loss(window, from: state, skipping: skipped, mode: mode)
    return (loss, nil, last)
  }
}

/// Truncated backpropagation through time, BPTT(k₂; k₁): every k₁ steps the gradient of the newest
/// k₁ predictions flows back over k₂ steps.
///
/// With k₁ = k₂, the usual case, the text is cut into windows. With k₁ < k₂ windows overlap, so
/// that every prediction sees at least k₂ − k₁ steps of the past, at k₂ / k₁ times the cost.
///
/// - SeeAlso: R. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
///   Recurrent Network Trajectories", Neural Computation 2 (1990); I. Sutskever, "Training
///   Recurrent Neural Networks", 2013, section 2.8.
public struct TruncatedBPTT: Sendable, Equatable, Codable {
  /// k₂, over how many steps gradients flow back.
  public let window: Int
  /// k₁, the number of steps from one update to the next.
  public let stride: Int

  /// - Precondition: 0 < stride ≤ window.
  public init(window: Int, stride: Int? = nil) {
    let stride = stride ?? window
    require(0 < stride && stride <= window, "a stride of \(stride) in a window of \(window)")
    self.window = window
    self.stride = stride
  }

  /// What one window gives.
  public struct Result<State: TensorGroup> {
    /// Mean cross-entropy of the new predictions, in nats.
    public let loss: Float
    /// How many predictions that were.
    public let predictions: Int
    public var gradients: Gradients
    /// Where the next window starts.
    public let state: State
  }

  /// How many updates streams of that length give.
  public func updates(length: Int) -> Int {
    length < window ? 0 : (length - window) / stride + 1
  }

  /// Reads the window before update number `update` (from 0) and differentiates its loss.
  ///
  /// - Parameter state: the state before the window, from the update before; nil at the beginning.
  public func gradients<Model: StreamModel>(
    of model: Model, on streams: Streams, update: Int, from state: Model.State?, mode: Mode
  ) -> Result<Model.State> {
    let start = update * stride
    // The first window's predictions are all new.
    return gradients(
      of: model, on: streams.window(start..<start + window),
      skipping: update == 0 ? 0 : window - stride, from: state, mode: mode)
  }

  /// Reads a window and differentiates the loss of its predictions but for the first `skipped`
  /// steps, and what the model adds to it in training.
  func gradients<Model: StreamModel>(
    of model: Model, on whole: Window, skipping skipped: Int, from state: Model.State?, mode: Mode
  ) -> Result<Model.State> {
    let (loss, penalty, last) = model.penalisedLoss(
      whole, from: state, skipping: skipped, mode: mode)
    var next = last
    if stride < window {
      // The next window starts `stride` steps into this one: its state is computed on its own.
      next = withoutGradients {
        model.loss(whole[0..<stride], from: state, skipping: 0, mode: mode).state
      }
    }
    return Result(
      loss: loss.item, predictions: (whole.steps - skipped) * whole.batch,
      gradients: (penalty.map { loss + $0 } ?? loss).backward(), state: next.detached)
  }
}
