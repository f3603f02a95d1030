import Foundation
import Learning

/// All settings of a training run: with the text, they determine the result.
public struct RunSettings: Codable, Sendable, Equatable {
  public var model: ModelConfiguration
  public var training: TrainingConfiguration
  public var text: TextSettings
  /// The seed of the weights, of dropout, of samples, and of the toy language's text.
  public var seed: UInt64

  public init(
    model: ModelConfiguration, training: TrainingConfiguration, text: TextSettings, seed: UInt64
  ) {
    self.model = model
    self.training = training
    self.text = text
    self.seed = seed
  }
}

/// Which text a model is trained and validated on.
public struct TextSettings: Codable, Sendable, Equatable {
  /// The files, one after the other; none for the built-in toy language, `-` for standard input.
  public var files: [String]
  /// A file to validate on; then all of `files` is for training.
  public var validationFile: String?
  /// How `files` is split by position, in percent: training, validation, test.
  public var split: String
  /// Which tokens it becomes; its keys stand beside those above.
  public var vocabulary: VocabularySettings

  enum CodingKeys: String, CodingKey {
    case files, split
    case validationFile = "validation_file"
  }

  public init(
    files: [String], validationFile: String? = nil, split: String = "90,10",
    vocabulary: VocabularySettings
  ) {
    self.files = files
    self.validationFile = validationFile
    self.split = split
    self.vocabulary = vocabulary
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    files = try container.decode([String].self, forKey: .files)
    validationFile = try container.decodeIfPresent(String.self, forKey: .validationFile)
    split = try container.decode(String.self, forKey: .split)
    vocabulary = try VocabularySettings(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(files, forKey: .files)
    try container.encodeIfPresent(validationFile, forKey: .validationFile)
    try container.encode(split, forKey: .split)
    try vocabulary.encode(to: encoder)
  }

  public var unit: TokenUnit { vocabulary.unit }
}
