import Foundation
import Tensors
import Testing

@Suite struct ProcessorsTests {
  @Test func listsAreRangesAndNumbers() {
    #expect(Processors.list("0-3,8\n") == [0, 1, 2, 3, 8])
    #expect(Processors.list(" 5") == [5])
    #expect(Processors.list("") == [])
    for broken in ["a", "3-1", "1-2-3", "-1", "0-99999999"] {
      #expect(Processors.list(broken) == nil, "\(broken)")
    }
  }

  /// Four threads on two fast cores, and two slow cores.
  @Test func fastCoresAreCountedOnce() throws {
    let devices = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: devices) }
    func write(_ text: String, to path: String) throws {
      let file = devices.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    for (processor, siblings) in ["0-1", "0-1", "2-3", "2-3", "4", "5"].enumerated() {
      try write("\(siblings)\n", to: "system/cpu/cpu\(processor)/topology/thread_siblings_list")
    }
    #expect(Processors.cores(among: Set(0..<6), devices: devices) == 4)
    #expect(Processors.cores(among: [1, 2, 3], devices: devices) == 2)
    // A processor of which nothing is known.
    #expect(Processors.cores(among: [0, 9], devices: devices) == nil)
    for processor in 0..<6 {
      let capacity = processor < 4 ? 1024 : 446
      try write("\(capacity)\n", to: "system/cpu/cpu\(processor)/cpu_capacity")
    }
    #expect(Processors.cores(among: Set(0..<6), devices: devices) == 2)
    #expect(Processors.cores(among: [4, 5], devices: devices) == 2)
    try write("0-1\n", to: "cpu_core/cpus")
    #expect(Processors.cores(among: Set(0..<6), devices: devices) == 1)
    try write("0-3\n", to: "cpu_core/cpus")
    #expect(Processors.cores(among: Set(0..<6), devices: devices) == 2)
    #expect(Processors.cores(among: [4, 5], devices: devices) == 2)
  }

  @Test func thereAreNoMoreCoresThanProcessors() {
    #expect(1...Processors.logical ~= Processors.cores)
  }
}
