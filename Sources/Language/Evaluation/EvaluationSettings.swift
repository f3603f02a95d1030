import Foundation
import Interchange
import Learning

/// An evaluation's settings in a file, as `--tune` finds them:
/// `{"cache":"continuous:window=500,theta=0.3,lambda=0.1"}`.
extension Evaluation {
  private struct Content: Codable {
    var cache, dynamic: String?
  }

  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let content = Content(cache: cache?.description, dynamic: dynamic?.description)
    let text = String(decoding: try encoder.encode(content), as: UTF8.self) + "\n"
    try AtomicFile.write(to: url) { try $0.write(text) }
  }

  /// - Throws: ``EvaluationError/damagedSettings(file:reason:)``, `FileError`.
  public init(contentsOf url: URL) throws {
    let data = try MappedFile(contentsOf: url).withBytes { Data($0) }
    do {
      let content = try JSONDecoder().decode(Content.self, from: data)
      self.init(
        dynamic: try content.dynamic.map { try DynamicEvaluation($0) },
        cache: try content.cache.map { try ContinuousCache($0) })
    } catch let error as SettingError {
      throw EvaluationError.damagedSettings(file: url.path, reason: "\(error)")
    } catch {
      throw EvaluationError.damagedSettings(file: url.path)
    }
    if self == Evaluation() { throw EvaluationError.damagedSettings(file: url.path) }
  }
}
