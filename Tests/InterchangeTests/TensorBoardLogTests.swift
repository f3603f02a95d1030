import Foundation
import Interchange
import Testing

@Suite struct TensorBoardLogTests {
  // As TensorBoard 2.21 writes them (`record_writer.py`), from its own messages: the beginning of a
  // file, a scalar and a histogram.
  private static let head = """
    1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c
    """
  private static let scalar = """
    1b000000000000001a0d9e1309000000000000004010ac022a0d0a0b0a046c6f7373150000803e2fb3dff0
    """
  private static let histogram = """
    6600000000000000723b876a09000000000000004010ad022a580a560a01772a5109000000000000f0bf11000000000000\
    f03f19000000000000084021000000000000e03f29000000000000024032100000000000000000000000000000f03f3a10\
    000000000000f03f000000000000004046c20130
    """

  private func hex(_ url: URL) throws -> String {
    try Data(contentsOf: url).map { String(format: "%02x", $0) }.joined()
  }

  private func log(in folder: URL, after step: Int = 0) throws -> TensorBoardLog {
    try TensorBoardLog(in: folder, after: step, at: Date(timeIntervalSince1970: 1.5))
  }

  /// RFC 3720 has this value for the digits, and 8A9136AA for 32 zeros.
  @Test func theCheckIsCastagnolis() {
    #expect(CRC32C.of(Array("123456789".utf8)[...]) == 0xE306_9283)
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
  }

  @Test func theFileIsWhatTensorBoardWrites() throws {
    try withTemporaryFolder { folder in
      let log = try log(in: folder)
      let time = Date(timeIntervalSince1970: 2)
      try log.add([("loss", .scalar(0.25))], step: 300, at: time)
      let histogram = TensorBoardLog.Histogram(
        smallest: -1, largest: 1, count: 3, sum: 0.5, sumOfSquares: 2.25, upperEdges: [0, 1],
        counts: [1, 2])
      try log.add([("w", .histogram(histogram))], step: 301, at: time)
      #expect(try hex(log.url) == Self.head + Self.scalar + Self.histogram)
    }
  }

  @Test func aLogThatGoesOnCutsWhatCameLater() throws {
    try withTemporaryFolder { folder in
      let first = try log(in: folder)
      for step in [100, 300, 301, 400] { try first.add([("loss", .scalar(1))], step: step) }
      let whole = try Data(contentsOf: first.url)
      let second = try log(in: folder, after: 300)
      let kept = try Data(contentsOf: first.url)
      #expect(kept.count < whole.count && whole.starts(with: kept))
      // 36 + the records of steps 100 and 300; step 100 needs a byte less.
      #expect(kept.count == 40 + 42 + 43)
      try second.add([("loss", .scalar(1))], step: 301)
      #expect(second.url != first.url)
      #expect(try names(in: folder).count == 2)
    }
  }

  @Test(arguments: [1, 20, 41, 60]) func whatAKilledProcessLeftIsCutOff(missing: Int) throws {
    try withTemporaryFolder { folder in
      let first = try log(in: folder)
      for step in [1, 2, 3] { try first.add([("loss", .scalar(1))], step: step) }
      let whole = try Data(contentsOf: first.url)
      try whole.dropLast(missing).write(to: first.url)
      _ = try log(in: folder, after: 10)
      let records = missing <= 42 ? 2 : 1
      #expect(try Data(contentsOf: first.url) == whole.prefix(40 + 42 * records))
    }
  }

  @Test func aDamagedRecordEndsTheFile() throws {
    try withTemporaryFolder { folder in
      let first = try log(in: folder)
      for step in [1, 2, 3] { try first.add([("loss", .scalar(1))], step: step) }
      let whole = try Data(contentsOf: first.url)
      for place in [40 + 42, 40 + 42 + 9, 40 + 42 + 30, 40 + 42 + 41] {
        var damaged = whole
        damaged[place] ^= 4
        try damaged.write(to: first.url)
        _ = try log(in: folder, after: 10)
        #expect(try Data(contentsOf: first.url) == whole.prefix(40 + 42))
      }
    }
  }

  @Test func filesOfOthersAreLeftAlone() throws {
    try withTemporaryFolder { folder in
      let other = folder.appending(path: "events.out.tfevents.1700000000.host.1.0")
      try Data("not ours".utf8).write(to: other)
      _ = try log(in: folder, after: 0)
      #expect(try Data(contentsOf: other) == Data("not ours".utf8))
    }
  }
}
