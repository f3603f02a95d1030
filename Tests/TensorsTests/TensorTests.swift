import Tensors
import Testing

@Suite struct TensorTests {
  @Test func elementsAreRowMajor() {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(x.count == 6 && x.values == [1, 2, 3, 4, 5, 6])
    #expect(x[1].values == [4, 5, 6] && x[1][2].item == 6)
    #expect(Tensor(7).shape == [] && Tensor(7).item == 7)
    #expect(Tensor([2, 2], repeating: 3).values == [3, 3, 3, 3])
    #expect(x[1].withValues { $0.reduce(0, +) } == 15)
  }

  @Test func longDescriptionsEndEarly() {
    #expect("\(Tensor([1, 2], shape: [2]))" == "Tensor[2](1.0, 2.0)")
    #expect(
      "\(Tensor(zeros: [9]))" == "Tensor[9](0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …)")
  }

  @Test func anUpdateIsInPlaceForAnOwnerAndInACopyForASharer() {
    var x = Tensor([1, 2, 3, 4], shape: [2, 2])
    let address = x.base
    x.update { $0[0] = 9 }
    #expect(x.base == address && x.values == [9, 2, 3, 4])
    let reader = x
    x.update { $0[0] = 5 }
    #expect(x.base != address && x.values == [5, 2, 3, 4] && reader.values == [9, 2, 3, 4])
    // A part of a buffer that nobody else holds moves to a buffer of its own.
    var part = Tensor([1, 2, 3, 4], shape: [2, 2])[1]
    part.update { $0[0] = 7 }
    #expect(part.values == [7, 4])
  }

  @Test func reshapesAndSlicesShareMemory() {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(x.reshaped([4]).base == x.base && x[1].base == x.base + 2)
    #expect(x.detached.base == x.base && x.watched.base == x.base)
  }

  /// Both shapes stand in the message, in optimised builds too.
  @Test func shapeMistakesTrapAndNameBothShapes() async throws {
    let sum = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor(zeros: [2, 3]) + Tensor(zeros: [3, 2])
    }
    expectMessage(sum.standardErrorContent, names: "+ needs equal shapes", "[2, 3]", "[3, 2]")

    let product = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor(zeros: [7, 2, 3]).times(Tensor(zeros: [4, 5]).transposed)
    }
    expectMessage(product.standardErrorContent, names: "A·Bᵀ", "[7, 2, 3]", "[4, 5]")

    let parts = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = concatenated(Tensor(zeros: [2, 3]), Tensor(zeros: [4, 3]))
    }
    expectMessage(parts.standardErrorContent, names: "concatenated", "[2, 3]", "[4, 3]")

    let index = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor(zeros: [2, 3]).gathering([0, 2])
    }
    expectMessage(index.standardErrorContent, names: "no row 2", "[2, 3]")
  }

  private func expectMessage(
    _ output: [UInt8], names parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let text = String(decoding: output, as: UTF8.self)
    for part in parts {
      #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation)
    }
  }
}
