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
    var settings = try NamedSettings(text)
    switch settings.name {
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
      throw .unknown(kind: "schedule", legal: Schedule.names, found: settings.name)
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
