import Foundation
import Testing

/// Opens a page in Chromium and tries it, see `Scripts/check-page.py`. Where there is no Chromium, or
/// no Python to drive it, there is nothing to see; in CI there must be.
func expectPageWorks(
  _ page: String, in place: Workplace, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(
      path: "Scripts/check-page.py")
  let result = try place.shell("exec python3 '\(script.path)' \(page)")
  if result.code == 77 || result.code == 127, ProcessInfo.processInfo.environment["CI"] == nil {
    print("skipped: no Chromium or no Python here")
    return
  }
  #expect(result.code == 0, "\(result.text)\(result.error)", sourceLocation: sourceLocation)
}
