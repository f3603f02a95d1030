import ArgumentParser
import Foundation
import Inspection
import Language

struct Report: UnfoldSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Show how a training went, or goes: report.html.",
    discussion: """
      Makes the report of a run anew from its settings, metrics and samples, and prints where it is. \
      `unfold train` does the same as it goes; this is for runs of older versions, and for folders \
      that were copied.
      """)

  @Argument(help: "The folder of a run.", completion: .directory) var run: String
  @Flag(help: "Print a JSON object with the path of the report.") var json = false

  private struct Result: Encodable {
    let report: String
  }

  func execute() throws {
    let folder = RunFolder(URL(filePath: run))
    try TrainingReport(of: folder).write()
    let path = folder.report.path
    try Console.print(json ? Console.json(Result(report: path)) : path)
  }
}
