import Foundation

extension Vocabulary {
  /// Where in a text of words its tokens end, one place for each token that `encode` makes: in bytes
  /// from the beginning, after a word's last byte, or after the line feed that ends a line. The end of
  /// a last line without a line feed is nowhere: `Int.max`.
  ///
  /// - Precondition: words, and a text that `encode` takes.
  package func wordEnds(in text: Data) throws -> [Int] {
    var scanner = WordScanner(splitting)
    var ends: [Int] = []
    try text.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var end = 0
      try scanner.read(bytes) { word in
        if let word, let start = word.baseAddress {
          end = start - base + word.count
        } else {
          // White space may stand before it.
          while bytes[end] != 0x0A { end += 1 }
          end += 1
        }
        ends.append(end)
      }
    }
    scanner.closeLastLine { _ in ends.append(.max) }
    return ends
  }
}
