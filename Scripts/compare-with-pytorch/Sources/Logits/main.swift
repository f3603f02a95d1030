// Writes the tokens of a text, and a model's logits after each of them, as a safetensors file.
//
//     Logits MODEL TEXT OUT.safetensors

import Foundation
import Unfold

let paths = CommandLine.arguments.dropFirst().map { URL(filePath: $0) }
guard paths.count == 3 else { fatalError("usage: Logits MODEL TEXT OUT.safetensors") }
let folder = try ModelFolder(contentsOf: paths[0])
let corpus = try Corpus(contentsOf: [paths[1]], vocabulary: folder.vocabulary)
let tokens = folder.vocabulary.withContext(corpus.tokens)
var predictor = folder.model.predictor()
let logits = tokens.flatMap { predictor.logits(after: $0) }
try SafetensorsFile.write(
  [
    ("tokens", Tensor(tokens.map { Float($0) }, shape: [tokens.count])),
    ("logits", Tensor(logits, shape: [tokens.count, folder.vocabulary.count])),
  ], to: paths[2])
