import Foundation
import Interchange
import Synchronization
import Tensors

/// Law 7: the same bytes from a file, from another number of threads, and once more.
extension CellTrial {
  /// Writes the weights, spoils them, and reads them back.
  func savingViolations() -> [CellLaws.Violation] {
    let parameters = layer.parameters
    let before = results()
    if let shape = before.unlisted.first {
      let place = "the number of parameters in use but not in `parameters`, one of shape \(shape)"
      return [violation(place, expected: 0, found: before.unlisted.count)]
    }
    let names = Set(parameters.map(\.name))
    guard names.count == parameters.count else {
      return [
        violation("the number of distinct names", expected: parameters.count, found: names.count)
      ]
    }
    do {
      let weights = parameters.map { NamedTensor(name: $0.name, value: $0.parameter.value) }
      let (first, second) = try withTemporaryFolder { folder in
        let (one, other) = (folder.appending(path: "1"), folder.appending(path: "2"))
        try layer.writeWeights(to: one)
        for (_, parameter) in parameters { parameter.value = parameter.value.detached * -0.5 + 1 }
        try layer.readWeights(from: one)
        try layer.writeWeights(to: other)
        return (try Data(contentsOf: one), try Data(contentsOf: other))
      }
      let read = parameters.map { NamedTensor(name: $0.name, value: $0.parameter.value) }
      let found =
        CellLaws.differences(
          .sameBytes, "read back from a file", expected: weights, found: read, tolerance: 0)
        + CellLaws.differences(
          .sameBytes, "after reading weights back", expected: before.all, found: results().all,
          tolerance: 0)
      guard found.isEmpty, first != second else { return found }
      let place = "the number of equal bytes in a file written again"
      let equal = zip(first, second).count { $0 == $1 }
      return [violation(place, expected: first.count, found: equal)]
    } catch {
      return [violation("the number of files written and read (\(error))", expected: 1, found: 0)]
    }
  }

  /// Runs forward and back, as in training, with different numbers of threads.
  func threadViolations() -> [CellLaws.Violation] {
    let runs = withThreads([1, 1, 2, 3]) {
      results { unfold(layer, over: $0, from: $1, mode: .training(Philox(seed: 3))) }
    }
    return runs.dropFirst().flatMap { threads, found in
      CellLaws.differences(
        .sameBytes, "\(threads) threads after 1", expected: runs[0].result.all, found: found.all,
        tolerance: 0)
    }
  }

  private func violation(_ place: String, expected: Int, found: Int) -> CellLaws.Violation {
    CellLaws.Violation(
      law: .sameBytes, place: place, expected: Double(expected), found: Double(found))
  }
}

/// Held while the process's number of threads isn't the user's, so that two checks at once each put
/// back what they found.
private let threadsInUse = Mutex(())

private func withThreads<R>(_ counts: [Int], _ body: () -> R) -> [(threads: Int, result: R)] {
  threadsInUse.withLock { _ in
    let before = Compute.threads
    defer { Compute.threads = before }
    var results: [(threads: Int, result: R)] = []
    for count in counts {
      Compute.threads = count
      results.append((count, body()))
    }
    return results
  }
}

private func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "unfold-laws-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
