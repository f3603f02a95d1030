extension Schedule: CustomStringConvertible {
  private static let names = ["constant", "step", "exponential", "cosine", "plateau"]

  /// Reads a name, and settings for those that have some.
  ///
  ///     constant
  ///     step:every=1000,factor=0.5               factor: 0.1 if absent
  ///     exponential:decay=0.95,every=1000        every: 1 if absent
  ///     cosine:warmup=100,final=0.1              0 if absent
  ///     plateau:patience=2,factor=0.5,minimum=0  10, 0.1 and 0 if absent, as in PyTorch
  ///
  /// - Throws: `SettingError` for what isn't known, is missing or is out of range.
  public init(_ text: String) throws(SettingError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    var settings = try Settings(of: String(parts[0]), parts.count > 1 ? parts[1] : nil)
    switch parts[0] {
    case "constant":
      self = .constant
    case "step":
      self = .step(
        every: try settings.whole("every", from: 1),
        factor: try settings.fraction("factor", 0.1, .aboveZero))
    case "exponential":
      self = .exponential(
        decay: try settings.fraction("decay", nil, .aboveZero),
        every: try settings.whole("every", 1, from: 1))
    case "cosine":
      self = .cosine(
        warmup: try settings.whole("warmup", 0, from: 0),
        final: try settings.fraction("final", 0, .fromZero))
    case "plateau":
      self = .plateau(
        patience: try settings.whole("patience", 10, from: 0),
        factor: try settings.fraction("factor", 0.1, .betweenZeroAndOne),
        minimum: try settings.number("minimum", 0, legal: "at least 0 and finite") { $0 >= 0 })
    default:
      throw .unknown(kind: "schedule", legal: Schedule.names, found: String(parts[0]))
    }
    try settings.finish()
  }

  /// The text that `init(_:)` reads as this schedule.
  public var description: String {
    switch self {
    case .constant: "constant"
    case .step(let every, let factor): "step:every=\(every),factor=\(factor)"
    case .exponential(let decay, let every): "exponential:decay=\(decay),every=\(every)"
    case .cosine(let warmup, let final): "cosine:warmup=\(warmup),final=\(final)"
    case .plateau(let patience, let factor, let minimum):
      "plateau:patience=\(patience),factor=\(factor),minimum=\(minimum)"
    }
  }
}

extension Schedule: Codable {
  public init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// The settings after a schedule's name, each to be taken once.
private struct Settings {
  private let schedule: String
  private var rest: [String: String] = [:]
  private var known: [String] = []

  init(of schedule: String, _ text: Substring?) throws(SettingError) {
    self.schedule = schedule
    for part in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else {
        throw .outOfRange(
          setting: "a setting of \(schedule)", legal: "of the form name=value",
          found: "“\(part)”")
      }
      guard rest.updateValue(String(pair[1]), forKey: String(pair[0])) == nil else {
        throw .repeated(setting: String(pair[0]), of: schedule)
      }
    }
  }

  enum Fraction: String {
    case aboveZero = "above 0 and at most 1"
    case fromZero = "from 0 to 1"
    case betweenZeroAndOne = "above 0 and less than 1"

    func contains(_ value: Double) -> Bool {
      switch self {
      case .aboveZero: value > 0 && value <= 1
      case .fromZero: value >= 0 && value <= 1
      case .betweenZeroAndOne: value > 0 && value < 1
      }
    }
  }

  mutating func fraction(
    _ name: String, _ standard: Double?, _ range: Fraction
  ) throws(SettingError) -> Double {
    try number(name, standard, legal: range.rawValue, range.contains)
  }

  mutating func number(
    _ name: String, _ standard: Double?, legal: String, _ isLegal: (Double) -> Bool
  ) throws(SettingError) -> Double {
    try value(name, standard, legal: legal) { $0.isFinite && isLegal($0) }
  }

  mutating func whole(
    _ name: String, _ standard: Int? = nil, from least: Int
  ) throws(SettingError) -> Int {
    try value(name, standard, legal: "a whole number from \(least) up") { $0 >= least }
  }

  private mutating func value<Value: LosslessStringConvertible>(
    _ name: String, _ standard: Value?, legal: String, _ isLegal: (Value) -> Bool
  ) throws(SettingError) -> Value {
    known.append(name)
    guard let text = rest.removeValue(forKey: name) else {
      guard let standard else { throw .missing(setting: name, of: schedule) }
      return standard
    }
    guard let value = Value(text), isLegal(value) else {
      throw .outOfRange(setting: name, legal: legal, found: "“\(text)”")
    }
    return value
  }

  /// - Throws: if something is left that nobody took.
  func finish() throws(SettingError) {
    guard let name = rest.keys.min() else { return }
    throw .unknown(kind: "setting of \(schedule)", legal: known, found: name)
  }
}
