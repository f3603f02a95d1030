/// Random numbers that are a function of a seed and a position: Philox-4x32-10.
///
/// Any block can be computed on its own, by any thread, so that the same seed gives the same bytes
/// whatever the number of threads; and to continue a sequence one needs to keep only a counter.
///
/// - SeeAlso: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
public struct Philox: RandomNumberGenerator, Sendable, Equatable {
  /// The seed.
  public let key: UInt64
  /// Which of 2⁶⁴ independent sequences of this seed.
  public let stream: UInt64
  /// How many 64-bit numbers have been drawn.
  public private(set) var position: UInt64

  public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    key = seed
    self.stream = stream
    self.position = position
  }

  /// An independent sequence that depends on this one's seed and stream and on `label` only.
  public func split(_ label: UInt64) -> Philox {
    let mixed = Philox.block(key: key, counter: (stream, label &+ 0x9E37_79B9_7F4A_7C15))
    return Philox(
      seed: UInt64(mixed.x) << 32 | UInt64(mixed.y),
      stream: UInt64(mixed.z) << 32 | UInt64(mixed.w))
  }

  public mutating func next() -> UInt64 {
    let block = Philox.block(key: key, counter: (position / 2, stream))
    defer { position += 1 }
    return position.isMultiple(of: 2)
      ? UInt64(block.y) << 32 | UInt64(block.x) : UInt64(block.w) << 32 | UInt64(block.z)
  }

  /// A number in [0, 1), a multiple of 2⁻²⁴.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A number in [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Fills a buffer with Gumbel noise, −ln(−ln u) with u uniform in (0, 1); 32 numbers are drawn for
  /// each 64 or less.
  ///
  /// The index of the largest l_i + T·noise_i is distributed as softmax(l / T).
  ///
  /// - SeeAlso: Gumbel, "Statistical Theory of Extreme Values and Some Practical Applications", 1954.
  package mutating func fillWithGumbelNoise(_ numbers: UnsafeMutableBufferPointer<Float>) {
    guard let base = numbers.baseAddress else { return }
    let first = (position + 1) / 2
    Compute.kernels.gumbel(numbers.count, key, stream, first, base)
    position = 2 * (first + 16 * UInt64((numbers.count + 63) / 64))
  }

  /// The four numbers of one block.
  ///
  /// - Parameter counter: 128 bits, the low half first.
  @inline(__always)
  public static func block(key: UInt64, counter: (UInt64, UInt64)) -> SIMD4<UInt32> {
    var c0 = UInt32(truncatingIfNeeded: counter.0)
    var c1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    var c2 = UInt32(truncatingIfNeeded: counter.1)
    var c3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var k0 = UInt32(truncatingIfNeeded: key)
    var k1 = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let a = UInt64(c0) &* 0xD251_1F53
      let b = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: a)
      )
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
