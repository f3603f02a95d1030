import Tensors
import Testing

@Suite struct ParameterTests {
  @Test func anUpdateIsInPlaceUnlessSomebodyReads() {
    let parameter = Parameter(Tensor([1, 2], shape: [2]))
    let address = parameter.value.base
    parameter.update { $0[0] = 5 }
    #expect(parameter.value.base == address && parameter.value.values == [5, 2])
    let reader = parameter.tensor
    parameter.update { $0[0] = 6 }
    #expect(parameter.value.base != address)
    #expect(reader.values == [5, 2] && parameter.value.values == [6, 2])
  }

  @Test func anUpdateLeavesTheValueThatItWasMadeFromAlone() {
    let initial = Tensor([1, 2], shape: [2])
    let parameter = Parameter(initial)
    parameter.update { $0[0] = 9 }
    #expect(initial.values == [1, 2])
  }

  @Test func gradientsAreFoundByParameter() {
    let (used, unused) = (Parameter(Tensor(3)), Parameter(Tensor(4)))
    var gradients = (used.tensor * used.tensor).backward()
    #expect(gradients[used]?.item == 6 && gradients[unused] == nil)
    gradients[used] = Tensor(1)
    #expect(gradients[used]?.item == 1)
    // Changing the value doesn't change who it is.
    used.value = Tensor(5)
    #expect((used.tensor * used.tensor).backward()[used]?.item == 10)
  }

  /// Readers see a whole value, before or after an update, never a mixture.
  @Test func readersSeeWholeValues() async {
    let parameter = Parameter(Tensor(zeros: [512]))
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        for step in 1...500 {
          parameter.update { for index in 0..<512 { $0[index] = Float(step) } }
        }
        return true
      }
      group.addTask {
        (0..<500).allSatisfy { _ in
          let values = parameter.value.values
          return values.allSatisfy { $0 == values[0] }
        }
      }
      for await isWhole in group { #expect(isWhole) }
    }
    #expect(parameter.value.values[0] == 500)
  }

  private struct Layer: Parameterized {
    let weight = Parameter(Tensor(zeros: [2, 3]))
    let size = 3
    let bias = Parameter(Tensor(zeros: [2]))
  }
  private struct Model: Parameterized {
    let first = Layer()
    let scale = Parameter(Tensor(1))
  }

  @Test func parametersAreNamedInOrderOfDeclaration() {
    let model = Model()
    #expect(model.parameters.map(\.name) == ["first.weight", "first.bias", "scale"])
    #expect(model.parameters[1].parameter === model.first.bias)
    #expect(model.parameterCount == 9)
  }
}
