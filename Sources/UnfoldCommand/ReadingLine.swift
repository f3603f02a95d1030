import Language
import Plots

/// Shows how far the reading of large texts has come, how fast it goes, and how long it will take.
struct ReadingLine {
  private var line = ProgressLine()
  private let clock = ContinuousClock()
  private var work: ReadingProgress.Work?
  private var begin: ContinuousClock.Instant?

  /// As many bytes as are read before anybody wonders.
  private static let noticeable = 1 << 24

  mutating func show(_ progress: ReadingProgress) {
    guard progress.total >= Self.noticeable else { return }
    if work != progress.work { (work, begin) = (progress.work, clock.now) }
    let seconds = begin.map { $0.duration(to: clock.now) / .seconds(1) } ?? 0
    line.show(Self.text(progress, seconds: seconds))
    if progress.done == progress.total { line.clear() }
  }

  private static func text(_ progress: ReadingProgress, seconds: Double) -> String {
    let what = progress.work == .vocabulary ? "collecting tokens" : "encoding"
    let (done, total) = (Double(progress.done), Double(progress.total))
    let left = seconds / max(done, 1) * (total - done)
    return "\(what): \((done / total * 100).text(0)) %  "
      + "\((done / max(seconds, 1e-3) / 0x1p20).text(0)) MiB/s  \(left.durationText) left"
  }
}

extension Corpus {
  /// Encodes texts; a line shows how far it has come.
  init(
    showing texts: [SourceText], vocabulary: Vocabulary, minimumTokens: Int = 2
  ) throws {
    var line = ReadingLine()
    try self.init(texts, vocabulary: vocabulary, minimumTokens: minimumTokens) { line.show($0) }
  }
}
