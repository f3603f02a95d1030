import Interchange
import Tensors

/// The tokens of a text, which need not be in memory.
///
/// A few lie in an array; many in a mapped file without a name, of which the system keeps in memory
/// what it has room for. A part shares the tokens of the whole.
public struct TokenSequence: Sendable {
  private enum Store: Sendable {
    case memory([Int32])
    /// Two bytes a token, or four, in the machine's order.
    case file(MappedFile, isNarrow: Bool)
  }

  private let store: Store
  /// Where the tokens stand in the store; `leading` before all others.
  private let places: Range<Int>
  /// The first token, if the store doesn't hold it.
  private let leading: Int32?

  private init(_ store: Store, _ places: Range<Int>, leading: Int32? = nil) {
    self.store = store
    self.places = places
    self.leading = leading
  }

  /// Tokens that are in memory.
  public init(_ tokens: [Int32]) { self.init(.memory(tokens), 0..<tokens.count) }

  /// All tokens of a file.
  ///
  /// - Parameter isNarrow: whether each takes two bytes; otherwise four.
  init(_ file: MappedFile, isNarrow: Bool) {
    self.init(.file(file, isNarrow: isNarrow), 0..<file.count / (isNarrow ? 2 : 4))
  }

  /// A part as a text of its own, whose first token has the place 0.
  public init(rebasing part: Slice<TokenSequence>) {
    let begin = part.base.places.lowerBound
    self.init(
      part.base.store, begin + part.startIndex..<begin + part.endIndex,
      leading: part.startIndex == 0 && !part.isEmpty ? part.base.leading : nil)
  }

  /// The tokens with another one before them.
  public func preceded(by token: Int32) -> TokenSequence {
    leading == nil
      ? TokenSequence(store, places.lowerBound - 1..<places.upperBound, leading: token)
      : TokenSequence([token] + self)
  }

  /// Some of the tokens, in an array.
  public func values(in range: Range<Int>) -> [Int32] {
    require(range.lowerBound >= 0 && range.upperBound <= count, "tokens \(range) of \(count)")
    let begin = places.lowerBound + range.lowerBound
    return [Int32](unsafeUninitializedCapacity: range.count) { out, filled in
      filled = range.count
      if let leading, range.contains(0) {
        out[0] = leading
        copy(from: begin + 1, to: UnsafeMutableBufferPointer(rebasing: out[1..<range.count]))
      } else {
        copy(from: begin, to: UnsafeMutableBufferPointer(rebasing: out[..<range.count]))
      }
    }
  }

  private func copy(from begin: Int, to out: UnsafeMutableBufferPointer<Int32>) {
    switch store {
    case .memory(let tokens):
      for index in out.indices { out[index] = tokens[begin + index] }
    case .file(let file, isNarrow: true):
      file.withBytes {
        let tokens = $0.assumingMemoryBound(to: UInt16.self)
        for index in out.indices { out[index] = Int32(tokens[begin + index]) }
      }
    case .file(let file, isNarrow: false):
      file.withBytes {
        let tokens = $0.assumingMemoryBound(to: Int32.self)
        for index in out.indices { out[index] = tokens[begin + index] }
      }
    }
  }

  /// Tells the system that some of the tokens have been read and needn't stay in memory.
  public func release(_ range: Range<Int>) {
    guard case .file(let file, let isNarrow) = store else { return }
    let (width, begin) = (isNarrow ? 2 : 4, places.lowerBound)
    file.release((begin + range.lowerBound) * width..<(begin + range.upperBound) * width)
  }
}

extension TokenSequence: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { places.count }

  public subscript(index: Int) -> Int32 {
    require(index >= 0 && index < count, "token \(index) of \(count)")
    if let leading, index == 0 { return leading }
    let place = places.lowerBound + index
    switch store {
    case .memory(let tokens): return tokens[place]
    case .file(let file, isNarrow: true):
      return file.withBytes { Int32($0.load(fromByteOffset: 2 * place, as: UInt16.self)) }
    case .file(let file, isNarrow: false):
      return file.withBytes { $0.load(fromByteOffset: 4 * place, as: Int32.self) }
    }
  }

  /// Goes through all tokens, of which it keeps a few thousand in memory.
  public struct Iterator: IteratorProtocol {
    private let tokens: TokenSequence
    /// The tokens in hand, the place of the first in the whole, and of the next in hand.
    private var block: [Int32] = []
    private var (begin, position) = (0, 0)

    fileprivate init(_ tokens: TokenSequence) { self.tokens = tokens }

    public mutating func next() -> Int32? {
      if position == block.count, !turn() { return nil }
      defer { position += 1 }
      return block[position]
    }

    private mutating func turn() -> Bool {
      let end = begin + block.count
      tokens.release(begin..<end)
      (begin, position) = (end, 0)
      block = tokens.values(in: end..<Swift.min(end + 1 << 14, tokens.count))
      return !block.isEmpty
    }
  }

  public func makeIterator() -> Iterator { Iterator(self) }
}

extension TokenSequence: Equatable, ExpressibleByArrayLiteral {
  public init(arrayLiteral tokens: Int32...) { self.init(tokens) }

  public static func == (a: TokenSequence, b: TokenSequence) -> Bool {
    a.count == b.count && a.elementsEqual(b)
  }
}
