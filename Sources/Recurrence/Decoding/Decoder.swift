import CKernels
import Synchronization
import Tensors

/// Generates with a recurrent language model: its weights laid out for one step after the other, for
/// one text or several side by side.
///
///     x = table[w],  h⁰ … h^{L−1} = the layers' steps,  logits = V·h^{L−1} + b
///
/// A step reads every weight once, so its time is that of reading them from memory or cache. Its phases,
/// each divided among the threads:
///
/// 0. the arithmetic of layer 0, whose products are there already (the input's is looked up);
/// 1. W_hh·h⁰ for the next token, and layer 1, both of its products and its arithmetic;
/// 2. … layer 2 and so on; last, the readout.
///
/// Phase 1 goes through its weights in one direction for one token and in the other for the next: what
/// was read last is then still in the nearest cache.
///
/// For a next word out of many, if that is all that is asked for, the readout is a sketch, and one more
/// phase draws (see `ReadoutSketch`).
///
/// Numbers don't depend on how many texts there are or on the number of threads.
package final class Decoder: Sendable {
  static let itemsPerThread = 2

  let layers: [DecoderLayer]
  private let table: InputTable
  private let readout: PackedWeights
  private let readoutBias: Storage
  /// V, from which a sketch can be made; nil if none is of use.
  private let sketchedMatrix: Tensor?
  /// Nil if nothing has been drawn yet, `.some(nil)` if there can be none.
  private let sketch = Mutex<ReadoutSketch??>(nil)
  /// Operations of a step for one text.
  private let operations: Int
  /// V for a readout of logits.
  package let outputSize: Int

  /// - Parameters:
  ///   - core: a cell of the shipped kinds or a stack of them, or else the result is nil; nil also if
  ///     some matrices are quantized and others aren't.
  ///   - embedding: `[V, I]`.
  ///   - readout: `[O, H]`; O is V, if what it gives are logits.
  ///   - bias: `[O]`.
  ///   - draws: whether words will be drawn by what the readout gives, if that is as fast as by logits.
  ///   - tableBytes: how large the table of the first layer's inputs may become.
  package init?(
    core: Any, embedding: Tensor, readout: Tensor, bias: Tensor, draws: Bool = true,
    tableBytes: Int = 256 << 20
  ) {
    guard let cells = (core as? any FusedCore)?.fusedLayers, !cells.isEmpty else { return nil }
    layers = cells.map { DecoderLayer($0) }
    let inputs = [embedding.shape[1]] + layers.map(\.layout.hiddenSize)
    require(
      inputs == layers.map(\.input.depth) + [readout.shape[1]]
        && readout.shape[0] == bias.count,
      "an embedding \(embedding.shape), layers for inputs of \(layers.map(\.input.depth)) and a "
        + "readout \(readout.shape) don't fit")
    table = InputTable(
      embedding: embedding, weights: layers[0].input, bias: layers[0].inputBias,
      stride: layers[0].layout.stride, bytes: tableBytes)
    self.readout = PackedWeights(readout)
    outputSize = bias.count
    readoutBias = Storage(count: self.readout.panels * Compute.panelWidth)
    readoutBias.base.update(repeating: 0, count: self.readout.panels * Compute.panelWidth)
    // Products with the same input take it in the same form.
    let weights = layers.flatMap { [$0.input, $0.recurrent] } + [self.readout]
    guard Set(weights.map(\.format)).count == 1 else { return nil }
    let isSketched =
      draws && readout.shape[0] >= ReadoutSketch.fewestWords && self.readout.format != .int8
    sketchedMatrix = isSketched ? readout : nil
    preparedSize = max(
      weights.map(\.preparedSize).max() ?? 0,
      isSketched ? PackedWeights.preparedSize(depth: readout.shape[1]) : 0)
    // The first layer's input is looked up.
    operations = weights.dropFirst().reduce(0) {
      $0 + 2 * $1.panels * $1.depth * Compute.panelWidth
    }
    borrowing(bias) { readoutBias.base.update(from: bias.base, count: bias.count) }
  }

  /// Floats from the logits of one text to those of the next.
  var logitStride: Int { readout.panels * Compute.panelWidth }
  /// Room for an input of any product, in floats.
  let preparedSize: Int

  /// The sketch, made when it is first asked for; nil if drawing for so many texts would be slower
  /// with it.
  private func sketch(texts: Int) -> ReadoutSketch? {
    guard let sketchedMatrix, texts <= Compute.kernels.sketch_rows else { return nil }
    return sketch.withLock { sketch in
      if let sketch { return sketch }
      let made = ReadoutSketch(sketchedMatrix, bias: readoutBias.base)
      sketch = made
      return made
    }
  }

  /// Texts that are being decoded. A copy goes its own way.
  package struct Texts {
    let decoder: Decoder
    private var state: DecoderState

    package var count: Int { state.streams }
    /// The number of logits that a step yields, B·O.
    package var logitCount: Int { count * decoder.outputSize }

    /// - Parameter count: how many texts, each without a past.
    package init(_ decoder: Decoder, count: Int) {
      self.decoder = decoder
      state = DecoderState(decoder, streams: count)
    }

    /// Reads a token of each text.
    ///
    /// - Parameter logits: gets the logits of what comes next, `[B, O]`.
    package mutating func read(
      _ tokens: some Collection<Int32>, logits: UnsafeMutableBufferPointer<Float>
    ) {
      let size = decoder.outputSize
      require(logits.count == count * size, "\(logits.count) logits for \(count) texts")
      step(tokens, then: .logits)
      guard let target = logits.baseAddress else { return }
      for text in 0..<count {
        (target + text * size).update(
          from: state.logits + text * decoder.logitStride, count: size)
      }
    }

    /// Reads a token of each text, where what comes next isn't of interest.
    package mutating func read(_ tokens: some Collection<Int32>) { step(tokens, then: .nothing) }

    /// Reads a token of each text and puts in its place the one drawn to come next: the largest of
    /// logits + temperature·noise, the noise of each text from its own generator.
    ///
    /// - Parameter forbidden: a token that isn't drawn.
    /// - Returns: false, nothing having been done, if `read` does as well.
    package mutating func draw(
      _ tokens: UnsafeMutableBufferPointer<Int32>, temperature: Float, forbidden: Int32?,
      generators: UnsafeMutableBufferPointer<Philox>
    ) -> Bool {
      guard let sketch = decoder.sketch(texts: count) else { return false }
      require(generators.count == count, "\(generators.count) generators for \(count) texts")
      require(
        forbidden.map { 0..<decoder.outputSize ~= Int($0) } ?? true,
        "token \(forbidden ?? 0) of a vocabulary of \(decoder.outputSize)")
      let drawing = Drawing(
        sketch: sketch, tokens: tokens, temperature: temperature, forbidden: forbidden,
        generators: generators)
      step(tokens, then: .drawing(drawing))
      return true
    }

    private mutating func step(_ tokens: some Collection<Int32>, then ending: Ending) {
      require(tokens.count == count, "\(tokens.count) tokens for \(count) texts")
      if !isKnownUniquelyReferenced(&state) {
        state = DecoderState(copying: state, of: decoder)
      }
      decoder.step(state, tokens, then: ending)
    }
  }

  /// What a step ends with.
  private enum Ending {
    case nothing
    case logits
    case drawing(Drawing)
  }

  /// Unchecked: the thread that draws for a text changes what is the text's.
  private struct Drawing: @unchecked Sendable {
    let sketch: ReadoutSketch
    let tokens: UnsafeMutableBufferPointer<Int32>
    let temperature: Float
    let forbidden: Int32?
    let generators: UnsafeMutableBufferPointer<Philox>
  }

  // MARK: A step

  private func step(
    _ state: DecoderState, _ tokens: some Collection<Int32>, then ending: Ending
  ) {
    let first = layers[0].layout
    for (stream, token) in tokens.enumerated() {
      table.copyRow(
        of: token, to: state.layers[0].gates + stream * first.stride, count: first.columns)
    }
    let cost = state.streams * operations / (layers.count + 1)
    // The last one but drawing is the readout, in which a single layer has its recurrence.
    let phases =
      switch ending {
      case .nothing: max(2, layers.count)
      case .logits: layers.count + 1
      case .drawing: layers.count + 2
      }
    Compute.forEachStep(phases, items: state.items, cost: cost) { phase, item in
      switch phase {
      case 0:
        for block in part(item, of: first.blocks, state) {
          layers[0].activate(
            block: block, state.layers[0], streams: state.streams, from: state.current)
        }
      case 1: besidesFirstRecurrence(state, item, ending)
      case ...layers.count:
        ahead(phase, state, item, input: input(of: phase, state, item, ending), ending)
      default:
        if case .drawing(let drawing) = ending { draw(drawing, state, item) }
      }
    }
    state.current = 1 - state.current
  }

  /// Phase 1: what follows from layer 0's output, and its recurrence for the next token.
  private func besidesFirstRecurrence(_ state: DecoderState, _ item: Int, _ ending: Ending) {
    let isBack = state.current == 1
    // The items of one thread in reverse.
    let k = Self.itemsPerThread
    let mirrored = isBack ? item / k * k + (k - 1 - item % k) : item
    let input = input(of: 1, state, item, ending)
    if isBack { ahead(1, state, mirrored, input: input, ending, isBack: true) }
    let layer = layers[0]
    forEachChunk(of: part(mirrored, of: layer.layout.blocks, state), layer, isBack) { blocks in
      multiply(
        layer.recurrent, blocks, layer.layout, input, bias: layer.recurrentBias,
        into: state.layers[0].fromState, state)
    }
    if !isBack { ahead(1, state, mirrored, input: input, ending) }
  }

  /// The layer of this phase; in the last phase, the readout.
  private func ahead(
    _ phase: Int, _ state: DecoderState, _ item: Int, input: Rows, _ ending: Ending,
    isBack: Bool = false
  ) {
    guard phase < layers.count else { return readOut(state, item, input, ending) }
    let (layer, own) = (layers[phase], state.layers[phase])
    let previous = rows(
      own.h(state.current), layer, for: layer.recurrent, state.workspace(item: item, input: 1),
      state)
    forEachChunk(of: part(item, of: layer.layout.blocks, state), layer, isBack) { blocks in
      multiply(
        layer.input, blocks, layer.layout, input, bias: layer.inputBias, into: own.gates, state)
      multiply(
        layer.recurrent, blocks, layer.layout, previous, bias: layer.recurrentBias,
        into: own.fromState, state)
      for block in blocks {
        layer.activate(block: block, own, streams: state.streams, from: state.current)
      }
    }
  }

  private func readOut(
    _ state: DecoderState, _ item: Int, _ input: Rows, _ ending: Ending
  ) {
    let panels = part(item, of: readout.panels, state)
    let target = state.logits + panels.lowerBound * Compute.panelWidth
    switch ending {
    case .nothing: break
    case .logits:
      readout.multiply(
        rows: state.streams, panels: panels, input.base, stride: input.stride,
        prepared: input.prepared, bias: readoutBias.base, into: target, outputStride: logitStride)
    case .drawing(let drawing):
      drawing.sketch.weights.sketch(
        rows: state.streams, panels: panels, prepared: input.prepared, bias: readoutBias.base,
        into: target, outputStride: logitStride)
    }
  }

  /// The last phase of a step that draws: some texts.
  private func draw(_ drawing: Drawing, _ state: DecoderState, _ item: Int) {
    let last = layers.count - 1
    let input = Rows(
      base: state.layers[last].h(1 - state.current), stride: layers[last].layout.stride,
      prepared: state.workspace(item: item, input: 0))
    for text in part(item, of: state.streams, state) {
      drawing.tokens[text] = withPooled(Float.self, count: outputSize) { noise in
        if drawing.temperature > 0 { drawing.generators[text].fillWithGumbelNoise(noise) }
        return withPooled(Int32.self, count: outputSize) { found in
          drawing.sketch.draw(
            from: state.logits + text * logitStride, h: input.base + text * input.stride,
            error: drawing.sketch.weights.sketchError(ofRow: text, prepared: input.prepared),
            bias: readoutBias.base, temperature: drawing.temperature, noise: noise,
            forbidden: drawing.forbidden, found: found)
        }
      }
    }
  }

  // MARK: Parts of it

  /// The share of an item in `count` pieces of work.
  private func part(_ item: Int, of count: Int, _ state: DecoderState) -> Range<Int> {
    count * item / state.items..<count * (item + 1) / state.items
  }

  /// Calls `body` with blocks in the order in which they are done, as many at once as have four
  /// panels.
  @inline(__always)
  private func forEachChunk(
    of blocks: Range<Int>, _ layer: DecoderLayer, _ isBack: Bool, _ body: (Range<Int>) -> Void
  ) {
    let size = max(1, 4 / layer.layout.gates)
    let count = (blocks.count + size - 1) / size
    for index in 0..<count {
      let start = blocks.lowerBound + (isBack ? count - 1 - index : index) * size
      body(start..<min(start + size, blocks.upperBound))
    }
  }

  /// One row a text, for a product.
  private struct Rows {
    let base: UnsafePointer<Float>
    let stride: Int
    let prepared: UnsafePointer<Float>
  }

  /// What the layer of a phase reads: the new outputs of the layer before.
  private func input(
    of phase: Int, _ state: DecoderState, _ item: Int, _ ending: Ending
  ) -> Rows {
    let below = layers[phase - 1]
    let weights =
      if phase < layers.count { layers[phase].input } else if case .drawing(let drawing) = ending {
        drawing.sketch.weights
      } else { readout }
    return rows(
      state.layers[phase - 1].h(1 - state.current), below, for: weights,
      state.workspace(item: item, input: 0), state)
  }

  private func rows(
    _ h: UnsafePointer<Float>, _ layer: DecoderLayer, for weights: PackedWeights,
    _ workspace: UnsafeMutablePointer<Float>, _ state: DecoderState
  ) -> Rows {
    let stride = layer.layout.stride
    weights.prepare(rows: state.streams, h, stride: stride, into: workspace)
    return Rows(base: h, stride: stride, prepared: workspace)
  }

  private func multiply(
    _ weights: PackedWeights, _ blocks: Range<Int>, _ layout: GateLayout, _ rows: Rows,
    bias: Storage, into target: UnsafeMutablePointer<Float>, _ state: DecoderState
  ) {
    weights.multiply(
      rows: state.streams,
      panels: blocks.lowerBound * layout.gates..<blocks.upperBound * layout.gates,
      rows.base, stride: rows.stride, prepared: rows.prepared, bias: bias.base,
      into: target + layout.column(block: blocks.lowerBound, gate: 0),
      outputStride: layout.stride)
  }
}
