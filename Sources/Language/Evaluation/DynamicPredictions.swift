import CKernels
import Learning
import Recurrence
import Tensors

extension RecurrentLanguageModel {
  /// As `predict`, with weights that follow the text. When it returns the weights are again what they
  /// were; meanwhile nobody else should use the model.
  func predictDynamically(
    _ tokens: TokenSequence, _ settings: DynamicEvaluation, visit: (PredictedPart) -> Void
  ) {
    let isRMS = settings.method == .rms
    let squares = isRMS ? meanSquaredGradients(settings) : []
    let update = DynamicUpdate(parameters, settings, squares: squares)
    defer { update.restore() }
    var state: Core.State?
    for start in stride(from: 1, to: tokens.count, by: settings.segment) {
      let places = start..<min(start + settings.segment, tokens.count)
      let targets = tokens.values(in: places)
      let inputs = tokens.values(in: places.lowerBound - 1..<places.upperBound - 1)
      let window = Window(steps: targets.count, batch: 1, inputs: inputs, targets: targets)
      let (hidden, last) = hidden(window, from: state, mode: .inference)
      let (mean, each) = readout.crossEntropies(hidden, targets: targets)
      visit(
        PredictedPart(
          places: places, logProbabilities: each.map { -$0 },
          hidden: hidden.detached.reshaped([targets.count, readout.inputSize])))
      update.update(with: mean.backward())
      state = last.detached
    }
  }

  /// The mean of g² of each weight over windows of a text, in the order of `parameters`; windows are
  /// as long as a segment, 20 of them side by side, and 500 such at most.
  private func meanSquaredGradients(_ settings: DynamicEvaluation) -> [Tensor] {
    var sums = parameters.map { Tensor(zeros: $0.parameter.shape) }
    let text = settings.statisticsText
    let streams = min(20, (text.count - 1) / settings.segment)
    guard streams > 0 else { return sums }
    let side = Streams(text, batch: streams)
    let bptt = TruncatedBPTT(window: settings.segment)
    let windows = min(500, bptt.updates(length: side.length))
    var state: Core.State?
    for index in 0..<windows {
      let result = bptt.gradients(of: self, on: side, update: index, from: state, mode: .inference)
      state = result.state
      for (number, entry) in parameters.enumerated() {
        guard let gradient = result.gradients[entry.parameter] else { continue }
        sums[number].update { sum in
          borrowing(gradient) {
            forChunks(of: gradient.count) { chunk in
              let start = chunk.lowerBound
              let g = gradient.base + start
              Compute.kernels.multiply_add(chunk.count, g, g, sum + start)
            }
          }
        }
      }
    }
    return sums.map { ($0 * (1 / Float(windows))).detached }
  }
}
