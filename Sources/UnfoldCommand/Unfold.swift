import ArgumentParser

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

      Results go to standard output, progress and messages to standard error. Exit codes: 0 done, \
      1 failure, 64 wrong usage, 65 unusable data or model, 66 missing input, 73 or 74 can't write, \
      75 training diverged, 130 interrupted after a saved checkpoint.
      """,
    subcommands: [
      Train.self, Generate.self, Evaluate.self, NGram.self, Quantize.self, Benchmark.self,
      Doctor.self,
    ])
}
