import Foundation
import Unfold

/// Completes a prompt with a trained model: the folder of a model or of a training run.
///
/// The model reads the prompt, then draws token after token from its predictions and reads each in
/// turn. The same seed gives the same text.
///
///     let text = try completePrompt("the hunter", withModelIn: URL(filePath: "runs/toy"))
///
/// - Parameter length: how many tokens to write.
/// - Returns: the prompt and what follows it.
/// - Throws: an error whose description says what is wrong with the folder, or which part of the
///   prompt the model doesn't know.
public func completePrompt(
  _ prompt: String, withModelIn folder: URL, length: Int = 100, seed: UInt64 = 1
) throws -> String {
  let model = try ModelFolder(contentsOf: folder)
  let sampling = Sampling(temperature: 0.8, topP: 0.95)
  return prompt + (try model.complete(prompt, length: length, sampling: sampling, seed: seed))
}
