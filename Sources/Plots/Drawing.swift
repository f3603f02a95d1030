import Foundation

/// SVG elements, one after the other.
struct Drawing {
  private(set) var text = ""

  enum Anchor: String { case start, middle, end }

  mutating func add(_ element: String) {
    text += element
    text += "\n"
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    add("<path class=\"\(style)\" d=\"M\(x1.place) \(y1.place)L\(x2.place) \(y2.place)\"/>")
  }

  mutating func rectangle(_ x: Double, _ y: Double, _ w: Double, _ h: Double, _ style: String) {
    add(
      "<rect class=\"\(style)\" x=\"\(x.place)\" y=\"\(y.place)\" width=\"\(max(w, 0).place)\" "
        + "height=\"\(max(h, 0).place)\"/>")
  }

  mutating func circle(_ x: Double, _ y: Double, _ r: Double, _ style: String) {
    add(
      "<circle class=\"\(style)\" cx=\"\(x.place)\" cy=\"\(y.place)\" r=\"\(r.place)\"/>")
  }

  mutating func text(
    _ words: String, _ x: Double, _ y: Double, _ style: String, anchor: Anchor = .start
  ) {
    let place = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    add(
      "<text class=\"\(style)\" x=\"\(x.place)\" y=\"\(y.place)\"\(place)>"
        + "\(HTML.escaped(words))</text>")
  }

  /// - Parameter attributes: with a space before each.
  mutating func path(_ data: String, _ style: String, attributes: String = "") {
    if !data.isEmpty { add("<path class=\"\(style)\" d=\"\(data)\"\(attributes)/>") }
  }
}

extension Double {
  /// To a twentieth of a pixel and without needless digits.
  var place: String {
    let hundredths = Int((self * 20).rounded()) * 5
    let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
    let sign = hundredths < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    let digits = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
    return "\(sign)\(whole).\(digits)"
  }
}

extension String {
  /// About how wide the text is in a common sans-serif typeface, in pixels.
  func width(fontSize: Double) -> Double {
    unicodeScalars.reduce(0) { width, scalar in
      switch scalar {
      case "i", "j", "l", "t", "f", "I", ".", ",", ":", ";", "'", "|", "!", "(", ")", " ", "·":
        width + 0.31
      case "m", "w", "M", "W", "—": width + 0.86
      case "A"..."Z": width + 0.67
      case "⁰"..."⁹", "⁻", "¹", "²", "³": width + 0.38
      default: width + 0.58
      }
    } * fontSize
  }
}
