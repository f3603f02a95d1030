import Foundation
import Tensors

/// A softmax that a training step computes over a sample of a large vocabulary.
///
///     L = −ln ( e^{x_t} / Σ_{w ∈ S ∪ {t}} e^{x_w} ),      x_w = V_w·h + b_w − ln E_w
///
/// S is drawn anew for each step and shared by its rows; E_w is how often w is expected in it. A
/// target that is in the sample counts once. The gradient is that of the full softmax but for a bias
/// that vanishes as the sample grows. Words that are in no row's sum have no share in it.
///
/// - SeeAlso: S. Jean, K. Cho, R. Memisevic, Y. Bengio, "On Using Very Large Target Vocabulary for
///   Neural Machine Translation", ACL 2015; TensorFlow's `sampled_softmax_loss` with its
///   `log_uniform_candidate_sampler`.
public enum SampledSoftmax {
  /// The mean cross-entropy in nats, a scalar.
  ///
  /// - Parameters:
  ///   - hidden: h, `[…, H]`, N rows.
  ///   - weight: V, `[V, H]`, its rows by falling frequency of the words.
  ///   - bias: b, `[V]`.
  ///   - targets: N numbers in `0..<V`.
  ///   - samples: how many words are drawn; V or more are all of them.
  public static func crossEntropy(
    _ hidden: Tensor, weight: Tensor, bias: Tensor, targets: [Int32], samples: Int,
    using generator: Philox
  ) -> Tensor {
    let classes = weight.shape[0]
    let sample = WordSample(count: samples, outOf: classes, using: generator)
    // The sample, and after it the targets that aren't in it.
    var words = sample.words
    var places = Dictionary(uniqueKeysWithValues: zip(words, Int32(0)...))
    let chosen = targets.map { target in
      if let place = places[target] { return place }
      let place = Int32(words.count)
      words.append(target)
      places[target] = place
      return place
    }
    let corrections = Tensor(
      words.map { Float(-sample.logExpectedCount(of: $0)) }, shape: [words.count])
    let ownBias = bias.reshaped([classes, 1]).gathering(words).reshaped([words.count])
    return SoftmaxReadout.crossEntropies(
      hidden, weight: weight.gathering(words), bias: ownBias + corrections, targets: chosen,
      common: sample.words.count
    ).mean
  }
}

/// Different words drawn one after the other from a log-uniform distribution, which is close to that
/// of words in texts, by Zipf's law:
///
///     p(w) = ln((w + 2) / (w + 1)) / ln(V + 1),   w = 0 … V − 1
///
/// Words that come again are drawn again. After n draws, E_w = 1 − (1 − p(w))ⁿ.
package struct WordSample {
  package let words: [Int32]
  /// n; nil if the sample is all words.
  private let draws: Int?
  private let classes: Int

  package init(count: Int, outOf classes: Int, using generator: Philox) {
    self.classes = classes
    guard count < classes else {
      (words, draws) = (Array(0..<Int32(classes)), nil)
      return
    }
    var generator = generator
    var isDrawn = [Bool](repeating: false, count: classes)
    var words: [Int32] = []
    var draws = 0
    let range = log(Double(classes) + 1)
    while words.count < count {
      draws += 1
      let word = min(Int(exp(generator.uniformDouble() * range)) - 1, classes - 1)
      if isDrawn[word] { continue }
      isDrawn[word] = true
      words.append(Int32(word))
    }
    (self.words, self.draws) = (words, draws)
  }

  /// ln E_w.
  package func logExpectedCount(of word: Int32) -> Double {
    guard let draws else { return 0 }
    let probability = log1p(1 / (Double(word) + 1)) / log(Double(classes) + 1)
    return log(-expm1(Double(draws) * log1p(-probability)))
  }
}
