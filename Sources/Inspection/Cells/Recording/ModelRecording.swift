import Foundation
import Language
import Learning
import Recurrence
import Tensors

/// What a language model did while it read a text: the recording of its units, how well it
/// predicted, and its predictions in an excerpt.
public struct ModelRecording: Sendable {
  public let units: UnitRecording
  /// Over all tokens but the first.
  public let crossEntropy: CrossEntropy
  /// The tokens that pictures show.
  public let excerpt: Range<Int>
  /// For each token of the excerpt, the likeliest next ones, the likeliest first.
  public let predictions: [[Prediction]]

  /// A token that may come next.
  public struct Prediction: Sendable, Equatable {
    public let token: Int32
    public let probability: Float
  }

  /// Tokens that a stream reads before it is recorded, to have a past.
  static let warmUp = 256

  /// How many units of a model are recorded: two bytes each for every token.
  public static func unitCount<Model: RecurrentModel>(of model: Model) -> Int {
    let window = Window(steps: 1, batch: 1, inputs: [0], targets: [0])
    return model.traced(window, from: nil).layers.reduce(0) { count, trace in
      count + (UnitRecorder.signal(of: trace).map(UnitRecorder.unitCount) ?? 0)
    }
  }

  /// Reads a text.
  ///
  /// - Parameters:
  ///   - streams: into how many streams the text may be cut, each begun 256 tokens earlier; more
  ///     are faster, 1 is exact.
  ///   - signal: what of the units is recorded: see `UnitRecorder`.
  ///   - progress: gets the fraction that is done, window by window.
  /// - Throws: ``RecordingError``.
  public static func record<Model: RecurrentModel>(
    _ model: Model, reading text: InspectedText, excerpt: Range<Int>, streams: Int = 32,
    signal: String? = nil, progress: (Double) -> Void = { _ in }
  ) throws -> ModelRecording {
    let tokens = text.tokens
    let reading = StreamedReading(
      tokens, recording: tokens.indices, streams: streams, warmUp: warmUp)
    let recorder = UnitRecorder(positions: tokens.count, signal: signal)
    var total = CrossEntropy()
    var predictions = [[Prediction]](repeating: [], count: excerpt.count)
    var read = 0
    reading.read(model) { step in
      recorder.append(step.layers, starts: step.starts, recorded: reading.streams)
      let (rows, size) = step.hidden.shape.asMatrix
      let hidden = step.hidden.reshaped([rows, size])
      total += crossEntropy(of: hidden, model, step, reading, tokens)
      var shown: [(row: Int32, place: Int)] = []
      step.forEachRecorded(in: reading) { row, position in
        read += 1
        if excerpt.contains(position) {
          shown.append((Int32(row), position - excerpt.lowerBound))
        }
      }
      // A few at a time, for large vocabularies.
      for start in stride(from: 0, to: shown.count, by: 64) {
        let part = shown[start..<min(start + 64, shown.count)]
        let logits = model.logits(of: hidden.gathering(part.map { $0.row }))
        for (row, shown) in part.enumerated() {
          predictions[shown.place] = likeliest(5, of: logits, row: row)
        }
      }
      progress(Double(read) / Double(tokens.count))
    }
    let units = try recorder.finish()
    guard total.totalNats.isFinite else { throw RecordingError.noPredictions }
    return ModelRecording(
      units: units, crossEntropy: total, excerpt: excerpt,
      predictions: predictions)
  }

  private static func crossEntropy(
    of hidden: Tensor, _ model: some RecurrentModel, _ step: StreamedReading.Step,
    _ reading: StreamedReading, _ tokens: [Int32]
  ) -> CrossEntropy {
    var rows: [Int32] = []
    var targets: [Int32] = []
    step.forEachRecorded(in: reading) { row, position in
      guard position + 1 < tokens.count else { return }
      rows.append(Int32(row))
      targets.append(tokens[position + 1])
    }
    guard !rows.isEmpty else { return CrossEntropy() }
    let each = model.logProbabilities(of: targets, from: hidden.gathering(rows))
    return CrossEntropy(totalNats: -each.reduce(0, +), tokens: rows.count)
  }

  /// The likeliest tokens by a row of logits.
  static func likeliest(_ count: Int, of logits: Tensor, row: Int) -> [Prediction] {
    let classes = logits.shape[-1]
    return logits.withValues { values in
      let row = values[row * classes..<(row + 1) * classes]
      var best: [Int] = []
      for index in row.indices {
        if best.count == count, row[index] <= row[best[count - 1]] { continue }
        let place = best.firstIndex { row[$0] < row[index] } ?? best.count
        best.insert(index, at: place)
        if best.count > count { best.removeLast() }
      }
      guard let top = best.first.map({ row[$0] }) else { return [] }
      let sum = row.reduce(0) { $0 + exp($1 - top) }
      return best.map {
        Prediction(token: Int32($0 - row.startIndex), probability: exp(row[$0] - top) / sum)
      }
    }
  }
}

extension StreamedReading.Step {
  /// The rows t·B + b of this window that are recorded, and their positions.
  func forEachRecorded(
    in reading: StreamedReading, _ body: (_ row: Int, _ position: Int) -> Void
  ) {
    for step in 0..<steps {
      for (stream, start) in starts.enumerated()
      where reading.streams[stream].contains(start + step) {
        body(step * starts.count + stream, start + step)
      }
    }
  }
}
