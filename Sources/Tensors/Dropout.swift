import CKernels

extension Tensor {
  /// Dropout: each element is zero with probability `rate`, or else divided by 1 − `rate`.
  ///
  /// Which elements are dropped is a function of the generator and of their place, so that it
  /// doesn't depend on the number of threads.
  ///
  /// - Precondition: a rate in `0..<1`.
  /// - SeeAlso: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
  ///   Overfitting", JMLR 15 (2014).
  public func dropout(_ rate: Float, using generator: Philox) -> Tensor {
    require((0..<1).contains(rate), "a rate of dropout must be in 0 ..< 1, not \(rate)")
    guard rate > 0 else { return self }
    let kept = 1 / (1 - rate)
    let limit = UInt16(min(rate * 65536, 65535))
    let mask = Tensor(shape) { out in
      forChunks(of: count) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
          let random = Philox.block(
            key: generator.key, counter: (UInt64(start / 8), generator.stream))
          for j in 0..<min(8, range.upperBound - start) {
            let bits = UInt16(truncatingIfNeeded: random[j / 2] >> (j % 2 == 0 ? 0 : 16))
            out[start + j] = bits < limit ? 0 : kept
          }
        }
      }
    }
    return self * mask
  }
}
