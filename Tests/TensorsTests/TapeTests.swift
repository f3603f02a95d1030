import Tensors
import Testing

@Suite struct TapeTests {
  private let a = randomTensor([2, 3], seed: 1)
  private let b = randomTensor([2, 3], seed: 2)

  @Test func everyUseOfATensorCounts() {
    expectGradients(of: { $0[0] * $0[0] + $0[0] }, inputs: [a])
    expectGradients(of: { $0[0] + $0[0] }, inputs: [a])
    expectGradients(of: { ($0[0] + $0[0]) * ($0[0] - $0[0] * 3) }, inputs: [a])
  }

  @Test func bothSidesOfADiamondCount() {
    expectGradients(
      of: { inputs in
        let top = tanh(inputs[0] * inputs[1])
        let (left, right) = (sigmoid(top), exp(top) * inputs[1])
        return left * right + top
      }, inputs: [a, b])
  }

  /// A short and a long way to the same node: it waits for both.
  @Test func waysOfUnequalLengthMeet() {
    expectGradients(
      of: { inputs in
        let near = inputs[0] * 2
        return near * tanh(tanh(tanh(near) + 1) * inputs[0])
      }, inputs: [a])
  }

  @Test func anUnusedOutputComesAsNil() {
    let x = a.watched
    let parts = Tensor.record([x.detached * 2, x.detached * 3], from: [x]) { gradients, sink in
      #expect(gradients[0] == nil)
      if let gradient = gradients[1] { sink.add(gradient * 3, toInput: 0) }
    }
    #expect(parts[1].sum().backward()[x]?.values == Array(repeating: 3, count: 6))
  }

  @Test func detachedAndWithoutGradientsCut() {
    let x = a.watched
    #expect(!(x.detached * 2).needsGradient && (x * 2).needsGradient)
    let cut = withoutGradients { tanh(x).gathering([0, 1]) }
    #expect(!cut.needsGradient)
    #expect((x * x.detached).sum().backward()[x]?.values == a.values)
    #expect((x * cut).sum().backward()[x]?.values == cut.values)
    #expect(cut.sum().backward()[x] == nil)
    // Recording is on again afterwards.
    #expect((x + 1).needsGradient)
  }

  @Test func onlyWhatTheResultDependsOnHasAGradient() {
    let (x, y) = (a.watched, b.watched)
    let gradients = (x * 2).sum().backward()
    #expect(gradients[x] != nil && gradients[y] == nil && gradients[a] == nil)
    #expect(x.backward(from: b)[x]?.values == b.values)
  }

  /// A gradient belongs to a leaf, not to the place in memory where it was.
  @Test func gradientsOutliveTheirLeavesWithoutBeingMistaken() {
    for _ in 0..<100 {
      let gradients = (a.watched * 2).sum().backward()
      let others = (0..<8).map { _ in b.watched }
      #expect(others.allSatisfy { gradients[$0] == nil })
    }
  }

  @Test func backwardMayRunTwiceAndFromAnyThread() async {
    let x = a.watched
    let y = tanh(x * b)
    let expected = y.backward(from: b)[x]!.values
    await withTaskGroup(of: [Float].self) { group in
      for _ in 0..<4 { group.addTask { [b] in y.backward(from: b)[x]!.values } }
      for await values in group { #expect(values == expected) }
    }
  }

  /// Were each slice's gradient a whole tensor, this would add up 3.2 GB.
  @Test(.timeLimit(.minutes(1)))
  func longSequencesTakeLinearTime() {
    let steps = 10_000
    let x = randomTensor([steps, 8], seed: 3).watched
    var state = Tensor(zeros: [8])
    let clock = ContinuousClock()
    var gradient: Tensor?
    let time = clock.measure {
      for step in 0..<steps { state = x[step] + state * 0.5 }
      gradient = state.sum().backward()[x]
    }
    // dx[t] = ½^(steps − 1 − t), exactly, until it is no longer a normal number.
    let values = gradient?.values ?? []
    #expect(values.count == steps * 8)
    for back in 0..<100 {
      let row = values.dropLast(back * 8).suffix(8)
      #expect(row.allSatisfy { $0 == Float(sign: .plus, exponent: -back, significand: 1) })
    }
    #expect(time < .seconds(2))
  }

  /// Neither the walk nor the release of the nodes may recurse.
  @Test(.timeLimit(.minutes(1)))
  func longChainsDoNotOverflowTheStack() {
    let x = Tensor(1).watched
    var y = x
    for _ in 0..<100_000 { y = y * 1 }
    // This one's pullbacks hold the tensors themselves.
    for _ in 0..<100_000 { y = y * y }
    let gradient = y.backward()[x]
    #expect(gradient?.item == .infinity)
    y = Tensor(0)
    #expect(x.item == 1)
  }

  @Test func theTapeIsReleasedWithItsTensors() {
    weak var kept: Storage?
    do {
      let x = a.watched
      let inner = tanh(x)
      kept = inner.storage
      let y = inner * x
      _ = y.sum().backward()
      #expect(kept != nil && y.needsGradient)
    }
    #expect(kept == nil)
  }
}
