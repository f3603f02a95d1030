import Tensors
import Testing

@Suite struct TensorGroupTests {
  private struct Pair: TensorGroup {
    var first: Tensor
    var rest: [Tensor]
    var tensors: [Tensor] { [first] + rest }
    func replacing(_ tensors: [Tensor]) -> Pair {
      Pair(first: tensors[0], rest: Array(tensors.dropFirst()))
    }
  }

  @Test func nestedGroupsKeepTheirStructure() {
    let pairs = [
      Pair(first: Tensor(1), rest: []), Pair(first: Tensor(2), rest: [Tensor(3), Tensor(4)]),
    ]
    #expect(pairs.tensors.map(\.item) == [1, 2, 3, 4])
    let doubled = pairs.mapTensors { $0 * 2 }
    #expect(doubled.map { $0.first.item } == [2, 4])
    #expect(doubled.map { $0.rest.map(\.item) } == [[], [6, 8]])
  }

  @Test func detachingCutsEveryTensor() {
    let group = [Pair(first: Tensor(1).watched, rest: [Tensor(2).watched])]
    #expect(group.tensors.allSatisfy { $0.needsGradient })
    #expect(group.detached.tensors.allSatisfy { !$0.needsGradient })
    #expect(group.detached.tensors.map(\.item) == [1, 2])
  }
}
