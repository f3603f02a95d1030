/// What is wrong with a setting of the training that came from outside.
public enum SettingError: Error, Equatable, CustomStringConvertible {
  /// A value that isn't in the legal range, or not of the right kind.
  case outOfRange(setting: String, legal: String, found: String)
  /// There is nothing of this kind with the name that was found.
  case unknown(kind: String, legal: [String], found: String)
  /// A setting without a default wasn't given.
  case missing(setting: String, of: String)
  /// A setting was given twice.
  case repeated(setting: String, of: String)

  public var description: String {
    switch self {
    case .outOfRange(let setting, let legal, let found):
      "\(setting) must be \(legal), not \(found)"
    case .unknown(let kind, let legal, let found):
      legal.isEmpty
        ? "there is no \(kind), and so no “\(found)”"
        : "there is no \(kind) “\(found)”, only \(legal.joined(separator: ", "))"
    case .missing(let setting, let whole):
      "\(whole) needs a value for \(setting)"
    case .repeated(let setting, let whole):
      "\(whole) has more than one value for \(setting)"
    }
  }
}
