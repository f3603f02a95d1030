import Foundation

/// Any value of a run's settings, so that the report shows those too that it knows nothing of.
enum SettingValue: Decodable {
  case text(String)
  case list([SettingValue])
  case object([String: SettingValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let object = try? container.decode([String: SettingValue].self) {
      self = .object(object)
    } else if let list = try? container.decode([SettingValue].self) {
      self = .list(list)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let truth = try? container.decode(Bool.self) {
      self = .text(truth ? "yes" : "no")
    } else if let integer = try? container.decode(Int.self) {
      self = .text("\(integer)")
    } else if let number = try? container.decode(Double.self) {
      self = .text("\(number)")
    } else {
      self = .text("none")
    }
  }

  /// Values of objects in objects, each with the names that lead to it.
  func flattened(under path: String) -> [(key: String, value: String)] {
    switch self {
    case .text(let text): [(path, text)]
    case .list(let list):
      [(path, list.flatMap { $0.flattened(under: "") }.map(\.value).joined(separator: ", "))]
    case .object(let object):
      object.sorted { $0.key < $1.key }.flatMap { key, value in
        value.flattened(under: path.isEmpty ? key : "\(path).\(key)")
      }
    }
  }
}
