import Foundation
import Interchange
import Testing

@Suite struct SHA256Tests {
  /// FIPS 180-4 examples, and the digest of nothing.
  static let vectors = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ]

  @Test(arguments: vectors) func agreesWithPublishedVectors(text: String, digest: String) throws {
    var hash = SHA256()
    Array(text.utf8).withUnsafeBytes { hash.update(bytes: $0) }
    #expect(hash.finalize() == digest)
  }

  /// Pieces of 1 to 130 bytes meet every fill of the 64-byte block.
  @Test func piecesHashLikeTheWhole() {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
    var whole = SHA256()
    bytes.withUnsafeBytes { whole.update(bytes: $0) }
    for size in 1...130 {
      var pieces = SHA256()
      bytes.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: size) {
          let piece = bytes[start..<min(start + size, bytes.count)]
          pieces.update(bytes: UnsafeRawBufferPointer(rebasing: piece))
        }
      }
      #expect(pieces.finalize() == whole.finalize(), "pieces of \(size)")
    }
  }

  @Test func hashesFiles() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("abc")
      try Data("abc".utf8).write(to: url)
      #expect(try SHA256.hash(of: url) == Self.vectors[1].1)
    }
  }
}
