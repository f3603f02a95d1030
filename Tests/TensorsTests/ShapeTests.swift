import Tensors
import Testing

@Suite struct ShapeTests {
  @Test func dimensionsCountFromEitherEnd() {
    let shape: Shape = [2, 3, 5]
    #expect(shape.rank == 3 && shape.count == 30 && shape.dimensions == [2, 3, 5])
    #expect([shape[0], shape[2], shape[-1], shape[-3]] == [2, 5, 5, 2])
    #expect("\(shape)" == "[2, 3, 5]")
    #expect(Shape([]).count == 1 && "\(Shape([]))" == "[]")
  }

  @Test func partsAreNewShapes() {
    let shape: Shape = [2, 3, 5]
    #expect(shape.dropFirst == [3, 5] && shape.replacingLast(with: 7) == [2, 3, 7])
    #expect(shape.prepending(9) == [9, 2, 3, 5])
    #expect(Shape([2]) != Shape([2, 1]))
  }

  @Test func allButTheLastDimensionAreRows() {
    for (shape, rows, columns) in [
      (Shape([]), 1, 1), ([4], 1, 4), ([2, 3], 2, 3), ([2, 3, 5], 6, 5), ([0, 3], 0, 3),
      ([3, 0], 3, 0), ([2, 3, 0], 6, 0), ([0], 1, 0),
    ] {
      #expect(shape.asMatrix == (rows, columns), "\(shape)")
    }
  }
}
