/// A report: one file that needs nothing else, and asks no network.
///
/// It follows the reader's light or dark colours, and prints in light ones.
public struct Page: Sendable {
  public var title: String
  /// Under the title: what this is about, in a line.
  public var subtitle: String
  /// Rules beside the page's own.
  public var style: String
  /// JavaScript at the end of the page.
  public var script: String
  private var contents: [(id: String, title: String)] = []
  private var body: [HTML] = []

  public init(_ title: String, subtitle: String = "", style: String = "", script: String = "") {
    self.title = title
    self.subtitle = subtitle
    self.style = style
    self.script = script
  }

  /// Begins a section; from the second on they are listed at the top.
  public mutating func section(_ title: String) {
    let id = "section-\(contents.count + 1)"
    contents.append((id, title))
    body.append("<h2 id=\"\(id)\">\(title)</h2>\n")
  }

  public mutating func heading(_ title: String) { body.append("<h3>\(title)</h3>\n") }

  public mutating func paragraph(_ text: HTML) { body.append("<p>\(text)</p>\n") }

  /// A sentence that must not be overlooked.
  public mutating func notice(_ text: HTML) { body.append("<p class=\"notice\">\(text)</p>\n") }

  /// Text as it is, line by line.
  public mutating func preformatted(_ text: String) { body.append("<pre>\(text)</pre>\n") }

  public mutating func raw(_ html: HTML) { body.append(html) }

  /// A chart with words under it.
  public mutating func figure(_ chart: Chart, caption: HTML? = nil) {
    body.append(Self.figure(chart, caption))
  }

  /// Charts beside each other, as many as fit.
  public mutating func figures(_ charts: [Chart]) {
    body.append("<div class=\"figures\">\n\(charts.map { Self.figure($0, nil) }.joined())</div>\n")
  }

  private static func figure(_ chart: Chart, _ caption: HTML?) -> HTML {
    let words: HTML = caption.map { "<figcaption>\($0)</figcaption>\n" } ?? ""
    return "<figure>\n\(chart.inlineSVG)\(words)</figure>\n"
  }

  /// Rows under a head; columns of numbers are set to the right.
  public mutating func table(_ head: [String], _ rows: [[String]], caption: String? = nil) {
    table(head, rows.map { $0.map { HTML(raw: HTML.escaped($0)) } }, caption: caption)
  }

  public mutating func table(_ head: [String], _ rows: [[HTML]], caption: String? = nil) {
    let numeric = head.indices.map { column in
      rows.allSatisfy { $0.count <= column || Self.isNumber($0[column].text) }
    }
    func row(_ cells: [HTML], _ tag: String) -> HTML {
      let cells = cells.enumerated().map { column, cell -> HTML in
        let isNumber = numeric.indices.contains(column) && numeric[column]
        return HTML(raw: "<\(tag)\(isNumber ? " class=\"number\"" : "")>\(cell.text)</\(tag)>")
      }
      return "<tr>\(cells.joined())</tr>\n"
    }
    let words: HTML = caption.map { "<caption>\($0)</caption>\n" } ?? ""
    let top: HTML =
      head.allSatisfy(\.isEmpty)
      ? "" : "<thead>\(row(head.map { HTML(raw: HTML.escaped($0)) }, "th"))</thead>\n"
    body.append(
      """
      <div class="table"><table>
      \(words)\(top)<tbody>
      \(rows.map { row($0, "td") }.joined())</tbody></table></div>

      """)
  }

  private static func isNumber(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    return scalars.first.map { "+-−.0123456789–∞".unicodeScalars.contains($0) } ?? true
      && scalars.allSatisfy { $0 != "<" } && scalars.count < 24
  }

  /// The whole file.
  public var html: String {
    let links = contents.map { id, title -> HTML in "<a href=\"#\(id)\">\(title)</a>\n" }
    let navigation: HTML = contents.count < 2 ? "" : "<nav>\n\(links.joined())</nav>\n"
    let line: HTML = subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(subtitle)</p>\n"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
      <title>\(HTML.escaped(title))</title>
      <style>
      \(PageStyle.rules)\(ChartStyle.rules)\(style)</style>
      </head>
      <body>
      <main>
      <header>
      <h1>\(HTML.escaped(title))</h1>
      \(line.text)</header>
      \(navigation.text)\(body.joined().text)</main>
      \(script.isEmpty ? "" : "<script>\n\(script)\n</script>\n")</body>
      </html>

      """
  }
}
