import Foundation

#if canImport(Darwin)
  import Darwin
#endif

/// The processors that this process may use.
package enum Processors {
  /// As many threads as can compute at full speed at once: the performance cores. Two threads on one
  /// core share its arithmetic units, and a slow core would have the others wait for it.
  package static let cores = min(logical, systemCores ?? logical)

  /// Logical processors.
  package static var logical: Int { ProcessInfo.processInfo.activeProcessorCount }

  #if canImport(Darwin)
    private static var systemCores: Int? {
      for name in ["hw.perflevel0.physicalcpu", "hw.physicalcpu"] {
        var (count, size) = (Int32(0), MemoryLayout<Int32>.size)
        if sysctlbyname(name, &count, &size, nil, 0) == 0, count > 0 { return Int(count) }
      }
      return nil
    }
  #else
    private static var systemCores: Int? {
      allowed.flatMap { cores(among: $0, devices: URL(filePath: "/sys/devices")) }
    }

    /// The numbers of the processors that the system gives this process.
    private static var allowed: Set<Int>? {
      let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
      return line.flatMap { list($0.dropFirst("Cpus_allowed_list:".count)) }
    }
  #endif

  /// Counts the cores behind some processors of Linux; of processors with two kinds of cores, those
  /// of the fast kind.
  ///
  /// - Parameter devices: what is `/sys/devices` there.
  /// - Returns: nil if nothing is known of them.
  package static func cores(among processors: Set<Int>, devices: URL) -> Int? {
    func text(_ path: String) -> String? {
      try? String(contentsOf: devices.appending(path: path), encoding: .utf8)
    }
    // Intel's fast cores have a list, and Arm's cores a number each.
    var fast = text("cpu_core/cpus").flatMap { list($0) }?.intersection(processors) ?? []
    if fast.isEmpty {
      let capacities = processors.map { processor in
        let capacity = text("system/cpu/cpu\(processor)/cpu_capacity")?
          .trimmingCharacters(in: .whitespacesAndNewlines)
        return (processor, capacity: capacity.flatMap { Int($0) } ?? 0)
      }
      let most = capacities.map(\.capacity).max() ?? 0
      fast = Set(capacities.filter { $0.capacity == most }.map(\.0))
    }
    let siblings = fast.map {
      text("system/cpu/cpu\($0)/topology/thread_siblings_list")
    }
    guard !siblings.isEmpty, !siblings.contains(nil) else { return nil }
    return Set(siblings).count
  }

  /// The numbers of a list such as "0-3,8", or nil if it isn't one.
  package static func list(_ text: some StringProtocol) -> Set<Int>? {
    var numbers: Set<Int> = []
    for part in text.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
        0...last ~= first, last < 1 << 16
      else { return nil }
      numbers.formUnion(first...last)
    }
    return numbers
  }
}
