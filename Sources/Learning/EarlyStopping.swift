/// Ends the training when the validation loss has stopped falling.
///
/// - SeeAlso: L. Prechelt, "Early Stopping — But When?", 1998 (the class of criteria UP).
public struct EarlyStopping: Codable, Sendable, Equatable {
  /// How many evaluations in a row may fail to improve; one more ends the training.
  public let patience: Int
  /// What has been seen, for a checkpoint.
  public var best = BestScore()

  /// - Throws: `SettingError` if `patience` is negative.
  public init(patience: Int) throws(SettingError) {
    guard patience >= 0 else {
      throw .outOfRange(
        setting: "patience", legal: "a whole number from 0 up", found: "\(patience)")
    }
    self.patience = patience
  }

  /// Whether the training should end.
  public var isExhausted: Bool { best.observationsSince > patience }

  /// Takes note of the validation loss of one evaluation.
  ///
  /// - Returns: whether it is the best so far: the weights to keep.
  @discardableResult
  public mutating func observe(_ loss: Double) -> Bool { best.observe(loss) }
}
