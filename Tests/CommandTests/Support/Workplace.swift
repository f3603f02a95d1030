import Foundation
import Interchange
import Testing

/// A temporary folder in which `unfold` runs; it goes when the workplace does.
final class Workplace: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "unfold-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The executable that stands beside the tests in the build folder.
  static let executable: URL = {
    let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
    let tests = bundle ?? URL(filePath: CommandLine.arguments[0])
    return tests.deletingLastPathComponent().appending(path: "unfold")
  }()

  /// What a run of a command left behind.
  struct Result {
    /// As a shell shows it: 128 and the number of the signal for a process that one ended.
    let code: Int32
    let output: Data
    let error: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorLines: [Substring] { error.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  /// A command that is under way.
  final class Running {
    fileprivate let process = Process()
    fileprivate let output: URL
    fileprivate let error: URL
    private let ended = DispatchSemaphore(value: 0)

    fileprivate init(output: URL, error: URL) {
      (self.output, self.error) = (output, error)
      process.terminationHandler = { [ended] _ in ended.signal() }
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// What it has written to standard error so far.
    var errorSoFar: String {
      String(decoding: (try? Data(contentsOf: error)) ?? Data(), as: UTF8.self)
    }

    /// - Parameter limit: in seconds; a process that takes longer is killed, and the test fails.
    func wait(limit: Double = 60) -> Result {
      if ended.wait(timeout: .now() + limit) == .timedOut {
        Issue.record("still running after \(limit) seconds")
        send(SIGKILL)
        ended.wait()
      }
      let signal = process.terminationReason == .uncaughtSignal ? Int32(128) : 0
      return Result(
        code: process.terminationStatus + signal, output: (try? Data(contentsOf: output)) ?? Data(),
        error: errorSoFar)
    }
  }

  /// Starts a program in the folder; standard input is a file, or nothing.
  func start(
    _ executable: URL, _ arguments: [String], environment: [String: String] = [:],
    input: String? = nil
  ) throws -> Running {
    let id = UUID().uuidString
    let running = Running(
      output: url.appending(path: ".\(id).out"), error: url.appending(path: ".\(id).err"))
    let process = running.process
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = url
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput =
      try input.map { try FileHandle(forReadingFrom: path($0)) }
      ?? FileHandle.nullDevice
    for (url, assign) in [
      (running.output, \Process.standardOutput), (running.error, \Process.standardError),
    ] {
      try Data().write(to: url)
      process[keyPath: assign] = try FileHandle(forWritingTo: url)
    }
    try process.run()
    return running
  }

  func start(_ arguments: String..., environment: [String: String] = [:]) throws -> Running {
    try start(Self.executable, arguments, environment: environment)
  }

  @discardableResult
  func unfold(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
    limit: Double = 60
  ) throws -> Result {
    try start(Self.executable, arguments, environment: environment, input: input).wait(limit: limit)
  }

  @discardableResult
  func unfold(_ arguments: String...) throws -> Result { try unfold(arguments) }

  /// Runs a line of shell in which `$unfold` is the executable.
  func shell(_ line: String) throws -> Result {
    try start(
      URL(filePath: "/bin/sh"), ["-c", line], environment: ["unfold": Self.executable.path]
    ).wait()
  }

  // MARK: Files

  func path(_ name: String) -> URL { url.appending(path: name) }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name).path) }
  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }
  func write(_ data: Data, to name: String) throws { try data.write(to: path(name)) }
  func read(_ name: String) throws -> Data { try Data(contentsOf: path(name)) }

  /// SHA-256 of the weights of the best and of the last model of a run.
  func hashes(_ run: String) throws -> [String] {
    try ["best", "last"].map { model in
      var hash = SHA256()
      let data = try read("\(run)/\(model)/model.safetensors")
      data.withUnsafeBytes { hash.update(bytes: $0) }
      return hash.finalize()
    }
  }
}
