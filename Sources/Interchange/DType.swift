extension SafetensorsFile {
  /// The type of a tensor's elements, by its name in the file. Types smaller than a byte are not
  /// supported.
  ///
  /// - SeeAlso: `Dtype` in the reference implementation, `safetensors/src/tensor.rs`.
  public enum DType: String, CaseIterable, Sendable {
    // In the order in which the reference implementation writes tensors.
    case u64 = "U64"
    case i64 = "I64"
    case f64 = "F64"
    case c64 = "C64"
    case f32 = "F32"
    case u32 = "U32"
    case i32 = "I32"
    case bf16 = "BF16"
    case f16 = "F16"
    case u16 = "U16"
    case i16 = "I16"
    case f8e8m0 = "F8_E8M0"
    case f8e4m3 = "F8_E4M3"
    case f8e5m2 = "F8_E5M2"
    case i8 = "I8"
    case u8 = "U8"
    case bool = "BOOL"

    /// Size of an element in bytes.
    public var byteCount: Int {
      switch self {
      case .u64, .i64, .f64, .c64: 8
      case .f32, .u32, .i32: 4
      case .bf16, .f16, .u16, .i16: 2
      case .f8e8m0, .f8e4m3, .f8e5m2, .i8, .u8, .bool: 1
      }
    }

    /// Size of a tensor in bytes; `nil` if it is 2⁶³ or more.
    func byteCount(ofShape shape: [Int]) -> Int? {
      var count = 1
      for factor in shape + [byteCount] {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        if overflow { return nil }
        count = product
      }
      return count
    }
  }
}
