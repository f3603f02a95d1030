import ArgumentParser
import Foundation
import Plots
import Tensors

struct Doctor: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this machine offers and what is used.",
    discussion: """
      UNFOLD_KERNELS forces an instruction set, UNFOLD_THREADS the number of threads. The peak is
      what multiplications and additions alone reach, without any memory: no program is faster.
      """)

  @Flag(help: "Print one JSON object.") var json = false

  private struct Report: Encodable {
    let system: String
    let processors: Int
    let memoryGib: Double
    let instructionSets: [String]
    let instructionSet: String
    let threads: Int
    let productGflops, peakGflops, peakGflopsOneThread: Double
  }

  func execute() throws {
    let process = ProcessInfo.processInfo
    let report = Report(
      system: process.operatingSystemVersionString, processors: process.activeProcessorCount,
      memoryGib: Double(process.physicalMemory) / Double(1 << 30),
      instructionSets: Compute.availableInstructionSets, instructionSet: Compute.instructionSet,
      threads: Compute.threads, productGflops: productRate(),
      peakGflops: Compute.peakRate(threads: Compute.threads) / 1e9,
      peakGflopsOneThread: Compute.peakRate(threads: 1) / 1e9)
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
        [
          "peak",
          "\(report.peakGflops.text(0)) GFLOP/s, one thread \(report.peakGflopsOneThread.text(0))",
        ],
      ]))
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
