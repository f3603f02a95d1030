/// Why a model can't be evaluated in some way.
public enum EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  case noHiddenStates(model: String)
  case noWeights(model: String)
  case statisticsMissing
  case diverged(String)
  case damagedSettings(file: String, reason: String? = nil)

  public var description: String {
    switch self {
    case .noHiddenStates(let model):
      "\(model) has no hidden states for a continuous cache to compare; use --cache unigram."
    case .noWeights(let model):
      "\(model) has no weights that could follow the text, so --dynamic is only for recurrent models."
    case .statisticsMissing:
      "--dynamic rms needs --statistics with a text like the training text, for the gradients' sizes."
    case .diverged(let settings):
      "Dynamic evaluation with \(settings) diverged; choose a lower rate, or let --tune find one."
    case .damagedSettings(let file, nil):
      "\(file) holds no settings of an evaluation; let --tune write them anew."
    case .damagedSettings(let file, let reason?):
      "\(file) can't be used: \(reason); let --tune write it anew."
    }
  }
}
