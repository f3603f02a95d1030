/// The rules that colour charts: light, dark where the reader's screen is, and light in print.
///
/// Colours are classes that set `color`, and marks take it as `currentColor`, so that programs that
/// know little CSS show the light form.
enum ChartStyle {
  static let rules =
    """
    .chart{font-family:system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;\
    font-size:11px;font-variant-numeric:tabular-nums lining-nums;color:#1c1e21;max-width:100%;\
    height:auto}
    .chart text{fill:currentColor;stroke:none}
    .chart .title{font-size:14.5px;font-weight:600}
    .chart .label{font-size:11.5px;color:#4a4f57}
    .chart .name{font-size:11.5px}
    .chart .strong{font-weight:600}
    .chart .small{font-size:11px}
    .chart .tick{color:#5f656e}
    .chart .halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}
    .chart .paper{fill:#fff}
    .chart .grid{stroke:#e4e6e9;stroke-width:1;fill:none}
    .chart .axis{stroke:#8a9099;stroke-width:1;fill:none}
    .chart .line{stroke:currentColor;stroke-width:1.75;fill:none;stroke-linejoin:round;\
    stroke-linecap:round}
    .chart .band{fill:currentColor;fill-opacity:.18;stroke:none}
    .chart .area{fill:currentColor;fill-opacity:.3;stroke:currentColor;stroke-width:1.2;\
    stroke-linejoin:round}
    .chart .bar,.chart .fill{fill:currentColor;stroke:none}
    .chart .bar{shape-rendering:crispEdges}
    .chart .dot{fill:currentColor;fill-opacity:.75;stroke:#fff;stroke-width:.6}
    .chart .ring{fill:#fff;stroke:currentColor;stroke-width:1.6}
    .chart .rule{stroke:currentColor;stroke-width:1.1;fill:none}
    .chart .circle{stroke:#8a9099;stroke-width:1.2;fill:none}
    .chart .contour{stroke:#fff;stroke-opacity:.55;stroke-width:.8;fill:none;stroke-linecap:round}
    .chart .field{image-rendering:pixelated}
    .chart .ink{color:#1c1e21}
    .chart .muted{color:#646b75}
    .chart .faint{color:#c9cdd4}
    \(colours(light))
    @media screen and (prefers-color-scheme:dark){
    .chart{color:#e6e8eb}
    .chart .label{color:#b4bac3}
    .chart .tick{color:#a0a7b1}
    .chart .halo{stroke:#15171b}
    .chart .paper{fill:#15171b}
    .chart .grid{stroke:#2a2e35}
    .chart .axis{stroke:#737a85}
    .chart .dot{stroke:#15171b}
    .chart .ring{fill:#15171b}
    .chart .ink{color:#e6e8eb}
    .chart .muted{color:#9aa1ab}
    .chart .faint{color:#474d57}
    \(colours(dark))
    }

    """

  private struct Palette {
    let series, ramp, diverging: [String]
  }

  private static func colours(_ palette: Palette) -> String {
    [("c", palette.series), ("r", palette.ramp), ("d", palette.diverging)].flatMap { name, list in
      list.enumerated().map { ".chart .\(name)\($0){color:#\($1)}" }
    }.joined(separator: "\n")
  }

  /// Okabe's and Ito's blue, vermillion, green, purple, orange, sky and grey; the light ones darker,
  /// for a contrast of at least 3 with white. The ramp is a part of plasma.
  private static let light = Palette(
    series: ["0072B2", "D55E00", "008F68", "B8568F", "B87A00", "2F8FCB", "5F656E"],
    ramp: [
      "2C0594", "5302A3", "7A04A8", "9C179E", "B52F8C", "CC4778", "DB5C68", "E66C5C", "E87B3F",
    ],
    diverging: [
      "08519C", "2171B5", "3D8BC7", "6F9DBF", "808080", "C98A70", "D6604D", "C1272D", "8E0B21",
    ])
  private static let dark = Palette(
    series: ["4FA8E0", "F0834A", "2FBF94", "E092BE", "E6B03A", "8CCBF2", "A9B0BA"],
    ramp: [
      "9A6BE8", "B05FE0", "C35ACB", "D65CB2", "E46699", "F07F4F", "F5913E", "FAAE2B", "FCD225",
    ],
    diverging: [
      "4FA3F7", "6DB3F2", "8CC2EC", "A9C7DC", "A6A6A6", "DDB5A3", "F09A80", "F47C66", "FF5C5C",
    ])
}
