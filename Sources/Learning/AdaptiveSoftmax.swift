import CKernels
import Tensors

/// A softmax over a large vocabulary whose frequent words cost much and whose rare words little.
///
/// The words, numbered by falling frequency, are cut at C₁ < … < C_K into a shortlist and K clusters,
/// each with vectors a quarter of the size of those before:
///
///     p(w) = softmax(W·h)_w                             for a word of the shortlist, w < C₁
///     p(w) = softmax(W·h)_{C₁+k} · softmax(V_k·P_k·h)_w    for a word of cluster k = 0 … K − 1
///
/// Equations, sizes and names of weights are those of PyTorch's `AdaptiveLogSoftmaxWithLoss` with its
/// defaults: `div_value` 4, no bias.
///
/// - SeeAlso: E. Grave, A. Joulin, M. Cissé, D. Grangier, H. Jégou, "Efficient softmax approximation
///   for GPUs", ICML 2017.
public struct AdaptiveSoftmax: Parameterized {
  public let head: Parameter  // W, [C₁ + K, H]
  public let clusters: [Cluster]

  public struct Cluster: Sendable {
    public let words: Range<Int>
    public let projection: Parameter  // P_k, [H / 4ᵏ⁺¹, H]
    public let weight: Parameter  // V_k, [words.count, H / 4ᵏ⁺¹]
  }

  /// - Parameters:
  ///   - cutoffs: C₁ … C_K, at least one.
  ///   - fresh: makes the weights, one matrix after the other in the order of `parameters`.
  /// - Precondition: rising cutoffs in `1..<vocabularySize`, and H of at least 4ᴷ.
  public init(
    inputSize: Int, vocabularySize: Int, cutoffs: [Int], weights fresh: (Shape) -> Tensor
  ) {
    let ends = cutoffs.dropFirst() + [vocabularySize]
    require(
      cutoffs.first.map { $0 > 0 } ?? false && zip(cutoffs, ends).allSatisfy { $0 < $1 }
        && Self.size(ofCluster: cutoffs.count - 1, inputSize: inputSize) > 0,
      "an adaptive softmax of \(inputSize) units over \(vocabularySize) words cut at \(cutoffs)")
    head = Parameter(fresh([cutoffs[0] + cutoffs.count, inputSize]))
    clusters = zip(cutoffs, ends).enumerated().map { index, bounds in
      let size = Self.size(ofCluster: index, inputSize: inputSize)
      return Cluster(
        words: bounds.0..<bounds.1, projection: Parameter(fresh([size, inputSize])),
        weight: Parameter(fresh([bounds.1 - bounds.0, size])))
    }
  }

  /// The size of the vectors of a cluster's words, H / 4ᵏ⁺¹, rounded down.
  public static func size(ofCluster index: Int, inputSize: Int) -> Int {
    inputSize >> (2 * (index + 1))
  }

  public var vocabularySize: Int { clusters.last?.words.upperBound ?? shortlist }

  /// C₁.
  private var shortlist: Int { head.shape[0] - clusters.count }

  /// PyTorch's names.
  public var parameters: [(name: String, parameter: Parameter)] {
    [("head.weight", head)]
      + clusters.enumerated().flatMap { index, cluster in
        [
          ("tail.\(index).0.weight", cluster.projection),
          ("tail.\(index).1.weight", cluster.weight),
        ]
      }
  }

  /// The mean cross-entropy in nats, a scalar; and that of each row, in double precision.
  ///
  /// Each cluster sees only the rows whose target it holds. One that holds none has no gradient.
  ///
  /// - Parameters:
  ///   - hidden: h, `[…, H]`, N rows.
  ///   - targets: N numbers in `0..<V`.
  public func crossEntropies(_ hidden: Tensor, targets: [Int32]) -> (mean: Tensor, each: [Double]) {
    let (rows, size) = hidden.shape.asMatrix
    let flat = hidden.reshaped([rows, size])
    var (mean, each) = SoftmaxReadout.crossEntropies(
      flat, weight: head.tensor, targets: targets.map(headClass))
    for cluster in clusters {
      let places = targets.indices.filter { cluster.words.contains(Int(targets[$0])) }
      if places.isEmpty { continue }
      let projected = flat.gathering(places.map(Int32.init)).times(cluster.projection.transposed)
      let part = SoftmaxReadout.crossEntropies(
        projected, weight: cluster.weight.tensor,
        targets: places.map { targets[$0] - Int32(cluster.words.lowerBound) }, outOf: rows)
      mean = mean + part.mean
      for (place, nats) in zip(places, part.each) { each[place] += nats }
    }
    return (mean, each)
  }

  /// Which row of W a word is known by: its own, or that of its cluster.
  private func headClass(of word: Int32) -> Int32 {
    let cluster = clusters.firstIndex { $0.words.contains(Int(word)) }
    require(
      cluster != nil || 0..<shortlist ~= Int(word), "word \(word) isn't one of \(vocabularySize)")
    return cluster.map { Int32(shortlist + $0) } ?? word
  }

  // MARK: All words

  /// Unnormalised log-probabilities of all words, `[…, V]`, without a record.
  ///
  /// - Parameter hidden: h, `[…, H]`.
  public func logits(of hidden: Tensor) -> Tensor {
    withoutGradients {
      let first = hidden.times(head.transposed)
      let others = clusters.map {
        hidden.times($0.projection.transposed).times($0.weight.transposed)
      }
      let (rows, width) = first.shape.asMatrix
      return Tensor(hidden.shape.replacingLast(with: vocabularySize)) { out in
        withExtendedLifetime((first, others)) {
          for row in 0..<rows {
            join(
              first.base + row * width,
              zip(others, clusters).map { UnsafePointer($0.base + row * $1.words.count) },
              into: out + row * vocabularySize)
          }
        }
      }
    }
  }

  /// One row of `logits(of:)`, of what the matrices have given for it.
  ///
  ///     x_w for a word of the shortlist,   x_{C₁+k} + y_w − ln Σ_v e^{y_v} for one of cluster k
  ///
  /// - Parameters:
  ///   - first: x = W·h, C₁ + K numbers.
  ///   - others: y = V_k·P_k·h of each cluster.
  ///   - out: gets V numbers.
  package func join(
    _ first: UnsafePointer<Float>, _ others: [UnsafePointer<Float>],
    into out: UnsafeMutablePointer<Float>
  ) {
    out.update(from: first, count: shortlist)
    for (index, cluster) in clusters.enumerated() {
      let (y, count) = (others[index], cluster.words.count)
      withPooled(Float.self, count: count) { copy in
        guard let copy = copy.baseAddress else { return }
        copy.update(from: y, count: count)
        let logSum = Float(Compute.kernels.softmax(count, copy))
        Compute.kernels.affine(
          count, 1, first[shortlist + index] - logSum, y, out + cluster.words.lowerBound)
      }
    }
  }
}
