import Foundation
import Language
import Learning
import Recurrence
import Tensors

/// A tensor as the fixtures, results of PyTorch, hold it.
struct SavedTensor: Decodable {
  var shape: [Int]
  var values: [Float]
  var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
}

/// What a fixture of this name holds.
func fixture<Contents: Decodable>(_ name: String) throws -> Contents {
  let path = Bundle.module.bundleURL.appending(path: "Fixtures/\(name).json")
  return try JSONDecoder().decode(Contents.self, from: Data(contentsOf: path))
}

/// The largest difference between two tensors; NaN if their shapes differ.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  guard a.shape == b.shape else { return .nan }
  return zip(a.values, b.values).map { abs($0 - $1) }.reduce(0) { $1 > $0 || $1.isNaN ? $1 : $0 }
}

/// Tokens without a pattern.
func randomTokens(_ count: Int, classes: Int, seed: UInt64) -> [Int32] {
  var generator = Philox(seed: seed)
  return (0..<count).map { _ in Int32(generator.next() % UInt64(classes)) }
}

/// A small model with fresh weights, in memory.
func smallModel(
  _ cell: CellKind = .lstm, vocabularySize: Int, layers: Int = 2, tied: Bool = false,
  seed: UInt64 = 1
) -> any RecurrentModel {
  ModelConfiguration(cell: cell, layers: layers, hiddenSize: 9, tied: tied)
    .model(vocabularySize: vocabularySize, seed: seed)
}

/// Predicts with prescribed logits, whatever has come before.
struct FixedModel: LanguageModel, Predictor {
  var fixed: [Float]

  var vocabularySize: Int { fixed.count }
  func crossEntropy(
    of tokens: TokenSequence, streams: Int, progress: (Double) -> Void
  ) -> CrossEntropy { CrossEntropy() }
  func predictor() -> any Predictor { self }
  mutating func logits(after token: Int32) -> [Float] { fixed }
}

/// Predicts a text that repeats itself with certainty: the token at place i is followed by that at
/// place i + 1, however it got there.
struct ScriptedModel: LanguageModel {
  let script: [Int32]
  let vocabularySize: Int

  func crossEntropy(
    of tokens: TokenSequence, streams: Int, progress: (Double) -> Void
  ) -> CrossEntropy { CrossEntropy() }
  func predictor() -> any Predictor { Reader(model: self) }

  private struct Reader: Predictor {
    let model: ScriptedModel
    var place = 0

    mutating func logits(after token: Int32) -> [Float] {
      var logits = [Float](repeating: -.infinity, count: model.vocabularySize)
      logits[Int(model.script[place % model.script.count])] = 0
      place += 1
      return logits
    }
  }
}

/// What is asked about a text, for texts in arrays.
extension LanguageModel {
  func crossEntropy(
    of tokens: [Int32], streams: Int, progress: (Double) -> Void
  ) -> CrossEntropy {
    crossEntropy(of: TokenSequence(tokens), streams: streams, progress: progress)
  }

  func logProbabilities(of tokens: [Int32]) -> [Double] {
    logProbabilities(of: TokenSequence(tokens))
  }
}

extension Evaluation {
  func crossEntropy(of tokens: [Int32], by model: any LanguageModel) -> CrossEntropy {
    crossEntropy(of: TokenSequence(tokens), by: model)
  }

  func logProbabilities(of tokens: [Int32], by model: any LanguageModel) -> [Double] {
    logProbabilities(of: TokenSequence(tokens), by: model)
  }
}

/// Calls `body` with a new, empty folder, and removes it afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "language-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
