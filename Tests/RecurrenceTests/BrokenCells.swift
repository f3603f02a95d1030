import Recurrence
import Synchronization
import Tensors

/// A correct cell, of a user's kind: nothing fused.
struct PlainCell: RecurrentCell {
  let weight: Parameter  // [H, I + H]
  let bias: Parameter  // [H]

  init(inputSize: Int = 3, hiddenSize: Int = 4) {
    var generator = Philox(seed: 11)
    let shape: Shape = [hiddenSize, inputSize + hiddenSize]
    weight = Parameter(Tensor(uniform: shape, bound: 0.6, using: &generator))
    bias = Parameter(Tensor(uniform: [hiddenSize], bound: 0.6, using: &generator))
  }

  func initialState(batch: Int) -> Tensor { Tensor(zeros: [batch, bias.shape[0]]) }

  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let next = tanh(concatenated(x, s).times(weight.transposed) + bias.broadcast)
    return (next, next)
  }
}

/// A cell around `PlainCell`: what it doesn't say is as there.
protocol Wrapper: RecurrentCell where Input == Tensor, Output == Tensor, State == Tensor {
  var cell: PlainCell { get }
}

extension Wrapper {
  func initialState(batch: Int) -> Tensor { cell.initialState(batch: batch) }
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) { cell(x, s) }
  var parameters: [(name: String, parameter: Parameter)] { cell.parameters }
}

/// Breaks law 1: no gradient goes back through the state.
struct ForgetsGradient: Wrapper {
  let cell = PlainCell()
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    cell(x, s.detached)
  }
}

/// Breaks law 1 a little: a fiftieth of the gradient goes missing.
struct LosesGradient: Wrapper {
  let cell = PlainCell()
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    cell(x * 0.98 + x.detached * 0.02, s)
  }
}

/// Breaks law 1 where kinks are: a tenth of the gradient goes missing in a large network of ReLUs.
struct LosesGradientOfReLU: Wrapper {
  let cell = PlainCell(hiddenSize: 40)
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    let both = concatenated(x, s * 0.9 + s.detached * 0.1)
    let next = relu(both.times(cell.weight.transposed) * 0.5 + cell.bias.broadcast)
    return (next, next)
  }
}

/// Breaks law 2: unfold gives other outputs than the steps.
struct UnfoldsDifferently: Wrapper {
  let cell = PlainCell()
  func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    let (outputs, last) = unfoldStepwise(over: inputs, from: state, lengths: lengths)
    return (outputs * 1.0001, last)
  }
}

/// Breaks law 3.
struct StartsAtOne: Wrapper {
  let cell = PlainCell()
  func initialState(batch: Int) -> Tensor { Tensor([batch, 4], repeating: 1) }
}

/// Breaks law 3: nil isn't what `initialState` says.
struct StartsElsewhere: Wrapper {
  let cell = PlainCell()
  func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    let start = state ?? Tensor([inputs.shape[1], 4], repeating: 1)
    return unfoldStepwise(over: inputs, from: start, lengths: lengths)
  }
}

/// Breaks law 4: the state that comes in is lost.
struct DropsState: Wrapper {
  let cell = PlainCell()
  func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    unfoldStepwise(over: inputs, from: nil, lengths: lengths)
  }
}

/// Breaks law 5: each row reads the input of another.
struct MixesRows: Wrapper {
  let cell = PlainCell()
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    cell(x.gathering((0..<Int32(x.shape[0])).reversed()), s)
  }
}

/// Breaks law 5: padding counts.
struct IgnoresLengths: Wrapper {
  let cell = PlainCell()
  func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    unfoldStepwise(over: inputs, from: state)
  }
}

/// Breaks law 6: remembers where a state came from, and lets gradients follow it over a cut.
final class SmugglesGradient: Wrapper {
  let cell = PlainCell()
  private let memory = Mutex<Tensor?>(nil)

  func unfold(over inputs: Tensor, from state: Tensor?, lengths: [Int]?, mode: Mode)
    -> (outputs: Tensor, last: Tensor)
  {
    let known = memory.withLock { $0 }
    let start = known?.values == state?.values ? known : state
    let (outputs, last) = unfoldStepwise(over: inputs, from: start, lengths: lengths)
    memory.withLock { $0 = last }
    return (outputs, last)
  }
}

/// Breaks law 7: computes otherwise with other numbers of threads.
struct DependsOnThreads: Wrapper {
  let cell = PlainCell()
  func callAsFunction(_ x: Tensor, _ s: Tensor) -> (output: Tensor, state: Tensor) {
    cell(x + Float(Compute.threads) * 1e-6, s)
  }
}

/// Breaks law 7: a parameter isn't listed, and wouldn't be saved.
struct HidesParameter: Wrapper {
  let cell = PlainCell()
  var parameters: [(name: String, parameter: Parameter)] { [("weight", cell.weight)] }
}

/// Breaks law 7: what is listed isn't what is used.
struct ListsCopies: Wrapper {
  let cell = PlainCell()
  var parameters: [(name: String, parameter: Parameter)] {
    cell.parameters.map { ($0.name, Parameter($0.parameter.value)) }
  }
}

/// Breaks law 7: two parameters of one name.
struct RepeatsName: Wrapper {
  let cell = PlainCell()
  var parameters: [(name: String, parameter: Parameter)] {
    cell.parameters.map { ("weight", $0.parameter) }
  }
}
