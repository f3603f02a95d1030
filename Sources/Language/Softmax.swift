import Learning

/// What makes the readout of a large vocabulary affordable. Both need tokens that are numbered by
/// falling frequency, as words are; perplexities are exact with either.
public enum Softmax: Codable, Sendable, Equatable {
  /// Rare words in clusters, with smaller vectors: another model. See ``AdaptiveSoftmax``.
  ///
  /// With nil, cutoffs that suit the vocabulary.
  case adaptive(cutoffs: [Int]? = nil)
  /// The same model, of which a step of training computes so many words only. See
  /// ``SampledSoftmax``.
  case sampled(samples: Int)

  /// A fifteenth of the vocabulary and a fifth: of 267,735 words 17,849 and 53,547, about the 20,000
  /// and 60,000 that fairseq has for WikiText-103.
  public static func cutoffs(vocabularySize: Int) -> [Int] {
    [vocabularySize / 15, vocabularySize / 5]
  }

  var samples: Int? { if case .sampled(let samples) = self { samples } else { nil } }

  /// - Throws: if no such model can be made, whatever the vocabulary.
  func validate(for model: ModelConfiguration) throws(SettingError) {
    switch self {
    case .sampled(let samples):
      guard samples > 0 else {
        throw .outOfRange(setting: "samples", legal: "at least 1", found: "\(samples)")
      }
    case .adaptive(let cutoffs):
      guard !model.tied else {
        throw .outOfRange(
          setting: "softmax with tied weights",
          legal: "full or sampled, since an adaptive one has vectors of several sizes",
          found: "adaptive")
      }
      if let cutoffs {
        guard let first = cutoffs.first, first > 0,
          zip(cutoffs, cutoffs.dropFirst()).allSatisfy({ $0 < $1 })
        else {
          throw .outOfRange(
            setting: "cutoffs", legal: "one rising number or more, from 1 up",
            found: cutoffs.map(String.init).joined(separator: ","))
        }
      }
      let count = cutoffs?.count ?? 2
      guard AdaptiveSoftmax.size(ofCluster: count - 1, inputSize: model.hiddenSize) > 0 else {
        throw .outOfRange(
          setting: "hidden size for \(count) cutoffs",
          legal: "at least 4 to the power of \(count), since each quarters the size of words",
          found: "\(model.hiddenSize)")
      }
    }
  }

  /// - Throws: if the vocabulary isn't one for it.
  func validate(for vocabulary: Vocabulary) throws(SettingError) {
    guard vocabulary.unit == .words else {
      throw .outOfRange(
        setting: "softmax of \(vocabulary.unit.rawValue)",
        legal: "full, since they aren't numbered by frequency",
        found: samples == nil ? "adaptive" : "sampled")
    }
    let count = vocabulary.count
    switch self {
    case .sampled(let samples):
      guard samples < count else {
        throw .outOfRange(
          setting: "samples", legal: "below the \(count) words of the vocabulary",
          found: "\(samples)")
      }
    case .adaptive(let cutoffs):
      guard cutoffs != nil || count >= 15 else {
        throw .outOfRange(
          setting: "vocabulary of an adaptive softmax without given cutoffs",
          legal: "at least 15 words large", found: "\(count)")
      }
      if let last = cutoffs?.last, last >= count {
        throw .outOfRange(
          setting: "cutoffs", legal: "below the \(count) words of the vocabulary",
          found: "\(last)")
      }
    }
  }
}

extension RunSettings {
  /// These settings, with the cutoffs of an adaptive softmax made definite.
  ///
  /// - Throws: if the vocabulary isn't one for them.
  func fitted(to vocabulary: Vocabulary) throws(SettingError) -> RunSettings {
    try model.softmax?.validate(for: vocabulary)
    var settings = self
    if case .adaptive(nil) = model.softmax {
      settings.model.softmax = .adaptive(
        cutoffs: Softmax.cutoffs(vocabularySize: vocabulary.count))
    }
    return settings
  }
}
