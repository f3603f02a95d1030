import ArgumentParser
import Foundation
import Interchange
import Language
import Learning

/// How a model follows the text that it is evaluated on.
struct AdaptationOptions: ParsableArguments {
  @Option(
    help: """
      Go on learning from the text: sgd:rate=X,decay=X,segment=N or rms:… (Krause et al. 2018). \
      What isn't said has a default.
      """)
  var dynamic: String?
  @Option(
    help: """
      A text like the training text, which must not be FILE, for the sizes of gradients that \
      --dynamic rms needs; with --split its train part.
      """,
    completion: .file())
  var statistics: String?
  @Option(
    help: """
      Let words that have come lately come again: continuous:window=N,theta=X,lambda=X, for \
      recurrent models (Grave et al. 2017), or unigram:window=N,lambda=X.
      """)
  var cache: String?
  @Option(
    help: """
      Find the parameters of --dynamic and --cache on this text, which must not be FILE; with \
      --split on its valid part. Those of --cache are found on its first \
      \(EvaluationTuning.tokensForCache.grouped) tokens.
      """,
    completion: .file())
  var tune: String?
  @Option(help: "Find those of --dynamic on so many tokens of that text.") var tuneTokens = 20_000
  @Option(
    help: "The file where --tune writes what it finds; without --tune, from where it is read.",
    completion: .file(extensions: ["json"]))
  var settings: String?

  var isGiven: Bool {
    [dynamic, cache, tune, settings, statistics].contains { $0 != nil }
  }

  func validate() throws {
    do {
      _ = try (dynamic.map { try DynamicEvaluation($0) }, cache.map { try ContinuousCache($0) })
    } catch {
      throw ValidationError("\(error).")
    }
    guard tuneTokens > 1 else {
      throw ValidationError("--tune-tokens must be at least 2, not \(tuneTokens).")
    }
    if statistics != nil, settings == nil, dynamic?.hasPrefix("rms") != true {
      throw ValidationError("--statistics is for --dynamic rms.")
    }
    if tune != nil, dynamic == nil, cache == nil {
      throw ValidationError("--tune finds parameters for --dynamic or --cache; give one of them.")
    }
    if settings != nil, tune == nil, dynamic != nil || cache != nil {
      throw ValidationError("--settings brings its own --dynamic and --cache; leave those out.")
    }
  }

  /// The evaluation that is meant; tuned, if that is asked for.
  func evaluation(of model: AnyModel, name: String, parts: PartOptions) throws -> Evaluation {
    var evaluation = Evaluation(
      dynamic: try dynamic.map { try DynamicEvaluation($0) },
      cache: try cache.map { try ContinuousCache($0) })
    if let settings, tune == nil {
      evaluation = try Evaluation(contentsOf: URL(filePath: settings))
    }
    if model.model.hiddenSize == nil {
      if evaluation.dynamic != nil { throw EvaluationError.noWeights(model: name) }
      if let cache = evaluation.cache, cache.theta > 0 {
        throw EvaluationError.noHiddenStates(model: name)
      }
    }
    if let dynamic = evaluation.dynamic, dynamic.method == .rms {
      guard let statistics else { throw EvaluationError.statisticsMissing }
      // Gradients are those of whole segments.
      evaluation.dynamic?.statisticsText = try tokens(
        of: statistics, model.vocabulary, .train, parts, minimumTokens: dynamic.segment + 1)
    }
    guard let tune else { return evaluation }
    if let settings { try AtomicFile.check(URL(filePath: settings)) }
    return try tuned(evaluation, model, on: tokens(of: tune, model.vocabulary, .valid, parts))
  }

  /// A text, or with --split the part of it that is kept for such use.
  private func tokens(
    of path: String, _ vocabulary: Vocabulary, _ part: Corpus.Part, _ parts: PartOptions,
    minimumTokens: Int = 2
  ) throws -> TokenSequence {
    var parts = parts
    parts.part = parts.split == nil ? nil : part
    return try parts.tokens(
      of: SourceText(path: path), vocabulary, minimumTokens: minimumTokens
    ).tokens
  }

  private func tuned(
    _ evaluation: Evaluation, _ model: AnyModel, on tokens: TokenSequence
  ) throws -> Evaluation {
    var progress = ProgressLine()
    let tuning = EvaluationTuning(
      model.model, on: tokens, tokensForDynamic: tuneTokens,
      progress: { progress.show("tuning: \(($0 * 100).text(0)) % of a trial") },
      report: { trial in
        progress.clear()
        Console.say("\(trial.evaluation): perplexity \(trial.result.perplexity.text(3))")
      })
    let best = tuning.best(from: evaluation)
    progress.clear()
    guard best.result.totalNats.isFinite else {
      // Only a model that learns can have unlearned.
      guard evaluation.dynamic != nil else { throw PredictionError.notNumbers(model: model.name) }
      throw EvaluationError.diverged(evaluation.description)
    }
    Console.say("Best on \(best.result.tokens.grouped) tokens: \(best.evaluation)")
    if let settings { try best.evaluation.write(to: URL(filePath: settings)) }
    return best.evaluation
  }
}
