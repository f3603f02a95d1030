import ArgumentParser
import Foundation

@main
struct UnfoldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unfold",
    abstract: "Train, run and understand recurrent neural networks.",
    discussion: """
      Begin with `unfold train`: it trains a small language model on a built-in toy language and \
      compares it with the truth. Then train one on a text of yours:

        unfold train input.txt --out runs/mine
        unfold generate runs/mine --prompt "Once upon a time"
        unfold evaluate runs/mine other.txt
        unfold inspect runs/mine other.txt

      Results go to standard output, progress and messages to standard error. Exit codes: 0 done, \
      1 failure, 64 wrong usage, 65 unusable data or model, 66 missing input, 73 or 74 can't write, \
      75 training diverged, 130 interrupted after a saved checkpoint.
      """,
    subcommands: [
      Train.self, Generate.self, Evaluate.self, Score.self, NGram.self, Mix.self, Inspect.self,
      Tokenize.self, Gradients.self, Quantize.self, Report.self, Benchmark.self, Doctor.self,
    ])

  /// Parses and runs; whatever is wrong becomes one sentence on standard error.
  static func main() {
    prepareProcess()
    let arguments = joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      let isUnsaid = exitCode(for: error) == .validationFailure && !(error is ExitCode)
      guard isUnsaid else { exit(withError: error) }
      Console.say("unfold: \(usageSentence(message(for: error), arguments))")
      exit(withError: ExitCode.validationFailure)
    }
  }

  /// Failed writes are reported where they happen, not by a signal; and a standard stream that is
  /// closed doesn't become the next file that is opened.
  private static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    for stream in 0...2 where fcntl(Int32(stream), F_GETFD) < 0 {
      _ = open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY)
    }
  }

  /// `--layers -3` as `--layers=-3`: no option begins with a digit, so it is a value that is out of
  /// range, not an option that is unknown.
  private static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
    var joined: [String] = []
    for argument in arguments {
      if let last = joined.last, last.hasPrefix("--"), !last.contains("="), last != "--",
        argument.hasPrefix("-"), Double(argument) != nil
      {
        joined[joined.count - 1] = "\(last)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined
  }

  private static func usageSentence(_ message: String, _ arguments: [String]) -> String {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    if line.hasSuffix(".") || line.hasSuffix("?") { return line }
    let names = configuration.subcommands.map { $0._commandName }
    let command = names.first { $0 == arguments.first }.map { "unfold \($0)" } ?? "unfold"
    return "\(line); see \(command) --help."
  }
}

extension ArgumentHelp {
  /// Of a model of any kind.
  static let anyModel: ArgumentHelp =
    "The folder of a model or of a run, a file of n-grams, or a mixture."
}
