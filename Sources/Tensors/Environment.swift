import CKernels
import Foundation

/// What environment variables ask of the library.
///
/// A library can't refuse to start, so a value that can't be followed is as if it weren't there;
/// a program that would rather refuse calls `Compute.checkEnvironment()`, as the command does.
enum Environment {
  static var kernels: String? { value("UNFOLD_KERNELS") }
  static var threads: String? { value("UNFOLD_THREADS") }

  /// What `UNFOLD_THREADS` says, if it is possible.
  static var threadCount: Int? {
    threads.flatMap { Int($0) }.flatMap { (1...1024).contains($0) ? $0 : nil }
  }

  /// Set to nothing is not set, as a shell's users expect.
  private static func value(_ name: String) -> String? {
    let value = ProcessInfo.processInfo.environment[name]
    return value?.isEmpty == true ? nil : value
  }
}

/// An environment variable asks for what this machine can't do.
public enum EnvironmentError: Error, Equatable, CustomStringConvertible {
  case kernels(String, available: [String])
  case threads(String)

  public var description: String {
    switch self {
    case .kernels(let name, let available):
      "UNFOLD_KERNELS is “\(name)”, which this machine can't run; set it to "
        + "\(available.joined(separator: ", ")), or to nothing for the best"
    case .threads(let text):
      "UNFOLD_THREADS must be a number from 1 to 1024, or nothing, not “\(text)”"
    }
  }
}

extension Compute {
  /// - Throws: `EnvironmentError` if `UNFOLD_KERNELS` or `UNFOLD_THREADS` asks for something that
  ///   isn't possible here, which is ignored otherwise.
  public static func checkEnvironment() throws(EnvironmentError) {
    if let name = Environment.kernels, unfold_kernels_named(name) == nil {
      throw .kernels(name, available: availableInstructionSets)
    }
    if let threads = Environment.threads, Environment.threadCount == nil {
      throw .threads(threads)
    }
  }
}
