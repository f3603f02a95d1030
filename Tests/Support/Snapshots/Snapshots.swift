import Foundation

/// Pictures as somebody has looked at them: SVG files in the folder `Snapshots` beside a test.
///
/// To change them: `UNFOLD_RECORD_SNAPSHOTS=1 swift test -c release --filter Snapshot` writes them
/// anew; look at each in a browser, in light and dark, before you commit it.
public struct Snapshots: Sendable {
  private let folder: URL
  private let isRecording = ProcessInfo.processInfo.environment["UNFOLD_RECORD_SNAPSHOTS"] != nil

  /// - Parameter file: of the test, `#filePath`.
  public init(beside file: String) {
    folder = URL(filePath: file).deletingLastPathComponent().appending(path: "Snapshots")
  }

  /// What is wrong with a picture; nil if it is as it was.
  public func fault(of svg: String, named name: String) throws -> String? {
    let file = folder.appending(path: "\(name).svg")
    if isRecording { try Data(svg.utf8).write(to: file) }
    guard let snapshot = try? String(contentsOf: file, encoding: .utf8) else {
      return "There is no snapshot of \(name); Snapshots.swift says how to make one."
    }
    return svg == snapshot ? nil : "\(name) is drawn otherwise; Snapshots.swift says what to do."
  }

  /// The names of all pictures that are kept.
  public func names() throws -> Set<String> {
    Set(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
        URL(filePath: $0).deletingPathExtension().lastPathComponent
      })
  }
}
