import ArgumentParser
import Foundation
import Plots
import Tensors

struct Doctor: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this machine offers and what is used.",
    discussion: """
      UNFOLD_KERNELS forces an instruction set, UNFOLD_THREADS the number of threads.
      """)

  @Flag(help: "Print one JSON object.") var json = false

  private struct Report: Encodable {
    let system: String
    let processors: Int
    let memoryGib: Double
    let instructionSets: [String]
    let instructionSet: String
    let threads: Int
    let productGflops: Double
  }

  func execute() throws {
    let process = ProcessInfo.processInfo
    let report = Report(
      system: process.operatingSystemVersionString, processors: process.activeProcessorCount,
      memoryGib: Double(process.physicalMemory) / Double(1 << 30),
      instructionSets: Compute.availableInstructionSets, instructionSet: Compute.instructionSet,
      threads: Compute.threads, productGflops: productRate())
    if json { return try Console.print(Console.json(report)) }
    try Console.print(
      table([
        ["system", report.system],
        ["processors", "\(report.processors)"],
        ["memory", "\(report.memoryGib.text(1)) GiB"],
        ["instruction sets", report.instructionSets.joined(separator: ", ")],
        ["in use", report.instructionSet],
        ["threads", "\(report.threads)"],
        ["matrix products", "\(report.productGflops.text(0)) GFLOP/s"],
      ]))
    if let wanted = process.environment["UNFOLD_KERNELS"], wanted != report.instructionSet {
      Console.say(
        "UNFOLD_KERNELS asks for “\(wanted)”, which this machine can't run; it can run "
          + report.instructionSets.joined(separator: ", ") + ".")
    }
  }

  /// The best rate of a product of the size that training meets, in 10⁹ operations a second.
  private func productRate() -> Double {
    var generator = Philox(seed: 1)
    let a = Tensor(uniform: [1024, 512], bound: 1, using: &generator)
    let b = Parameter(Tensor(uniform: [1024, 512], bound: 1, using: &generator))
    let clock = ContinuousClock()
    let times = (0..<20).map { _ in clock.measure { _ = a.times(b.transposed) } / .seconds(1) }
    return 2 * 1024 * 512 * 1024 / (times.min() ?? .infinity) / 1e9
  }
}
