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
    guard Self.drops(rate) else { return self }
    return self * Tensor(dropoutMask: shape, rate: rate, using: generator)
  }

  /// Variational, or locked, dropout of a sequence: as `dropout`, but what is dropped is the same
  /// at all time steps.
  ///
  ///     y_t = m ⊙ x_t,   x: [T, B, …],   m: [B, …]
  ///
  /// - Precondition: a rate in `0..<1`, and a rank of at least 2.
  /// - SeeAlso: Y. Gal, Z. Ghahramani, "A Theoretically Grounded Application of Dropout in
  ///   Recurrent Neural Networks", NIPS 2016, section 4.
  public func variationalDropout(_ rate: Float, using generator: Philox) -> Tensor {
    guard Self.drops(rate) else { return self }
    require(shape.rank >= 2, "a sequence has the dimensions [T, B, …], not \(shape)")
    let mask = Tensor(dropoutMask: shape.dropFirst, rate: rate, using: generator)
    let masked: @Sendable (Tensor) -> Tensor = { x in
      let width = mask.count
      return Tensor(x.shape) { out in
        borrowing(x, mask) {
          Compute.forEach(x.shape[0], cost: width) { step in
            let at = step * width
            Compute.kernels.multiply(width, x.base + at, mask.base, out + at)
          }
        }
      }
    }
    return masked(self).recorded(from: self) { gradient, sink in
      sink.add(masked(gradient), toInput: 0)
    }
  }

  /// Dropout of whole rows of the table that this tensor was gathered from: each row number is
  /// dropped, wherever it stands in `rows`, or kept and divided by 1 − `rate`.
  ///
  /// With the embeddings of a window this drops word types, not occurrences.
  ///
  /// - Parameters:
  ///   - rows: from which row of the table each row of this tensor comes.
  ///   - count: how many rows the table has.
  /// - Precondition: a rate in `0..<1`, and as many numbers as rows, each in `0..<count`.
  /// - SeeAlso: Y. Gal, Z. Ghahramani, NIPS 2016, section 4.2; S. Merity, N. Keskar, R. Socher,
  ///   "Regularizing and Optimizing LSTM Language Models", ICLR 2018, section 4.3.
  public func dropout(
    _ rate: Float, ofRows rows: [Int32], among count: Int, using generator: Philox
  ) -> Tensor {
    guard Self.drops(rate) else { return self }
    let factors = Tensor(dropoutMask: [count], rate: rate, using: generator)
    let width = self.count / max(rows.count, 1)
    require(width * rows.count == self.count, "\(rows.count) row numbers for shape \(shape)")
    for row in rows {
      require(row >= 0 && row < count, "there is no row \(row) in a table of \(count)")
    }
    let scaled: @Sendable (Tensor) -> Tensor = { x in
      Tensor(x.shape) { out in
        borrowing(x, factors) {
          Compute.forEach(rows.count, cost: width) { index in
            let at = index * width
            Compute.kernels.affine(
              width, factors.base[Int(rows[index])], 0, x.base + at, out + at)
          }
        }
      }
    }
    return scaled(self).recorded(from: self) { gradient, sink in
      sink.add(scaled(gradient), toInput: 0)
    }
  }

  /// - Precondition: a rate in `0..<1`.
  private static func drops(_ rate: Float) -> Bool {
    require((0..<1).contains(rate), "a rate of dropout must be in 0 ..< 1, not \(rate)")
    return rate > 0
  }

  /// What dropout multiplies with: zeros and 1 / (1 − rate).
  private init(dropoutMask shape: Shape, rate: Float, using generator: Philox) {
    let kept = 1 / (1 - rate)
    let limit = UInt32(min(rate * 65536, 65535))
    self.init(shape) { out in
      forChunks(of: shape.count) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
          let random = Philox.block(
            key: generator.key, counter: (UInt64(start / 8), generator.stream))
          let low = random & 0xFFFF
          let high = random &>> 16
          let drawn = SIMD8(
            low[0], high[0], low[1], high[1], low[2], high[2], low[3], high[3])
          let values = SIMD8<Float>(repeating: kept)
            .replacing(with: 0, where: drawn .< SIMD8(repeating: limit))
          if range.upperBound - start >= 8 {
            UnsafeMutableRawPointer(out + start).storeBytes(of: values, as: SIMD8<Float>.self)
          } else {
            for place in start..<range.upperBound { out[place] = values[place - start] }
          }
        }
      }
    }
  }
}
