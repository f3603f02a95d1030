import ArgumentParser
import Foundation
import Inspection
import Language

/// What is asked about a text, beside the questions that always are.
struct QuestionOptions: ParsableArguments {
  @Option(
    name: .customLong("probe"),
    help: ArgumentHelp(
      "Ask whether characters belong to matches of a regular expression; may be repeated.",
      valueName: "name=regex"))
  var expressions: [Named] = []
  @Option(
    help: ArgumentHelp(
      "Ask about labels of your own, from a file; may be repeated.", valueName: "name=file"),
    completion: .file())
  var labels: [Named] = []
  @Option(help: "Ask whether this character comes next; may be repeated.") var ahead: [Ahead] = []
  @Option(help: "How quotes, brackets and comments are found: prose or c (default: guessed).")
  var syntax: TextSyntax?

  /// - Throws: ``ProbeError``.
  func probes() throws -> [Probe] {
    try Probe.builtIn + ahead.map { Probe.ahead($0.character) }
      + expressions.map { try Probe.matches(of: $0.value, name: $0.name) }
  }

  /// - Throws: ``ProbeError``, or `CorpusError` for a file that can't be read.
  func labelFiles() throws -> [LabelFile] {
    try labels.map { label in
      let source = try SourceText(path: label.value)
      return try LabelFile(
        String(decoding: source.bytes, as: UTF8.self), name: label.name, source: source.name)
    }
  }

  /// NAME=VALUE.
  struct Named: ExpressibleByArgument {
    let name, value: String

    init?(argument: String) {
      guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex else { return nil }
      name = String(argument[..<sign])
      value = String(argument[argument.index(after: sign)...])
      if value.isEmpty { return nil }
    }
  }

  /// One character, or `\n` or `\t`.
  struct Ahead: ExpressibleByArgument {
    let character: Unicode.Scalar

    init?(argument: String) {
      switch argument {
      case "\\n": character = "\n"
      case "\\t": character = "\t"
      default:
        guard argument.unicodeScalars.count == 1, let first = argument.unicodeScalars.first else {
          return nil
        }
        character = first
      }
    }
  }
}

/// A progress line that any thread may write.
final class SharedProgressLine: @unchecked Sendable {
  private let lock = NSLock()
  private var line = ProgressLine()

  func show(_ text: @autoclosure () -> String) { lock.withLock { line.show(text()) } }
  func clear() { lock.withLock { line.clear() } }
}
