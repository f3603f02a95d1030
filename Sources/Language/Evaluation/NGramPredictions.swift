import Foundation
import Learning
import Tensors

extension NGramModel {
  /// As for any model; threads share the text. From a model that isn't normalised, scores that are
  /// no probabilities.
  public func predict(
    _ tokens: TokenSequence, adapting dynamic: DynamicEvaluation?, keepingHidden: Bool,
    progress: (Double) -> Void, visit: (PredictedPart) -> Void
  ) {
    let length = 1 << 17
    for begin in stride(from: 1, to: tokens.count, by: length) {
      let places = begin..<min(begin + length, tokens.count)
      visit(
        PredictedPart(places: places, logProbabilities: logProbabilities(at: places, of: tokens)))
      tokens.release(places)
      progress(Double(places.upperBound) / Double(tokens.count))
    }
  }

  /// As for any model; threads share the texts.
  public func logProbabilities(
    ofEach texts: [[Int32]], progress: (Double) -> Void
  ) -> [[Double]] {
    var all = [[Double]](repeating: [], count: texts.count)
    let (length, piece) = (1 << 12, 1 << 7)
    for begin in stride(from: 0, to: texts.count, by: length) {
      let block = begin..<min(begin + length, texts.count)
      let tokens = texts[block].reduce(0) { $0 + $1.count }
      all.withUnsafeMutableBufferPointer { out in
        nonisolated(unsafe) let out = out
        Compute.forEach((block.count + piece - 1) / piece, work: tokens * 100) { index in
          let first = block.lowerBound + index * piece
          let some = texts[first..<min(first + piece, block.upperBound)]
          for (offset, found) in logProbabilities(ofFew: some).enumerated() {
            out[first + offset] = found
          }
        }
      }
      progress(Double(block.upperBound) / Double(texts.count))
    }
    return all
  }

  private func logProbabilities(ofFew texts: ArraySlice<[Int32]>) -> [[Double]] {
    var (begins, tokens) = ([Int](), [Int32]())
    tokens.reserveCapacity(texts.reduce(0) { $0 + $1.count })
    for text in texts where !text.isEmpty {
      begins.append(tokens.count)
      tokens += text
    }
    let scores = scores(of: tokens, begins: begins)
    var begin = 0
    return texts.map { text in
      defer { begin += text.count }
      return text.isEmpty
        ? [] : scores[begin + 1..<begin + text.count].map { Double($0) * log(10) }
    }
  }

  private func logProbabilities(at places: Range<Int>, of tokens: TokenSequence) -> [Double] {
    let length = 1 << 14
    return [Double](unsafeUninitializedCapacity: places.count) { out, count in
      nonisolated(unsafe) let out = out
      Compute.forEach((places.count + length - 1) / length, cost: length * 100) { piece in
        let begin = places.lowerBound + piece * length
        let end = min(begin + length, places.upperBound)
        // What stands before a piece is read again; but for the last N − 1 tokens it doesn't matter.
        let first = max(0, begin - max(order - 1, 1))
        let found = scores(ofLast: end - begin, of: tokens.values(in: first..<end))
        for (index, score) in found.enumerated() {
          out[begin - places.lowerBound + index] = Double(score) * log(10)
        }
      }
      count = places.count
    }
  }
}
