import ArgumentParser
import Foundation

/// Whether two paths lead to the same place.
func isSameFile(_ a: String, _ b: String) -> Bool {
  let (a, b) = (URL(filePath: a), URL(filePath: b))
  return a.standardizedFileURL.resolvingSymlinksInPath()
    == b.standardizedFileURL.resolvingSymlinksInPath()
}

/// Refuses to write where something is that will be read.
///
/// - Throws: `ValidationError`.
func refuseWriting(over inputs: [String], out: String) throws {
  if inputs.contains(where: { isSameFile($0, out) }) {
    throw ValidationError("--out \(out) would be written over what is read; give another name.")
  }
}
