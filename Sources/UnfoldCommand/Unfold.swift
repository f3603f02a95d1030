import ArgumentParser

@main
struct UnfoldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unfold",
    abstract: "Train, run and understand recurrent neural networks.",
    subcommands: [Benchmark.self])
}
