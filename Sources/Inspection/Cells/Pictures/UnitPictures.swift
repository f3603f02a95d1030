import Foundation
import Plots

/// One unit's excerpt for a terminal, as a picture, as a page, and as data.
extension UnitTrace {
  /// Coloured text for a terminal with 256 colours; without colours, each line of text has a line
  /// under it with the activations in tenths: 1 to 9 and X, a to j below zero, a dot for zero.
  public func terminalText(isColoured: Bool) -> String {
    isColoured ? colouredText : plainText
  }

  private var colouredText: String {
    var text = ""
    for (piece, activation) in colouredPieces {
      let colour = "\u{1B}[38;5;16;48;5;\(ActivationScale.terminalColour(activation))m"
      switch piece {
      case "\n": text += "\(colour) \u{1B}[0m\n"
      case "\r": continue
      default: text += "\(colour)\(Self.printable(piece))\u{1B}[0m"
      }
    }
    return text.hasSuffix("\n") ? text : text + "\n"
  }

  private var plainText: String {
    var text = ""
    var (line, below) = ("", "")
    func finish() {
      if !line.isEmpty { text += "\(line)\n\(below)\n" }
      (line, below) = ("", "")
    }
    for (piece, activation) in colouredPieces where piece != "\r" {
      if piece == "\n" {
        finish()
        continue
      }
      let shown = Self.printable(piece)
      line += shown
      below += String(repeating: " ", count: max(shown.count - 1, 0))
      below.append(Self.tenths[10 + Int((min(max(activation, -1), 1) * 10).rounded())])
    }
    finish()
    return text
  }

  private static let tenths = Array("jihgfedcba.123456789X")

  /// Tabs as spaces, and what would move the cursor as its picture.
  private static func printable(_ piece: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in piece.unicodeScalars {
      switch scalar.value {
      case 0x09: shown.append(contentsOf: "    ".unicodeScalars)
      case 0x0A: shown.append(" ")
      case 0..<0x20: shown.append(Unicode.Scalar(0x2400 + scalar.value) ?? " ")
      case 0x7F..<0xA0: shown.append("\u{FFFD}")
      default: shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// A picture of its own: text on coloured cells, lines as in the text, long ones broken.
  public var svg: String {
    let (width, height, columns) = (7.8, 18.0, 96)
    var (line, column) = (0, 0)
    var cells = ""
    for (piece, activation) in colouredPieces where piece != "\r" {
      let shown = Self.printable(piece)
      if column + shown.count > columns { (line, column) = (line + 1, 0) }
      let (x, y) = (20 + Double(column) * width, 48 + Double(line) * height)
      let cell = "x=\"\(Self.places(x))\" y=\"\(Self.places(y))\""
      let cellWidth = Self.places(width * Double(shown.count))
      cells +=
        "<rect \(cell) width=\"\(cellWidth)\" height=\"\(Self.places(height))\" "
        + "fill=\"\(ActivationScale.rgb(activation))\"/>"
      if shown.contains(where: { !$0.isWhitespace }) {
        cells +=
          "<text x=\"\(Self.places(x))\" y=\"\(Self.places(y + 13))\" "
          + "textLength=\"\(cellWidth)\">\(HTML.escaped(shown))</text>"
      }
      cells += "\n"
      column += shown.count
      if piece == "\n" { (line, column) = (line + 1, 0) }
    }
    let (pageWidth, pageHeight) = (
      Self.places(40 + width * Double(columns)), Self.places(68 + height * Double(line + 1))
    )
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(pageWidth)" height="\(pageHeight)" \
      viewBox="0 0 \(pageWidth) \(pageHeight)" role="img" aria-label="\(HTML.escaped(title))">
      <rect width="100%" height="100%" fill="#fff"/>
      <text x="20" y="28" font-family="system-ui,sans-serif" font-size="15" font-weight="600" \
      fill="#1c1e21">\(HTML.escaped(title))</text>
      <g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="13" fill="#1c1e21" \
      xml:space="preserve" shape-rendering="crispEdges">
      \(cells)</g>
      </svg>

      """
  }

  private static func places(_ number: Double) -> String {
    let text = String(format: "%.1f", number)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private var title: String {
    switch colours {
    case .squashed:
      "Unit \(unit): " + (signal == "c" ? "tanh(c)" : signal) + " from −1 (blue) to 1 (red)"
    case .range: "Unit \(unit): \(signal) from its least (blue) to its greatest (red)"
    }
  }

  /// A page with the coloured text, and the unit's states and gates as lines.
  public var page: Page {
    var page = Page(
      "Unit \(unit.unit) of layer \(unit.layer)",
      subtitle: title, style: InspectionPage.style)
    page.raw("<div class=\"read\">\(InspectionPage.spans(colouredPieces))</div>\n")
    let count = min(excerpt.tokens.count, 150)
    let places = (0..<count).map { Double($0) }
    func lines(_ series: [(name: String, values: [Float])]) -> [Mark] {
      series.enumerated().map { index, series in
        .line(
          x: places, y: series.values.prefix(count).map { Double($0) }, name: series.name,
          colour: .series(index), width: 1.2)
      }
    }
    page.figure(
      Chart(
        "States", subtitle: "of the first \(count) tokens", x: Axis("token"), y: Axis("value"),
        marks: lines(states)))
    if !gates.isEmpty {
      page.figure(
        Chart(
          "Gates", subtitle: "0 is shut, 1 is open", x: Axis("token"),
          y: Axis("opening", domain: 0...1), marks: lines(gates)))
    }
    return page
  }

  /// As data.
  public var json: some Encodable {
    Description(
      layer: unit.layer, unit: unit.unit, signal: signal,
      text: excerpt.pieces.map(\.text).joined(),
      tokens: excerpt.pieces.map(\.text),
      states: Dictionary(uniqueKeysWithValues: states.map { ($0.name, shown($0.values)) }),
      gates: Dictionary(uniqueKeysWithValues: gates.map { ($0.name, shown($0.values)) }))
  }

  private func shown(_ values: [Float]) -> [Float] {
    excerpt.pieces.map { values[$0.token - excerpt.tokens.lowerBound] }
  }

  private struct Description: Encodable {
    let layer, unit: Int
    let signal, text: String
    let tokens: [String]
    let states, gates: [String: [Float]]
  }
}
