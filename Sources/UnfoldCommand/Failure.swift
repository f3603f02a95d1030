import ArgumentParser
import Foundation
import Inspection
import Interchange
import Language
import Learning
import Tensors

/// A subcommand whose errors become one sentence on standard error and a proper exit code.
protocol UnfoldSubcommand: ParsableCommand {
  func execute() throws
}

extension UnfoldSubcommand {
  func run() throws {
    do {
      try Compute.checkEnvironment()
      try execute()
    } catch let error where error is ExitCode || error is ValidationError || error is CleanExit {
      throw error
    } catch let error as OutputError where error.readerHasLeft {
      throw ExitCode(128 + SIGPIPE)
    } catch {
      Console.say("unfold: \(sentence(for: error))")
      throw ExitCode(systemCode(for: error))
    }
  }
}

private func sentence(for error: any Error) -> String {
  // Foundation's errors describe themselves at length; ours in a sentence.
  let text = error is CocoaError ? error.localizedDescription : "\(error)"
  return text.hasSuffix(".") ? text : text + "."
}

/// Exit codes as in sysexits.
private func systemCode(for error: any Error) -> Int32 {
  let (usage, data, noInput, cantCreate, cantWrite): (Int32, Int32, Int32, Int32, Int32) =
    (64, 65, 66, 73, 74)
  switch error {
  case is SettingError, is TooLargeForMemory, is EnvironmentError: return usage
  case is OutputError: return cantWrite
  case let error as CorpusError:
    switch error {
    case .missing, .folder, .unreadable: return noInput
    case .invalidSplit, .emptyPart: return usage
    case .empty, .tooShort, .onlyUnknown: return data
    }
  case let error as ModelFolderError:
    switch error {
    case .missing, .noModelYet: return noInput
    case .noFolder, .incomplete, .damaged: return data
    }
  case let error as RunError:
    switch error {
    case .holdsRun, .holdsModel: return cantCreate
    case .holdsNoRun, .textWasStandardInput: return noInput
    case .damaged: return data
    case .stopped(let error, _): return fileCode(error)
    }
  case let error as CheckpointError:
    if case .none = error { return noInput }
    return data
  case let error as FileError: return fileCode(error)
  case SafetensorsError.unreadable(let error): return fileCode(error)
  case let error as RecipeError:
    switch error {
    case .unknown: return usage
    case .unreadable: return noInput
    case .damaged: return data
    }
  case let error as NGramError:
    switch error {
    case .unknownSmoothing, .invalidPruning: return usage
    case .reservedWord, .zeroByte, .onlyUnknownWords, .noText, .tooMuchText: return data
    }
  case is ARPAError, is NGramFileError: return data
  case let error as MixtureError:
    if case .moved = error { return noInput }
    return data
  case let error as EvaluationError:
    switch error {
    case .noHiddenStates, .noWeights, .statisticsMissing: return usage
    case .diverged: return 75
    case .damagedSettings: return data
    }
  case is ScoringError, is PredictionError: return data
  case RecordingError.noSignal: return usage
  case is RecordingError, is NoUnits: return data
  case let error as UnitError:
    switch error {
    case .noLayer, .noUnit: return usage
    case .notNumbers: return data
    }
  case let error as ProbeError:
    switch error {
    case .invalidExpression, .repeatedName: return usage
    case .invalidLabel, .uncountable: return data
    }
  case is SpectrumError: return data
  case let error as GradientSubjectError:
    switch error {
    case .noText: return noInput
    case .noRecurrence: return data
    }
  case is VocabularyError, is WeightsError, is SafetensorsError, is TextTooShort: return data
  default: return 1
  }

  func fileCode(_ error: FileError) -> Int32 {
    switch error.operation {
    case .read: noInput
    case .create: cantCreate
    case .write, .rename, .sync: cantWrite
    }
  }
}
