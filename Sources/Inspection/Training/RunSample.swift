import Foundation
import Language

/// What a model wrote after an evaluation: a part of `samples.txt`.
struct RunSample: Equatable {
  let step: Int
  let text: String

  static func all(in file: String) -> [RunSample] {
    var samples: [RunSample] = []
    var (step, lines): (Int?, [Substring]) = (nil, [])
    func finish() {
      guard let step else { return }
      let text = lines.joined(separator: "\n").trimmingCharacters(in: .newlines)
      samples.append(RunSample(step: step, text: text))
    }
    // A text with carriage returns has written some; on a page they would be seen.
    let file = file.replacing("\r\n", with: "\n")
    for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
      if let next = RunFolder.step(ofHeading: line) {
        finish()
        (step, lines) = (next, [])
      } else {
        lines.append(line)
      }
    }
    finish()
    return samples
  }

  /// At most `count` of them, spread evenly, with the first and the last.
  static func chosen(_ samples: [RunSample], count: Int) -> [RunSample] {
    guard samples.count > count, count > 1 else { return samples }
    return (0..<count).map { samples[$0 * (samples.count - 1) / (count - 1)] }
  }
}
