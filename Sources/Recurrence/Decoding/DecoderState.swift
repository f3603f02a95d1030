import Tensors

/// Where some texts are: the states of all layers after the last token, and room for the next step.
///
/// Unchecked: one step at a time changes it.
final class DecoderState: @unchecked Sendable {
  /// The buffers of a layer, each `[B, stride]`. Pointers, so that a step counts no references.
  struct Layer {
    let evenH, oddH: UnsafeMutablePointer<Float>
    /// c of an LSTM.
    let c: UnsafeMutablePointer<Float>
    /// W_ih·x + b_ih.
    let gates: UnsafeMutablePointer<Float>
    /// W_hh·h + b_hh; the first layer's is kept from step to step.
    let fromState: UnsafeMutablePointer<Float>

    static let buffers = 5

    /// h before a step and after it, by turns.
    func h(_ turn: Int) -> UnsafeMutablePointer<Float> { turn == 0 ? evenH : oddH }
  }

  let streams: Int
  let layers: [Layer]
  /// `[B, panels × width]`.
  let logits: UnsafeMutablePointer<Float>
  /// Into how many parts the work of a phase is divided.
  let items: Int
  /// Which h holds the states.
  var current = 0

  private let storages: [Storage]
  /// Room for two rounded inputs of each item, if weights have 8 bits.
  private let workspace: Storage
  private let workspaceSize: Int  // floats of one input

  private init(_ decoder: Decoder, streams: Int, items: Int, storages: [Storage]) {
    (self.streams, self.items, self.storages) = (streams, items, storages)
    layers = decoder.layers.indices.map { index in
      let base = storages[index].base
      let size = streams * decoder.layers[index].layout.stride
      return Layer(
        evenH: base, oddH: base + size, c: base + 2 * size, gates: base + 3 * size,
        fromState: base + 4 * size)
    }
    logits = storages[decoder.layers.count].base
    workspaceSize = streams * decoder.preparedSize
    workspace = Storage(count: 2 * items * workspaceSize)
  }

  /// Texts without a past.
  convenience init(_ decoder: Decoder, streams: Int) {
    self.init(
      decoder, streams: streams, items: Decoder.itemsPerThread * Compute.threads,
      storages: Self.sizes(decoder, streams).map { size in
        let storage = Storage(count: size)
        storage.base.update(repeating: 0, count: size)
        return storage
      })
    for (layer, state) in zip(decoder.layers, layers) {
      for stream in 0..<streams {
        (state.fromState + stream * layer.layout.stride)
          .update(from: layer.recurrentBias.base, count: layer.layout.columns)
      }
    }
  }

  /// A copy that goes its own way.
  convenience init(copying other: DecoderState, of decoder: Decoder) {
    self.init(
      decoder, streams: other.streams, items: other.items,
      storages: zip(Self.sizes(decoder, other.streams), other.storages).map { size, storage in
        let copy = Storage(count: size)
        copy.base.update(from: storage.base, count: size)
        return copy
      })
    current = other.current
  }

  /// Floats of each layer's buffers, and of the logits.
  private static func sizes(_ decoder: Decoder, _ streams: Int) -> [Int] {
    decoder.layers.map { Layer.buffers * streams * $0.layout.stride }
      + [streams * decoder.logitStride]
  }

  /// Room for one of the two inputs of an item.
  func workspace(item: Int, input: Int) -> UnsafeMutablePointer<Float> {
    workspace.base + (2 * item + input) * workspaceSize
  }
}
