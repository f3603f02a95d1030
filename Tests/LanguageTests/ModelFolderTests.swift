import Foundation
import Interchange
import Language
import Learning
import Tensors
import Testing

@Suite struct ModelFolderTests {
  private static let text = "the fox saw the hunter\nthe hunter saw the fox\n"

  private func folder(_ cell: CellKind, _ unit: TokenUnit, tied: Bool) throws -> ModelFolder {
    let vocabulary = try Vocabulary(unit: unit, building: Array(Self.text.utf8), source: "text")
    let configuration = ModelConfiguration(
      cell: cell, layers: 2, hiddenSize: 9, embeddingSize: tied ? 9 : 6, tied: tied, dropout: 0.25)
    return ModelFolder(
      configuration: configuration, vocabulary: vocabulary,
      model: configuration.model(vocabularySize: vocabulary.count, seed: 3))
  }

  private func files(_ folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) })
  }

  @Test(arguments: CellKind.allCases, [false, true])
  func writingAndReadingIsTheIdentity(cell: CellKind, tied: Bool) throws {
    for unit in TokenUnit.allCases {
      let original = try folder(cell, unit, tied: tied)
      try withTemporaryFolder { temporary in
        let (first, second) = (temporary.appending(path: "a"), temporary.appending(path: "b"))
        try original.write(to: first)
        let read = try ModelFolder(contentsOf: first)
        try read.write(to: second)
        #expect(try files(first) == files(second))
        #expect(read.configuration == original.configuration)
        #expect(read.vocabulary == original.vocabulary)
        var (ours, theirs) = (original.model.predictor(), read.model.predictor())
        for token: Int32 in [0, 1, 3, 1] {
          #expect(ours.logits(after: token) == theirs.logits(after: token))
        }
      }
    }
  }

  @Test(arguments: CellKind.allCases, [false, true])
  func weightsHavePyTorchsNames(cell: CellKind, tied: Bool) throws {
    let original = try folder(cell, .bytes, tied: tied)
    let module = [CellKind.lstm: "lstm", .gru: "gru"][cell] ?? "rnn"
    try withTemporaryFolder { folder in
      try original.write(to: folder)
      let file = try SafetensorsFile(contentsOf: folder.appending(path: "model.safetensors"))
      #expect(file.metadata == ["format": "pt"])
      let gates = [CellKind.lstm: 4, .gru: 3][cell] ?? 1
      var expected = ["embedding.weight": [256, tied ? 9 : 6], "decoder.bias": [256]]
      if !tied { expected["decoder.weight"] = [256, 9] }
      for (layer, inputs) in [tied ? 9 : 6, 9].enumerated() {
        expected["\(module).weight_ih_l\(layer)"] = [gates * 9, inputs]
        expected["\(module).weight_hh_l\(layer)"] = [gates * 9, 9]
        expected["\(module).bias_ih_l\(layer)"] = [gates * 9]
        expected["\(module).bias_hh_l\(layer)"] = [gates * 9]
      }
      let found = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0.shape) })
      #expect(found == expected)
    }
  }

  @Test func whatIsMissingOrDoesNotFitIsNamed() throws {
    let original = try folder(.gru, .characters, tied: false)
    try withTemporaryFolder { temporary in
      let url = temporary.appending(path: "model")
      func sentence(_ change: () throws -> Void) throws -> String {
        try? FileManager.default.removeItem(at: url)
        try original.write(to: url)
        try change()
        do {
          _ = try ModelFolder(contentsOf: url)
          return "no error"
        } catch { return "\(error)" }
      }
      func rewrite(_ file: String, _ old: String, _ new: String) throws {
        let file = url.appending(path: file)
        let text = try String(contentsOf: file, encoding: .utf8)
        let changed = text.replacingOccurrences(of: old, with: new)
        #expect(changed != text)
        try Data(changed.utf8).write(to: file)
      }
      for (file, names) in [
        ("config.json", "config.json"), ("vocabulary.json", "vocabulary.json or tokenizer.json"),
        ("model.safetensors", "model.safetensors"),
      ] {
        let found = try sentence {
          try FileManager.default.removeItem(at: url.appending(path: file))
        }
        #expect(found.hasPrefix("\(url.path) has no \(names), so it isn't a whole model"))
      }
      let vocabulary = url.appending(path: "vocabulary.json").path
      #expect(
        try sentence { try rewrite("vocabulary.json", "\"x\"", "\"\"") }
          .hasPrefix("\(vocabulary) can't be used: token "))
      #expect(try sentence {}.isEmpty == false)
      let config = url.appending(path: "config.json").path
      #expect(
        try sentence { try rewrite("config.json", "\"unfold\"", "\"gpt\"") }
          == "\(config) can't be used: it describes a “gpt”, not a “unfold” model.")
      #expect(
        try sentence { try rewrite("config.json", "\"hidden_size\" : 9", "\"hidden_size\" : 0") }
          == "\(config) can't be used: hidden size must be from 1 to 65536, not 0.")
      #expect(
        try sentence { try rewrite("config.json", "\"hidden_size\" : 9", "\"hidden_size\" : 8") }
          .contains("has shape [27, 6], but the model needs [24, 6]"))
      #expect(
        try sentence { try rewrite("vocabulary.json", "\"x\"", "\"x\",\"z\"") }
          .contains("tokens, but the model was made for"))
      #expect(
        try sentence { try FileManager.default.removeItem(at: url) }
          == "There is no model at \(url.path); give the folder of a model or a run.")
    }
  }

  @Test func theAnswerGoesRightAfterThePrompt() throws {
    let folder = try folder(.lstm, .words, tied: false)
    let answer = try folder.complete("the fox", length: 3, sampling: Sampling(temperature: 0))
    #expect(answer.first == " " || answer.first == "\n")
    #expect(try folder.vocabulary.encode(prompt: "the fox" + answer).count == 5)
  }
}
