import Learning
import Tensors

/// The clusters of an adaptive softmax laid out for one step after the other, after a decoder has
/// multiplied with the head and all projections at once.
///
/// A row's numbers don't depend on how many rows there are or on the number of threads.
final class ClusterDecoder: Sendable {
  private let softmax: AdaptiveSoftmax
  private let weights: [PackedWeights]
  private let noBias: Storage
  /// Rows of `firstMatrix`.
  private let width: Int

  init(_ softmax: AdaptiveSoftmax) {
    self.softmax = softmax
    weights = softmax.clusters.map { PackedWeights($0.weight.value) }
    let largest = (weights.map(\.panels).max() ?? 0) * Compute.panelWidth
    noBias = Storage(count: largest)
    noBias.base.update(repeating: 0, count: largest)
    width = weights.reduce(softmax.head.shape[0]) { $0 + $1.depth }
  }

  /// What the decoder's readout is: the head, and below it the projections.
  var firstMatrix: Tensor {
    joinedRows(of: [softmax.head] + softmax.clusters.map(\.projection))
  }

  /// - Parameters:
  ///   - first: the products of some rows with `firstMatrix`.
  ///   - logits: gets unnormalised log-probabilities of all words, V of each row.
  func join(_ first: [Float], into logits: inout [Float]) {
    let rows = first.count / width
    let size = softmax.vocabularySize
    if logits.count != rows * size { logits = Array(repeating: 0, count: rows * size) }
    first.withUnsafeBufferPointer { first in
      logits.withUnsafeMutableBufferPointer { logits in
        guard let first = first.baseAddress, let out = logits.baseAddress else { return }
        var column = softmax.head.shape[0]
        let products = weights.map { weights in
          defer { column += weights.depth }
          return product(weights, first + column, rows: rows)
        }
        Compute.forEach(rows, cost: 16 * size) { row in
          let others = zip(products, weights).map { product, weights in
            UnsafePointer(product.base + row * weights.panels * Compute.panelWidth)
          }
          softmax.join(first + row * width, others, into: out + row * size)
        }
      }
    }
  }

  /// V_k·x of each row, in rows of whole panels.
  private func product(_ weights: PackedWeights, _ x: UnsafePointer<Float>, rows: Int) -> Storage {
    let stride = weights.panels * Compute.panelWidth
    let product = Storage(count: rows * stride)
    let prepared = Storage(count: rows * weights.preparedSize)
    weights.prepare(rows: rows, x, stride: width, into: prepared.base)
    let chunk = 32
    Compute.forEach(
      (weights.panels + chunk - 1) / chunk,
      cost: 2 * rows * weights.depth * chunk * Compute.panelWidth
    ) { index in
      let panels = index * chunk..<min((index + 1) * chunk, weights.panels)
      let column = panels.lowerBound * Compute.panelWidth
      weights.multiply(
        rows: rows, panels: panels, x, stride: width, prepared: prepared.base,
        bias: noBias.base, into: product.base + column, outputStride: stride)
    }
    return product
  }
}
