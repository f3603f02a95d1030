import CKernels
import Tensors

/// The readout in 8 bits, by which most words are passed over when one is drawn.
///
/// What is drawn is the word w with the largest l_w + T·g_w, l = V·h + b being the logits and g Gumbel
/// noise. From a rounded Ṽ and a rounded h̃ come l̃_w = b_w + ṽ_w·h̃, and by the inequality of Cauchy
/// and Schwarz
///
///     |l̃_w − l_w| = |ṽ_w·(h̃ − h) + (ṽ_w − v_w)·h| ≤ ‖ṽ_w‖·‖h̃ − h‖ + ‖ṽ_w − v_w‖·‖h‖
///
/// A word whose upper bound is below another's lower bound can't be the one. For those that are left,
/// a few, l_w is computed from V as without a sketch. So what is drawn is the same to the last bit, and
/// one byte is read for a weight of V.
final class ReadoutSketch: Sendable {
  /// Fewer words take so little time that nothing would be saved.
  static let fewestWords = 2048

  /// Ṽ.
  let weights: PackedWeights
  private let exact: Tensor  // V, [words, H]
  private let lengths: Storage  // ‖ṽ_w‖
  /// ‖ṽ_w − v_w‖, and what sums of Floats add to it for h of length 1.
  private let distances: Storage
  private let longest: Float
  private let largestBias: Float
  /// Of a sum of H products, in any order: its error is at most this times the sum of magnitudes.
  private let roundoff: Float
  /// More than the length of a row whose squares all count as zero.
  private let tiny: Float

  /// Nil if weights aren't finite, or so large that their squares aren't; or if what a bias adds to
  /// the roundoff would leave too many words.
  init?(_ matrix: Tensor, bias: UnsafePointer<Float>) {
    let (words, depth) = (matrix.shape[0], matrix.shape[1])
    let squares = borrowing(matrix) { Compute.kernels.sum_of_squares(matrix.count, matrix.base) }
    let roundoff = Float(depth + 8) * 0x1p-23
    largestBias = (0..<words).reduce(0) { max($0, abs(bias[$1])) }
    guard squares.isFinite, roundoff * largestBias < 0.1 else { return nil }
    let rounded = QuantizedMatrix(matrix, as: .int8)
    weights = PackedWeights(rounded)
    exact = matrix
    let (lengths, distances) = (Storage(count: words), Storage(count: words))
    let tiny = Float(depth).squareRoot() * 1e-18
    rounded.forEachRow { row, values in
      let length = Compute.kernels.sum_of_squares(depth, values).squareRoot()
      borrowing(matrix) {
        Compute.kernels.subtract(depth, values, matrix.base + row * depth, values)
      }
      let distance = Compute.kernels.sum_of_squares(depth, values).squareRoot()
      // 1 % more than enough: the lengths are rounded themselves; and what squares so small that they
      // count as zero may have added.
      lengths.base[row] = 1.01 * Float(length) + tiny
      distances.base[row] = 1.01 * Float(distance + Double(roundoff) * (length + distance)) + tiny
    }
    (self.lengths, self.distances, self.roundoff, self.tiny) = (lengths, distances, roundoff, tiny)
    longest = (0..<words).reduce(0) { max($0, lengths.base[$1] + distances.base[$1]) }
  }

  /// Draws a word for one text.
  ///
  /// - Parameters:
  ///   - sketched: l̃; what is left there is no use.
  ///   - h: what V is multiplied by.
  ///   - error: at least ‖h̃ − h‖.
  ///   - noise: g; not read without temperature.
  ///   - found: room for as many numbers as there are words.
  func draw(
    from sketched: UnsafeMutablePointer<Float>, h: UnsafePointer<Float>, error: Float,
    bias: UnsafePointer<Float>, temperature: Float, noise: UnsafeMutableBufferPointer<Float>,
    forbidden: Int32?, found: UnsafeMutableBufferPointer<Int32>
  ) -> Int32 {
    guard let found = found.baseAddress, let noise = noise.baseAddress else {
      fatalError("no word to draw")
    }
    let (words, depth) = (exact.shape[0], exact.shape[1])
    if temperature > 0 { Compute.kernels.scale_add(words, temperature, noise, sketched) }
    if let forbidden { sketched[Int(forbidden)] = -.infinity }
    let length = 1.01 * Float(Compute.kernels.sum_of_squares(depth, h).squareRoot()) + tiny
    // What rounding adds beside the sums: noise is below 32.
    let slack =
      0x1p-20 * (longest * length + 32 * temperature) + roundoff * largestBias + 1e-25
    var count = 0
    if (slack + length + error).isFinite {
      count = Compute.kernels.contenders(
        words, sketched, length, distances.base, 1.01 * error, lengths.base, slack, found)
    }
    if count == 0 {
      // There is no bound, or no number.
      for word in 0..<words { found[word] = Int32(word) }
      count = words
    }
    return withPooled(Float.self, count: 2 * count) { room in
      guard let keys = room.baseAddress else { fatalError("no word to draw") }
      let ownNoise = keys + count
      borrowing(exact) {
        Compute.kernels.chosen_rows(count, found, depth, exact.base, depth, h, bias, keys)
      }
      if temperature > 0 {
        for index in 0..<count { ownNoise[index] = noise[Int(found[index])] }
        Compute.kernels.scale_add(count, temperature, ownNoise, keys)
      }
      for index in 0..<count where found[index] == forbidden { keys[index] = -.infinity }
      return found[Compute.kernels.largest(count, keys)]
    }
  }
}
