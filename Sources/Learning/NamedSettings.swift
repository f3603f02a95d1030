/// A name and settings for it, each to be taken once: `cosine:warmup=100,final=0.1`.
package struct NamedSettings {
  package let name: String
  private var rest: [String: String] = [:]
  private var known: [String] = []

  package init(_ text: String) throws(SettingError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    let settings = parts.count > 1 ? parts[1] : nil
    for part in settings?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else {
        throw .outOfRange(
          setting: "a setting of \(name)", legal: "of the form name=value",
          found: "“\(part)”")
      }
      guard rest.updateValue(String(pair[1]), forKey: String(pair[0])) == nil else {
        throw .repeated(setting: String(pair[0]), of: name)
      }
    }
  }

  package enum Fraction: String {
    case aboveZero = "above 0 and at most 1"
    case fromZero = "from 0 to 1"
    case betweenZeroAndOne = "above 0 and less than 1"

    package func contains(_ value: Double) -> Bool {
      switch self {
      case .aboveZero: value > 0 && value <= 1
      case .fromZero: value >= 0 && value <= 1
      case .betweenZeroAndOne: value > 0 && value < 1
      }
    }
  }

  package mutating func fraction(
    _ name: String, _ standard: Double?, _ range: Fraction
  ) throws(SettingError) -> Double {
    try number(name, standard, legal: range.rawValue, range.contains)
  }

  package mutating func number(
    _ name: String, _ standard: Double?, legal: String, _ isLegal: (Double) -> Bool
  ) throws(SettingError) -> Double {
    try value(name, standard, legal: legal) { $0.isFinite && isLegal($0) }
  }

  /// The largest whole number that a setting may have: no sum or product of such with what a machine
  /// holds overflows.
  private static let largestWhole = 1_000_000_000

  package mutating func whole(
    _ name: String, _ standard: Int? = nil, from least: Int
  ) throws(SettingError) -> Int {
    let legal = least...Self.largestWhole
    return try value(
      name, standard, legal: "a whole number from \(least) to \(Self.largestWhole)",
      legal.contains)
  }

  private mutating func value<Value: LosslessStringConvertible>(
    _ name: String, _ standard: Value?, legal: String, _ isLegal: (Value) -> Bool
  ) throws(SettingError) -> Value {
    known.append(name)
    guard let text = rest.removeValue(forKey: name) else {
      guard let standard else { throw .missing(setting: name, of: self.name) }
      return standard
    }
    guard let value = Value(text), isLegal(value) else {
      throw .outOfRange(setting: name, legal: legal, found: "“\(text)”")
    }
    return value
  }

  /// - Throws: if something is left that nobody took.
  package func finish() throws(SettingError) {
    guard let other = rest.keys.min() else { return }
    throw .unknown(kind: "setting of \(name)", legal: known, found: other)
  }
}
