/// 256 colours for the numbers of a field.
///
/// - SeeAlso: J. Nuñez, C. Anderton, R. Renslow, "Optimizing colormaps with consideration for color
///   vision deficiency", PLoS ONE 13 (2018), for cividis; C. Brewer's RdBu for the diverging one.
enum ColourMap {
  /// `[256, 3]`: red, green, blue.
  static func palette(_ map: ColourScale.Map) -> [UInt8] {
    let anchors = map == .sequential ? cividis : blueToRed
    return (0..<256).flatMap { index -> [UInt8] in
      let place = Double(index) / 255 * Double(anchors.count - 1)
      let lower = min(Int(place), anchors.count - 2)
      let fraction = place - Double(lower)
      return [16, 8, 0].map { shift in
        let a = Double(anchors[lower] >> shift & 255)
        let b = Double(anchors[lower + 1] >> shift & 255)
        return UInt8((a + (b - a) * fraction).rounded())
      }
    }
  }

  private static let cividis: [UInt32] = [
    0x00224E, 0x123570, 0x3B496C, 0x575D6D, 0x707173, 0x8A8678, 0xA59C74, 0xC3B369, 0xE1CC55,
    0xFEE838,
  ]
  private static let blueToRed: [UInt32] = [
    0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D,
    0xB2182B, 0x67001F,
  ]
}
