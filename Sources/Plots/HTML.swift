/// A piece of a page. What is put into a literal is escaped unless it is such a piece itself:
///
///     let cell: HTML = "<td>\(anything)</td>"
public struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  public let text: String

  /// Text that is HTML already.
  public init(raw text: String) { self.text = text }

  public init(stringLiteral value: String) { text = value }

  public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    fileprivate var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) { text += literal }

    public mutating func appendInterpolation(_ value: HTML) { text += value.text }

    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      text += HTML.escaped(value.description)
    }
  }

  public static func + (a: HTML, b: HTML) -> HTML { HTML(raw: a.text + b.text) }

  /// Text as it must stand between tags and in quoted attributes; characters that no document may
  /// have are replaced.
  public static func escaped(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\t", "\n": escaped.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}":
        escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension Sequence<HTML> {
  /// One after the other.
  public func joined() -> HTML { HTML(raw: map(\.text).joined()) }
}
