import Foundation
import Learning

/// A training that doesn't fit the machine's memory.
public struct TooLargeForMemory: Error, Equatable, Sendable, CustomStringConvertible {
  /// In bytes, at least.
  public let needed: Double
  public let available: Double

  public var description: String {
    func gibibytes(_ bytes: Double) -> String { String(format: "%.1f GiB", bytes / 0x1p30) }
    return "This training needs at least \(gibibytes(needed)) of memory, but the machine has "
      + "\(gibibytes(available)); lower --hidden, --layers, --batch or --window."
  }
}

extension ModelConfiguration {
  /// Blocks of H rows in the matrices of a cell.
  private var gates: Int {
    switch cell {
    case .elman, .elmanReLU: 1
    case .gru: 3
    case .lstm: 4
    }
  }

  /// The number of all weights, known without making them: for a validated configuration.
  public func parameterCount(vocabularySize: Int) -> Int {
    let cells = (0..<layers).reduce(0) { sum, layer in
      sum + gates * outputSize(ofLayer: layer)
        * (inputSize(ofLayer: layer) + outputSize(ofLayer: layer) + 2)
    }
    return vocabularySize * embeddingSize + readoutCount(vocabularySize: vocabularySize) + cells
  }

  /// The number of the readout's own weights.
  private func readoutCount(vocabularySize: Int) -> Int {
    guard case .adaptive(let cutoffs) = softmax else {
      return vocabularySize * ((tied ? 0 : hiddenSize) + 1)
    }
    let starts = cutoffs ?? Softmax.cutoffs(vocabularySize: vocabularySize)
    let ends = starts.dropFirst() + [vocabularySize]
    return zip(starts, ends).enumerated().reduce(hiddenSize * (starts[0] + starts.count)) {
      let size = AdaptiveSoftmax.size(ofCluster: $1.offset, inputSize: hiddenSize)
      return $0 + size * (hiddenSize + $1.element.1 - $1.element.0)
    }
  }

  /// Numbers that the forward pass of one step of one stream keeps for the way back, at least.
  var activationsPerToken: Int {
    (0..<layers).reduce(0) { $0 + outputSize(ofLayer: $1) * (gates + 1) }
  }
}

extension RunSettings {
  /// - Throws: ``TooLargeForMemory`` if not even weights, gradients, moments and activations fit;
  ///   better said at once than by the system, which would end the process.
  func checkMemory(vocabularySize: Int) throws {
    let model = try model.validated()
    let copies =
      2 + training.optimiser.method.momentCount + (training.averageAfter == nil ? 0 : 1)
    let weights = Double(model.parameterCount(vocabularySize: vocabularySize) * copies)
    let tokens = Double(training.batch) * Double(training.truncation.window)
    let needed = 4 * (weights + tokens * Double(model.activationsPerToken))
    let available = Double(ProcessInfo.processInfo.physicalMemory)
    if needed > available { throw TooLargeForMemory(needed: needed, available: available) }
  }
}
