import Foundation

/// Writes scalars and histograms that TensorBoard shows: `tensorboard --logdir runs`.
///
/// A log that goes on after a step cuts what older ones have beyond it, and whatever a killed process
/// left half-written, and begins a file of its own, as a TensorBoard that is looking on expects.
///
/// - SeeAlso: TensorFlow's `event.proto` and `summary.proto`.
public final class TensorBoardLog {
  public enum Value: Sendable {
    case scalar(Double)
    case histogram(Histogram)
  }

  /// How numbers are spread, by ranges.
  public struct Histogram: Sendable {
    public var smallest, largest, count, sum, sumOfSquares: Double
    /// Where each range ends, and how many numbers are in it.
    public var upperEdges, counts: [Double]

    public init(
      smallest: Double, largest: Double, count: Double, sum: Double, sumOfSquares: Double,
      upperEdges: [Double], counts: [Double]
    ) {
      (self.smallest, self.largest, self.count) = (smallest, largest, count)
      (self.sum, self.sumOfSquares) = (sum, sumOfSquares)
      (self.upperEdges, self.counts) = (upperEdges, counts)
    }
  }

  /// The file that this log writes.
  public let url: URL
  /// The record that begins the file, until it is written with the first that is added.
  private var head: [UInt8]
  /// In the names of files, where TensorFlow has the host's: so that others' files are left alone.
  private static let writer = ".unfold."

  /// - Parameter step: of what the folder's logs hold already, steps up to this one are kept.
  /// - Throws: ``FileError``.
  public init(in folder: URL, after step: Int, at time: Date = Date()) throws {
    for file in Self.files(in: folder) { try Self.cut(file, after: step) }
    let stem = "events.out.tfevents.\(Int(time.timeIntervalSince1970))\(Self.writer)\(getpid())"
    let names = (0...).lazy.map { folder.appending(path: "\(stem).\($0)") }
    url =
      names.first { !FileManager.default.fileExists(atPath: $0.path) }
      ?? folder.appending(path: stem)
    var head = Self.event(time)
    head.add(3, text: "brain.Event:2")
    self.head = TensorBoardRecord.framed(head.bytes)
  }

  /// Appends what was measured after a step.
  ///
  /// - Throws: ``FileError``.
  public func add(
    _ values: [(tag: String, value: Value)], step: Int, at time: Date = Date()
  ) throws(FileError) {
    var summary = ProtobufMessage()
    for (tag, value) in values { summary.add(1, Self.encoded(tag, value)) }
    var event = Self.event(time)
    event.add(2, integer: step)
    event.add(5, summary)
    try Folder.append(head + TensorBoardRecord.framed(event.bytes), to: url)
    head = []
  }

  // MARK: Encoding

  private static func event(_ time: Date) -> ProtobufMessage {
    var event = ProtobufMessage()
    event.add(1, double: time.timeIntervalSince1970)
    return event
  }

  private static func encoded(_ tag: String, _ value: Value) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(1, text: tag)
    switch value {
    case .scalar(let number): message.add(2, float: Float(number))
    case .histogram(let histogram):
      var body = ProtobufMessage()
      body.add(1, double: histogram.smallest)
      body.add(2, double: histogram.largest)
      body.add(3, double: histogram.count)
      body.add(4, double: histogram.sum)
      body.add(5, double: histogram.sumOfSquares)
      body.add(6, packed: histogram.upperEdges)
      body.add(7, packed: histogram.counts)
      message.add(5, body)
    }
    return message
  }

  // MARK: Older files

  private static func files(in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasPrefix("events.out.tfevents.") && $0.contains(writer) }
      .map { folder.appending(path: $0) }
  }

  private static func cut(_ url: URL, after step: Int) throws {
    guard let data = try? Data(contentsOf: url) else { return }
    let file = [UInt8](data)
    let kept = TensorBoardRecord.prefix(of: file) { record in
      (ProtobufMessage.integer(2, in: record) ?? 0) <= step
    }
    if kept < file.count {
      try AtomicFile.write(to: url) { try $0.write(Array(file[..<kept])) }
    }
  }
}
