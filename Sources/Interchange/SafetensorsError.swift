/// Why a safetensors file can't be used.
public enum SafetensorsError: Error, Equatable, Sendable {
  /// The file can't be opened.
  case unreadable(FileError)
  /// The file is shorter than the eight bytes that give the header's size.
  case noHeader(file: String, found: Int)
  /// The header's size is beyond the format's limit of 100,000,000 bytes.
  case headerTooLarge(file: String, found: UInt64)
  /// The file ends within the header. `expected` and `found` count the header's bytes.
  case headerTruncated(file: String, expected: Int, found: Int)
  /// Text that isn't JSON, or JSON of another structure than the format's; also one that is nested
  /// too deep. `byte` counts from the start of the file, here and below.
  case syntax(file: String, byte: Int, expected: String, found: String)
  /// A number that isn't a whole one from 0 to 2⁶³ − 1, for example `4.0`.
  case badNumber(file: String, byte: Int, found: String)
  case notUTF8(file: String, byte: Int)
  /// Keys count as equal when Swift strings do, whatever their Unicode normalisation.
  case duplicateKey(file: String, byte: Int, found: String)
  /// A key of a tensor that the format doesn't know.
  case unknownKey(file: String, byte: Int, found: String)
  case missingKey(file: String, tensor: String, expected: String)
  case unknownDType(file: String, tensor: String, found: String)
  /// The tensor's size in bytes is 2⁶³ or more.
  case sizeOverflow(file: String, tensor: String, found: [Int])
  /// Shape and data offsets disagree; both in bytes.
  case sizeMismatch(file: String, tensor: String, expected: Int, found: Int)
  /// The tensor's data doesn't begin where the data before it ends: a hole or an overlap.
  case notContiguous(file: String, tensor: String, expected: Int, found: Int)
  /// The file is shorter or longer than its header says; in bytes.
  case lengthMismatch(file: String, expected: Int, found: Int)
  /// The file is whole, but doesn't hold the tensor that was asked for.
  case noTensor(file: String, expected: String)
  /// The tensor that was asked for has elements of another type.
  case wrongDType(
    file: String, tensor: String, expected: SafetensorsFile.DType, found: SafetensorsFile.DType)
}

extension SafetensorsError: CustomStringConvertible {
  /// One sentence: which file, where, what is wrong, and what to do if it isn't obvious.
  public var description: String {
    switch self {
    case .unreadable(let error):
      return error.description
    case .noHeader(let file, let found):
      return "\(file): a safetensors file has at least 8 bytes, but this one has \(found); "
        + "copy it again."
    case .headerTooLarge(let file, let found):
      return "\(file): the header can have 100000000 bytes at most, but claims \(found); "
        + "this is not a safetensors file."
    case .headerTruncated(let file, let expected, let found):
      return "\(file): the header says \(expected) bytes, but the file has only \(found) for it; "
        + "the file is truncated, so copy it again."
    case .syntax(let file, let byte, let expected, let found):
      return "\(file): byte \(byte) of the file should be \(expected), but is \(found); "
        + "the header is damaged."
    case .badNumber(let file, let byte, let found):
      return "\(file): byte \(byte) should start a whole number, but starts \(found); "
        + "the header is damaged."
    case .notUTF8(let file, let byte):
      return "\(file): the text that starts at byte \(byte) is not UTF-8; the header is damaged."
    case .duplicateKey(let file, let byte, let found):
      return "\(file): the key \(quoted(found)) at byte \(byte) is there twice; "
        + "write the file again with different names."
    case .unknownKey(let file, let byte, let found):
      return "\(file): the key \(quoted(found)) at byte \(byte) is none of dtype, shape and "
        + "data_offsets; the file needs a newer reader."
    case .missingKey(let file, let tensor, let expected):
      return "\(file): tensor \(quoted(tensor)) lacks \(expected); the header is damaged."
    case .unknownDType(let file, let tensor, let found):
      return "\(file): tensor \(quoted(tensor)) has elements of the unknown type \(quoted(found)); "
        + "convert it to F32."
    case .sizeOverflow(let file, let tensor, let found):
      return "\(file): tensor \(quoted(tensor)) with its shape \(brief(found)) "
        + "would have 2⁶³ bytes or more; the header is damaged."
    case .sizeMismatch(let file, let tensor, let expected, let found):
      return "\(file): tensor \(quoted(tensor)) needs \(expected) bytes for its shape, "
        + "but its offsets span \(found); the header is damaged."
    case .notContiguous(let file, let tensor, let expected, let found):
      return "\(file): the data of tensor \(quoted(tensor)) should begin at \(expected), "
        + "but begins at \(found); the header is damaged."
    case .lengthMismatch(let file, let expected, let found):
      let problem = found < expected ? "is truncated" : "has bytes that belong to no tensor"
      return "\(file): the header says \(expected) bytes, but the file has \(found); "
        + "the file \(problem), so copy it again."
    case .noTensor(let file, let expected):
      return "\(file): there is no tensor \(quoted(expected)); this is the file of another model."
    case .wrongDType(let file, let tensor, let expected, let found):
      return "\(file): tensor \(quoted(tensor)) should be \(expected.rawValue), "
        + "but is \(found.rawValue); convert it to \(expected.rawValue)."
    }
  }
}

/// Outside text, short enough for one line and without control characters.
func quoted(_ text: String) -> String {
  (text.count > 60 ? text.prefix(60) + "…" : text).debugDescription
}

private func brief(_ shape: [Int]) -> String {
  shape.count > 8 ? "of \(shape.count) dimensions" : "\(shape)"
}
