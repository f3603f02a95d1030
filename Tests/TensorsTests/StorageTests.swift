import Tensors
import Testing

@Suite struct StorageTests {
  // Sizes that no other test uses, since all share the pool.
  @Test func aReleasedBufferIsUsedAgain() {
    let count = 3_456_789
    let addresses = (0..<1000).map { _ in Storage(count: count).base }
    #expect(Set(addresses).count == 1)
    // A nearly equal size shares it.
    #expect(Storage(count: count - 5).base == addresses[0])
  }

  @Test func buffersInUseAreApart() {
    let count = 2_345_678
    let (first, second) = (Storage(count: count), Storage(count: count))
    #expect(abs(first.base - second.base) >= count)
    withExtendedLifetime((first, second)) {}
  }

  @Test func repeatedStepsTakeNoNewBuffers() {
    let weight = Parameter(randomTensor([9, 9], seed: 1))
    func step() -> [UnsafeMutablePointer<Float>] {
      let x = Tensor([16_001, 9], repeating: 0.5)
      let y = tanh(x.times(weight.transposed))
      let gradient = y.backward(from: x)[weight]!
      weight.update { $0[0] -= gradient.values[0] * 1e-6 }
      return [x.base, y.base]
    }
    let first = Set((0..<3).flatMap { _ in step() })
    var all = first
    for _ in 0..<1000 { all.formUnion(step()) }
    // Another test may hold a buffer of this size for a moment; a new one a step would be a thousand.
    #expect(all.count < first.count + 10)
  }

  @Test func buffersAreAlignedAndHoldAtLeastOneVector() {
    for count in [0, 1, 17, 1000, 600_000] {
      let storage = Storage(count: count)
      #expect(UInt(bitPattern: storage.base) % 64 == 0)
      for index in 0..<max(count, 16) { storage.base[index] = 1 }
    }
  }
}
